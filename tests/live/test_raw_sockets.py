"""Odd bytes sent straight to gunicorn: each is answered once, rightly, and never runs on."""

from __future__ import annotations

import pytest
from gevent.pool import Pool

from tests.live.conftest import Live
from tests.raw_requests import FRAMING, Heard, Raw, ask


@pytest.fixture(scope="module")
def heard(live: Live) -> dict[str, Heard]:
    """What poeflask says to each, all asked together."""
    answers = Pool(16).map(lambda raw: ask(live.port, raw.sent), FRAMING)
    return dict(zip((raw.name for raw in FRAMING), answers, strict=True))


@pytest.mark.parametrize("raw", FRAMING, ids=lambda raw: raw.name)
def test_odd_bytes(heard: dict[str, Heard], raw: Raw) -> None:
    """They have their statuses, nothing hidden in them is answered, and the connection closes."""
    answer = heard[raw.name]

    assert raw.direct == answer.statuses
    assert b"\r\n\r\nok\n" not in answer.text
    assert answer.closed
