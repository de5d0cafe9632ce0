"""The usage ledger in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from poeflask.core.ledger_row import LedgerRow, RowFilter
from poeflask.core.tally import whole
from poeflask.stores.base import Store, StoreUnavailable
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.memory import MemoryStore
from poeflask.stores.sqlite import SqliteStore
from tests.core.ledger_rows import ROW

NOW_S = 1_800_000_000.0
HOUR_S = 3600.0


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


class Away(MemoryStore):
    """A store that cannot be reached."""

    def write(self, puts: object) -> None:
        raise StoreUnavailable("The store is away.")


class Trimmed(MemoryStore):
    """A store that counts how often somebody wanted to look after its ledger."""

    trims = 0

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        self.trims += 1
        return super().add(key, amount, ttl_s)


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """Each store, empty."""
    made: Store = (
        MemoryStore(clock=clock)
        if request.param == "memory"
        else SqliteStore(tmp_path / "store.db", clock=clock)
    )
    yield made
    while MADE:
        MADE.pop().close()
    made.close()


MADE: list[Ledger] = []
"""The ledgers of the test that runs."""


def ledger(store: Store, clock: Clock, worker: str = "w1", **bounds: float) -> Ledger:
    """The ledger as one worker has it."""
    made = Ledger(
        store,
        worker=worker,
        bounds=LedgerBounds(**bounds),  # type: ignore[arg-type]
        clock=clock,
    )
    MADE.append(made)
    return made


def added(to: Ledger, time_s: float = NOW_S, **changed: object) -> LedgerRow:
    """A row that the ledger has taken."""
    row = replace(ROW, id=to.new_id(time_s), time_s=time_s, **changed)  # type: ignore[arg-type]
    to.add(row)
    return row


def test_rows_come_back_newest_first(store: Store, clock: Clock) -> None:
    """Whichever worker wrote them, and whenever."""
    one, two = ledger(store, clock, "w1"), ledger(store, clock, "w2")
    rows = [
        added(one, NOW_S),
        added(two, NOW_S - 10),
        added(one, NOW_S - 20),
        added(two, NOW_S - 9.999),
    ]
    one.flush()
    two.flush()

    assert [rows[0], rows[3], rows[1], rows[2]] == one.rows().rows
    assert rows[2] == two.row(rows[2].id)
    assert None is two.row("0-nobody")


def test_rows_are_paged(store: Store, clock: Clock) -> None:
    """Each page begins behind the one before, also where many rows have the same time."""
    made = ledger(store, clock)
    rows = [added(made) for _ in range(7)]
    made.flush()
    first = made.rows(limit=3)
    second = made.rows(limit=3, after=first.next)
    third = made.rows(limit=3, after=second.next)

    assert {row.id for row in rows} == {row.id for row in first.rows + second.rows + third.rows}
    assert (3, 3, 1, "") == (len(first.rows), len(second.rows), len(third.rows), third.next)


def test_rows_are_filtered(store: Store, clock: Clock) -> None:
    """By all that a filter names at once."""
    made = ledger(store, clock)
    added(made, NOW_S - 100)
    wanted = added(made, NOW_S - 50, outcome="busy", key_id="key-2")
    added(made, NOW_S - 50, key_id="key-2")
    added(made, NOW_S - 10, outcome="busy", key_id="key-2")
    made.flush()
    asked = RowFilter(since_s=NOW_S - 60, until_s=NOW_S - 20, key_id="key-2", outcome="error")

    assert [wanted] == made.rows(asked).rows == list(made.all_rows(asked))


def test_workers_counts_are_added_up(store: Store, clock: Clock) -> None:
    """By minute, hour and day."""
    one, two = ledger(store, clock, "w1"), ledger(store, clock, "w2")
    for time_s in (NOW_S, NOW_S + 1, NOW_S - HOUR_S):
        added(one, time_s)
        added(two, time_s)
    one.flush()
    two.flush()
    added(one, NOW_S)
    one.flush()

    def counts(unit: str) -> list[int]:
        found = one.buckets(unit, since_s=NOW_S - 2 * HOUR_S, until_s=NOW_S + HOUR_S)  # type: ignore[arg-type]
        return [whole(bucket.tallies.values()).requests for bucket in found]

    assert [2, 5] == counts("minute") == counts("hour")
    assert 7 == sum(counts("day"))


def test_a_stretch_has_two_ends(store: Store, clock: Clock) -> None:
    """From the stretch in which the first lies to before the second."""
    made = ledger(store, clock)
    for hours in range(4):
        added(made, NOW_S + hours * HOUR_S)
    made.flush()
    found = made.buckets("hour", since_s=NOW_S + HOUR_S + 5, until_s=NOW_S + 3 * HOUR_S)

    assert [NOW_S + HOUR_S, NOW_S + 2 * HOUR_S] == [bucket.start_s for bucket in found]


def test_what_ends_long_after_it_began_is_counted_when_it_began(store: Store, clock: Clock) -> None:
    """Also when the worker had closed that hour's sum."""
    made = ledger(store, clock)
    added(made, NOW_S)
    made.flush()
    clock.now_s += 5 * HOUR_S
    added(made, clock.now_s)
    made.flush()
    added(made, NOW_S)
    made.flush()
    found = made.buckets("hour", since_s=NOW_S, until_s=NOW_S + 1)

    assert [2] == [whole(bucket.tallies.values()).requests for bucket in found]


