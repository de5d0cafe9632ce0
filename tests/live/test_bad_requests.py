"""Wrong requests over HTTP: each row of the table has its status, type, code and param."""

from __future__ import annotations

import pytest
import requests

from tests.endpoints.chat.bad_requests import BAD_REQUESTS, BadRequest
from tests.live.conftest import Live

LIMIT = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def session() -> requests.Session:
    """One connection for all rows: an error must not break it."""
    with requests.Session() as made:
        made.headers["Authorization"] = "Bearer k"
        yield made


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(live: Live, session: requests.Session, bad: BadRequest) -> None:
    """The error says in OpenAI's shape which field is wrong and what would be right."""
    body = bad.sent + b" " * (LIMIT if bad.over_limit else 0)
    answer = session.post(
        f"{live.url}/v1/chat/completions", data=body, headers=dict(bad.headers), timeout=30
    )
    error = answer.json()["error"]

    assert (bad.status, bad.type, bad.code, bad.param) == (
        answer.status_code,
        error["type"],
        error["code"],
        error["param"],
    )
    assert bad.word.lower() in error["message"].lower()
