"""Points of Poe's own record, in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import structlog

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.memory import MemoryStore
from poeflask.web.doorkeeper import owner_of
from poeflask.web.metering import own_id
from poeflask.web.points_matcher import PointsMatcher
from tests.core.ledger_rows import ROW

NOW_S = 1_800_000_000.0


def entry(number: int, seconds: float, points: int) -> dict[str, Any]:
    """An entry of Poe's record, so many seconds ago."""
    return {
        "creation_time": int((NOW_S - seconds) * 1_000_000),
        "bot_name": "Echo",
        "query_id": f"q-{number}",
        "usage_type": "API",
        "cost_points": points,
    }


class Poe:
    """Poe's record of each key, two entries a page."""

    def __init__(self, **records: list[dict[str, Any]]) -> None:
        self.records = records
        self.asked: list[tuple[str, str]] = []

    def __call__(self, key: str, *, limit: int, after: str) -> list[dict[str, Any]]:
        self.asked.append((key, after))
        if key not in self.records:
            raise PoeError(ErrorKind.BAD_KEY, "No.")
        ids = [one["query_id"] for one in self.records[key]]
        start = ids.index(after) + 1 if after else 0
        return self.records[key][start : start + 2]


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore(clock=lambda: NOW_S)


@pytest.fixture
def ledger(store: MemoryStore) -> Ledger:
    """An empty ledger."""
    return Ledger(store, worker="w", bounds=LedgerBounds(), clock=lambda: NOW_S)


def matcher(ledger: Ledger, store: MemoryStore, poe: Poe, *keys: str) -> PointsMatcher:
    """Matches for the owner's keys."""
    return PointsMatcher(ledger, store, history=poe, keys=lambda: keys, clock=lambda: NOW_S)


def fill(ledger: Ledger, *seconds: float, **changed: Any) -> None:
    """Rows that came so many seconds ago."""
    for ago in seconds:
        time_s = NOW_S - ago
        row = replace(ROW, id=ledger.new_id(time_s), time_s=time_s, first_token_s=0.1, **changed)
        ledger.add(row)
    ledger.flush()


def points(ledger: Ledger) -> list[float | None]:
    """What each row cost, the newest first."""
    return [row.points for row in ledger.rows().rows]


def test_rows_learn_what_they_cost(ledger: Ledger, store: MemoryStore) -> None:
    """From the record of every key, page by page; an estimate gives way."""
    fill(ledger, 10, 200, 300, points=1.0, points_estimated=True)
    poe = Poe(a=[entry(1, 10, 70), entry(2, 200, 80), entry(4, 9000, 1)], b=[entry(3, 300, 90)])

    assert 3 == matcher(ledger, store, poe, "a", "b").match()
    assert [70.0, 80.0, 90.0] == points(ledger)
    assert ("a", "q-2") in poe.asked


def test_an_entry_is_used_once(ledger: Ledger, store: MemoryStore) -> None:
    """Also when another row that fits comes later."""
    fill(ledger, 20)
    poe = Poe(a=[entry(1, 20, 70)])
    made = matcher(ledger, store, poe, "a")
    made.match()
    fill(ledger, 19)

    assert 0 == made.match()
    assert [None, 70.0] == points(ledger)


def test_clients_own_keys_are_not_asked_about(ledger: Ledger, store: MemoryStore) -> None:
    """Nobody keeps them."""
    fill(ledger, 10, key_id="own-1")
    poe = Poe(a=[entry(1, 10, 70)])

    assert 0 == matcher(ledger, store, poe, "a").match()
    assert ([], [None]) == (poe.asked, points(ledger))


def test_the_owner_s_own_key_is_known(ledger: Ledger, store: MemoryStore) -> None:
    """Where it serves requests that bring none."""
    fill(ledger, 10, key_id=own_id(owner_of("a")))

    assert 1 == matcher(ledger, store, Poe(a=[entry(1, 10, 70)]), "a").match()


def test_a_poe_that_does_not_tell_is_no_trouble(ledger: Ledger, store: MemoryStore) -> None:
    """The other keys are asked all the same; the log names no key."""
    fill(ledger, 10)
    poe = Poe(b=[entry(1, 10, 70)])
    with structlog.testing.capture_logs() as log:
        matcher(ledger, store, poe, "canary-bad", "b").match()

    assert [70.0] == points(ledger)
    assert ["points_not_told"] == [line["event"] for line in log]
    assert "canary" not in str(log)
