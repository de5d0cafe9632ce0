"""Keys that travel in every way and are found nowhere: not in logs, stores, answers or pages.

Two keys that are easy to find go wherever a client may put one, also where it should not, at the
level debug and with everything failing that can fail. Afterwards all that was written is searched.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from gevent.pool import Pool

from poeflask.simulator.faults import FAULTS
from tests.live.conftest import Simulator, serving
from tests.live.dialects import DIALECTS, MAKERS
from tests.raw_requests import FRAMING, ask

KEY = "canary-7f3a9c51e2b84d60"
PASSWORD = "canary-5d0b6e8a1c2f4793"
LOCAL_KEY = "canary-c3e17a90b5d2486f"
SECRETS = (KEY, PASSWORD, LOCAL_KEY)

HEADERS = (
    {"Authorization": f"Bearer {KEY}"},
    {"Authorization": f"bearer  {KEY} "},
    {"Authorization": KEY},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": f"Bearer {KEY}\xe4"},
    {"Authorization": f"Bearer {KEY} {KEY}"},
    {"Authorization": f"Bearer {KEY * 40}"},
    {"x-api-key": KEY},
    {"xi-api-key": KEY},
    {"x-goog-api-key": KEY},
    {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
    {"Authorization": f"Bearer {KEY}", "x-request-id": "mine-12345678"},
)
PATHS = ("/v1/models", "/v1beta/models", "/api/tags", "/v1/files", "/v1/responses/a", "/nowhere")


@dataclass(frozen=True)
class Sinks:
    """All that was written.

    Attributes:
        answers: what clients were told.
        log: standard output and error.
        folder: where state is kept.
    """

    answers: list[str]
    log: str
    folder: Path


@pytest.fixture(scope="module")
def sinks(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    """What is left when the keys have been everywhere."""
    folder = tmp_path_factory.mktemp("canary")
    with serving(
        simulator,
        folder,
        POEFLASK_FIRST_EVENT_WAIT_S="5",
        POEFLASK_IDLE_TIMEOUT_S="1",
        POEFLASK_RETRY_WAIT_MAX_S="1",
        POEFLASK_LOCAL_KEY=LOCAL_KEY,
        POEFLASK_LOG_FORMAT="json",
        GUNICORN_CMD_ARGS="--log-level=debug",
    ) as live:
        answers = [
            *_plain(live.url),
            *_faulty(live.url),
            *_kept(live.url),
            *_raw(live.port),
            *_simulated(simulator),
        ]
        yield Sinks(answers, live.log.read_text(), folder)


def _told(answer: requests.Response) -> str:
    return f"{answer.headers}\n{answer.text}"


def _plain(url: str) -> list[str]:
    """Every header on every path, and the key in the query."""
    told = [
        _told(requests.get(url + path, headers=headers, timeout=20))
        for path in PATHS
        for headers in HEADERS
    ]
    queries = [f"{path}?key={KEY}" for path in PATHS]
    return told + [_told(requests.get(url + path, timeout=20)) for path in queries]


def _faulty(url: str) -> list[str]:
    """Every fault, and bots that answer, through an API each."""
    asked = [
        (bot.name, dialect)
        for number, bot in enumerate(FAULTS)
        for dialect in (DIALECTS[number % len(DIALECTS)], MAKERS[number % len(MAKERS)])
    ]
    asked += [("Echo", dialect) for dialect in DIALECTS]
    small = {"poe": {"words": 10, "letters": 10, "first_ms": 0}}
    seen = Pool(16).map(lambda one: one[1].ask(url, one[0], stream=True, key=KEY, **small), asked)
    return [one.text for one in seen]


def _kept(url: str) -> list[str]:
    """What is stored: files, an upload to Poe, a remembered answer, a request without a key."""
    bearer = {"Authorization": f"Bearer {KEY}"}
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(50)).decode()
    parts = [
        {"type": "text", "text": "hi"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    message = {"role": "user", "content": parts}
    file = {"file": ("a.txt", b"hello")}
    return [
        _told(requests.post(url + path, headers=bearer, timeout=20, **sent))  # type: ignore[arg-type]
        for path, sent in (
            ("/v1/files", {"files": file, "data": {"purpose": "user_data"}}),
            ("/v1/chat/completions", {"json": {"model": "Echo", "messages": [message]}}),
            ("/v1/responses", {"json": {"model": "Echo", "input": "hi"}}),
            ("/v1/videos", {"json": {"model": "Echo", "prompt": "hi"}}),
            ("/v1/conversations", {"json": {}}),
            ("/v1/chat/completions", {"data": gzip.compress(b"{}")}),
            ("/v1/chat/completions", {"data": b"[" * 5000}),
            ("/v1/chat/completions", {"data": b"\xff"}),
        )
    ] + [
        _told(
            requests.post(
                f"{url}/api/chat",
                json={
                    "model": bot,
                    "stream": False,
                    "messages": [{"role": "user", "content": "a"}],
                },
                timeout=20,
            )
        )
        for bot in ("Echo", "Http-401", "Internal-Error")
    ]


def _raw(port: int) -> list[str]:
    """Odd bytes with the key in them; and a key in a line that is no header at all.

    The server shows a wrong line to whoever sent it, so that what it answers to them is left out.
    """
    for line in (f"Authorization: Bearer {KEY}", f"GET / {KEY}", f"GET /?key={KEY}&a b HTTP/1.1"):
        assert (400,) == ask(port, f"{line}\r\n\r\n".encode()).statuses
    odd = [raw.sent.replace(b"Bearer k", f"Bearer {KEY}".encode()) for raw in FRAMING]
    heard = Pool(16).map(lambda sent: ask(port, sent), odd)
    return [one.text.decode("latin-1") for one in heard]


def _simulated(simulator: Simulator) -> list[str]:
    """What the simulator tells of its visitors."""
    pages = ("queries", "uploads", "connections")
    return [requests.get(f"{simulator.url}/simulator/{page}", timeout=20).text for page in pages]


def found_in(content: bytes | str) -> set[str]:
    """The secrets that stand there, as they are or as base64."""
    held = content if isinstance(content, bytes) else content.encode()
    forms = {
        secret: (secret.encode(), secret[7:].encode(), base64.b64encode(secret.encode())[:20])
        for secret in SECRETS
    }
    return {secret for secret, ways in forms.items() if any(way in held for way in ways)}


def test_the_search_would_find_one() -> None:
    """It is no search that cannot fail."""
    assert {KEY} == found_in(json.dumps({"a": f"x{KEY}"}))
    assert {KEY} == found_in(base64.b64encode(KEY.encode()))


def test_no_answer_holds_a_key(sinks: Sinks) -> None:
    """Neither good ones nor errors, nor pages of the server."""
    assert len(sinks.answers) > 300
    assert [] == [answer for answer in sinks.answers if found_in(answer)]


def test_no_log_line_holds_a_key(sinks: Sinks) -> None:
    """At the level debug, with every kind of failure in it."""
    assert sinks.log.count("\n") > 300
    assert [] == [line for line in sinks.log.splitlines() if found_in(line)]


def test_no_file_holds_a_key(sinks: Sinks) -> None:
    """The store, what is kept beside it, and the log itself."""
    files = [path for path in sinks.folder.rglob("*") if path.is_file()]

    assert {"store.db", "poeflask.log"} <= {path.name for path in files}
    assert [] == [path for path in files if found_in(path.read_bytes())]