def test_rows_are_written_by_themselves(store: Store, clock: Clock) -> None:
    """Within less than a second, and all that waits at once."""
    made = ledger(store, clock)
    rows = [added(made) for _ in range(3)]

    assert [] == made.rows().rows
    gevent.sleep(0.8)
    assert {row.id for row in rows} == {row.id for row in made.rows().rows}


def test_a_ledger_that_is_closed_leaves_the_store_alone(clock: Clock) -> None:
    """All is written by then, and the greenlet that would have looked after it is off."""
    store = Trimmed(clock=clock)
    for is_closed in (False, True):
        made = ledger(store, clock, worker=f"w{is_closed}")
        added(made)
        if is_closed:
            made.close()
        gevent.sleep(0.8)

        assert 1 == store.trims
    assert 2 == len(made.rows().rows)


def test_rows_have_an_end(store: Store, clock: Clock) -> None:
    """Their own; the sums live longer."""
    made = ledger(store, clock, rows_ttl_s=HOUR_S)
    added(made)
    made.flush()
    clock.now_s += 2 * HOUR_S

    assert [] == made.rows().rows
    assert 1 == len(made.buckets("hour", since_s=NOW_S, until_s=NOW_S + 1))


def test_too_many_rows_are_trimmed(store: Store, clock: Clock) -> None:
    """The oldest go, by whole hours; the sums stay."""
    made = ledger(store, clock, rows=5)
    kept = [added(made, NOW_S) for _ in range(3)]
    for hours in (1, 2, 3):
        added(made, NOW_S - hours * HOUR_S)
        added(made, NOW_S - hours * HOUR_S)
    made.flush()

    assert 4 == made.trim()
    left = made.rows().rows
    assert 5 == len(left)
    assert {row.id for row in kept} <= {row.id for row in left}
    assert 0 == made.trim()
    assert 4 == len(made.buckets("hour", since_s=NOW_S - 9 * HOUR_S, until_s=NOW_S + 1))


def test_the_ledger_is_looked_after_by_itself(store: Store, clock: Clock) -> None:
    """Once an hour, by one worker."""
    made = ledger(store, clock, rows=1)
    for hours in (0, 1, 2):
        added(made, NOW_S - hours * HOUR_S)
    gevent.sleep(0.8)

    assert 1 == len(made.rows().rows)


def test_points_replace_an_estimate(store: Store, clock: Clock) -> None:
    """In the row and in the sums, whoever wrote them."""
    one, two = ledger(store, clock, "w1"), ledger(store, clock, "w2")
    row = added(one, points=2.5, points_estimated=True)
    one.flush()
    two.charge(row, 7.0)
    two.flush()
    (hour,) = two.buckets("hour", since_s=NOW_S, until_s=NOW_S + 1)
    (tally,) = hour.tallies.values()

    assert [replace(row, points=7.0, points_estimated=False)] == one.rows().rows
    assert (1, 7.0, 0.0) == (tally.requests, tally.points, tally.points_estimated)


def test_a_store_that_is_away_costs_rows_and_nothing_else(clock: Clock) -> None:
    """What was lost is told."""
    lost: list[int] = []
    made = Ledger(
        Away(clock=clock), worker="w", bounds=LedgerBounds(), clock=clock, lost=lost.append
    )
    added(made)
    added(made)
    made.flush()

    assert [2] == lost


def test_what_was_lost_still_counts(clock: Clock) -> None:
    """The sums are written when the store is back."""
    store = MemoryStore(clock=clock)
    made = ledger(Away(clock=clock), clock)
    added(made)
    made.flush()
    made._store = store
    added(made)
    made.flush()
    (hour,) = made.buckets("hour", since_s=NOW_S, until_s=NOW_S + 1)

    assert (1, 2) == (len(made.rows().rows), whole(hour.tallies.values()).requests)


def test_what_waits_has_a_limit(clock: Clock) -> None:
    """A store that hangs does not fill the worker's memory."""
    lost: list[int] = []
    made = Ledger(
        MemoryStore(clock=clock), worker="w", bounds=LedgerBounds(), clock=clock, lost=lost.append
    )
    for _ in range(10_003):
        made.add(ROW)

    assert [1, 1, 1] == lost
