"""Wrong requests for pictures, sounds and films over HTTP: status, code and field of each."""

from __future__ import annotations

import pytest
import requests

from poeflask.core.form import Form
from tests.endpoints.audio.bad_requests import BAD_REQUESTS as AUDIO
from tests.endpoints.images.bad_requests import BAD_REQUESTS as IMAGES
from tests.endpoints.media_requests import Bad
from tests.endpoints.videos.bad_requests import BAD_REQUESTS as VIDEOS
from tests.live.conftest import Live


@pytest.fixture(scope="module")
def session() -> requests.Session:
    """One connection for all rows: an error must not break it."""
    with requests.Session() as made:
        made.headers["Authorization"] = "Bearer k"
        yield made


@pytest.mark.parametrize(
    "bad", [*IMAGES, *AUDIO, *VIDEOS], ids=lambda bad: f"{bad.path}: {bad.name}"
)
def test_a_wrong_request(live: Live, session: requests.Session, bad: Bad) -> None:
    """The error says in OpenAI's shape which field is wrong and what would be right."""
    answer = _post(session, f"{live.url}{bad.path}", bad.sent)
    error = answer.json()["error"]

    assert (400, "invalid_request_error", bad.code, bad.param) == (
        answer.status_code,
        error["type"],
        error["code"],
        error["param"],
    )
    assert bad.word in error["message"]


def _post(session: requests.Session, url: str, sent: object) -> requests.Response:
    if not isinstance(sent, Form):
        return session.post(url, json=sent, timeout=10)
    parts = [(key, (None, text)) for key, text in sent.texts]
    parts += [(file.key, (file.name, file.content, file.content_type)) for file in sent.files]
    return session.post(url, files=parts, timeout=10)
