"""Valid requests made wrong, through the whole program: understood or refused, never a fault.

What the description of the API generates is in tests/live/test_every_operation.py.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import gevent
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poeflask.app import create_app
from poeflask.settings import Settings
from poeflask.upstreams import DEMO_KEY
from tests.fuzz.mutations import EXAMPLES, REQUESTS, mutated

LIMIT_S = 20
CALM = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@functools.cache
def client() -> FlaskClient:
    """A client of one app for all, whose Poe is the simulator."""
    chosen: dict[str, Any] = {"store_url": "memory", "simulator": "on", "log_level": "error"}
    made = create_app(Settings(tries=1, idle_timeout_s=5, **chosen)).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {DEMO_KEY}"
    return made


def answer(path: str, sent: bytes, content_type: str = "application/json") -> tuple[int, str]:
    """(status, text) of what comes back; it comes in time."""
    with gevent.Timeout(LIMIT_S):
        got = client().post(path, data=sent, headers={"Content-Type": content_type})
        return got.status_code, got.data.decode(errors="replace")


def is_no_fault_of_ours(status: int, text: str) -> bool:
    """Whether it is an answer, or an error that says what would be right or what Poe said."""
    if "poeflask failed on this request" in text:
        return False
    return status < 400 or bool(json.loads(text))


def test_the_valid_requests_are_understood() -> None:
    """Else their mutations would say little; but an echo fails where JSON is asked for."""
    statuses = {path: answer(path, json.dumps(body).encode())[0] for path, body in REQUESTS.items()}

    assert {} == {path: status for path, status in statuses.items() if 400 <= status < 500}


@CALM
@given(made=mutated())
def test_no_body_of_a_request_is_a_fault(made: tuple[str, Any]) -> None:
    """Whatever stands in the place of anything."""
    path, body = made

    assert is_no_fault_of_ours(*answer(path, json.dumps(body).encode()))


@CALM
@given(
    path=st.sampled_from(sorted(REQUESTS)),
    cut=st.floats(0, 1),
    inserted=st.binary(max_size=4) | st.sampled_from([b"[" * 3000, b'{"a":' * 3000, b"1" * 5000]),
)
def test_no_bytes_of_a_body_are_a_fault(path: str, cut: float, inserted: bytes) -> None:
    """Whatever bytes come in between."""
    sent = json.dumps(REQUESTS[path]).encode()
    at = int(len(sent) * cut)

    assert is_no_fault_of_ours(*answer(path, sent[:at] + inserted + sent[at:]))


_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nEcho\r\n'
    b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\nRIFF\r\n"
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n"
)
_FORM_PATHS = (
    *("/v1/files", "/v1/images/edits", "/v1/images/variations", "/v1/audio/transcriptions"),
    *("/v1/audio/translations",),
)


@CALM
@given(
    path=st.sampled_from(_FORM_PATHS),
    cut=st.floats(0, 1),
    left_out=st.integers(0, 40),
    inserted=st.binary(max_size=6)
    | st.sampled_from([b"\r\n--x\r\n", b"--x--", b'"; name="n', b"\0"]),
    boundary=st.sampled_from(["x", "x", "x", "", "y", "x" * 300, '"', "\xe4"]),
)
def test_no_form_is_a_fault(
    path: str, cut: float, left_out: int, inserted: bytes, boundary: str
) -> None:
    """Whatever is cut out of it or comes in between, and whatever boundary it claims."""
    at = int(len(_FORM) * cut)
    sent = _FORM[:at] + inserted + _FORM[at + left_out :]

    assert is_no_fault_of_ours(*answer(path, sent, f"multipart/form-data; boundary={boundary}"))
