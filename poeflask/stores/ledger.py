"""The usage ledger: a row for each request for an answer, and sums of them by minute and hour.

Rows wait in the worker for a moment and are written together. Each worker has sums of its own and
writes nobody else's, so that no two of them ever race; who reads adds them up.

    ledger:1/row/<time, counted down>-<worker><number>     a row; so the newest comes first
    ledger:1/minute/<start>/<worker><number>               what one worker counted in that minute
    ledger:1/hour/<start>/<worker><number>                 and in that hour
    ledger:1/trim                                          somebody has looked at the size

The ledger never stands in an answer's way: what a store that cannot be reached does not take is
lost and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import gevent
from gevent.lock import Semaphore

from poeflask.core import json_text
from poeflask.core.ledger_row import LedgerRow, RowFilter
from poeflask.core.tally import (
    Group,
    Tallies,
    count,
    merge,
    record_of,
    tallies_of,
    tally_for,
)
from poeflask.log_lines import get_logger
from poeflask.stores.base import Put, Store, StoreUnavailable

Unit = Literal["minute", "hour", "day"]

_log = get_logger(__name__)

_NAME = "ledger:1"
_ROWS = f"{_NAME}/row/"
_LENGTH_S: dict[Unit, int] = {"minute": 60, "hour": 3600, "day": 86_400}
_KEPT: tuple[Unit, ...] = ("minute", "hour")
_DAY_S = 86_400.0
_COUNTED_DOWN_FROM = 10**14
"""Milliseconds; the year 5138."""

_WRITE_AFTER_S = 0.5
_ROWS_AT_ONCE = 200
_MOST_WAITING = 10_000
_PAGE = 500
_MOST_LOOKED_AT = 50_000
"""Rows that one page of a filtered list may look at."""

_OPEN_S = 2 * 3600.0
"""How long after its end a stretch of time is still counted in: a long answer counts when it came.
What comes later begins a further sum, under a number of its own."""

_TRIM_EVERY_S = 3600.0
_TRIM_PAGES = 400


class Page(NamedTuple):
    """Rows, the newest first, and what `Ledger.rows` is asked with for the next; "" at the end."""

    rows: list[LedgerRow]
    next: str


class Bucket(NamedTuple):
    """What was counted in one stretch of time, by key and bot."""

    start_s: int
    tallies: Tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerBounds:
    """How much is kept.

    Attributes:
        rows_ttl_s: how long rows are kept.
        minutes_ttl_s: how long the sums of minutes are kept.
        hours_ttl_s: how long the sums of hours are kept.
        rows: how many rows at most; the oldest go first. Looked at about once an hour.
    """

    rows_ttl_s: float = 90 * _DAY_S
    minutes_ttl_s: float = 2 * _DAY_S
    hours_ttl_s: float = 400 * _DAY_S
    rows: int = 500_000


@dataclass(slots=True)
class _Open:
    """A sum that may still grow: its key in the store, and whether it has grown since."""

    key: str
    tallies: Tallies
    grown: bool = True


class Ledger:
    """The ledger as one worker writes it and everybody reads it.

    Args:
        store: where it is kept.
        worker: a name that no other process has or had.
        bounds: how much is kept.
        clock: seconds since 1970.
        lost: told how many rows could not be kept.
    """

    def __init__(
        self,
        store: Store,
        *,
        worker: str,
        bounds: LedgerBounds,
        clock: Callable[[], float],
        lost: Callable[[int], None] = lambda _rows: None,
    ) -> None:
        self._store = store
        self._worker = worker
        self._bounds = bounds
        self._clock = clock
        self._lost = lost
        self._number = 0
        self._waiting: list[LedgerRow] = []
        self._open: dict[tuple[Unit, int], _Open] = {}
        self._writer: gevent.Greenlet | None = None
        self._writing = Semaphore()
        self._trim_after_s = 0.0

    def new_id(self, time_s: float) -> str:
        """The id of a row of that time."""
        return f"{_place(time_s)}-{self._worker}{self._next()}"

    def add(self, row: LedgerRow) -> None:
        """Take a row; it is written within half a second. Never waits."""
        if len(self._waiting) >= _MOST_WAITING:
            self._lost(1)
            return
        self._waiting.append(row)
        for unit in _KEPT:
            count(self._sum(unit, row.time_s).tallies, row)
        self._write_soon()

    def flush(self) -> None:
        """Write all that waits, now."""
        # One at a time: else an older sum could be written over a younger one.
        with self._writing:
            while self._waiting or any(one.grown for one in self._open.values()):
                if not self._write():
                    return

    def close(self) -> None:
        """Write all that waits, and nothing by itself any more. To be called when a worker ends."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.kill(block=False)
        self.flush()

    def rows(self, wanted: RowFilter = RowFilter(), *, after: str = "", limit: int = 50) -> Page:  # noqa: B008 - frozen
        """Rows, the newest first.

        Args:
            wanted: which.
            after: the `next` of the page before.
            limit: how many at most. A page may hold fewer and still have a next: only so many
                rows are looked at for it.

        Raises:
            StoreUnavailable: here and in all that read.
        """
        found: list[LedgerRow] = []
        for looked_at, (place, row) in enumerate(self._from(wanted, after), start=1):
            if wanted.takes(row):
                found.append(row)
            if len(found) == limit or looked_at == _MOST_LOOKED_AT:
                return Page(found, place)
        return Page(found, "")

    def all_rows(self, wanted: RowFilter = RowFilter()) -> Iterator[LedgerRow]:  # noqa: B008 - frozen
        """Every row that is wanted, the newest first, read in pages as they are asked for."""
        return (row for _, row in self._from(wanted, "") if wanted.takes(row))

    def row(self, row_id: str) -> LedgerRow | None:
        """The row of that id, if it is kept."""
        value = self._store.get(_ROWS + row_id)
        return None if value is None else _read(value)

    def buckets(self, unit: Unit, *, since_s: float, until_s: float) -> list[Bucket]:
        """What was counted from then to then, by stretches of UTC, the oldest first.

        A stretch without any request is left out. Minutes are kept for two days only.
        """
        kept: Unit = "minute" if unit == "minute" else "hour"
        length_s = _LENGTH_S[unit]
        found: dict[int, Tallies] = {}
        for start_s, tallies in self._sums(kept, since_s, until_s):
            merge(found.setdefault(start_s - start_s % length_s, {}), tallies)
        return [Bucket(start_s, found[start_s]) for start_s in sorted(found)]

    def charge(self, row: LedgerRow, points: float) -> None:
        """Write down what Poe says that a row cost, in place of an estimate."""
        value = json_text.write(replace(row, points=points, points_estimated=False).record())
        self._store.put(_ROWS + row.id, value.encode(), self._left_s(row))
        group = Group(row.key_id, row.key_name, row.bot)
        for unit in _KEPT:
            tally = tally_for(self._sum(unit, row.time_s).tallies, group)
            tally.add_points(None if row.points is None else -row.points, row.points_estimated)
            tally.add_points(points, estimated=False)
        self._write_soon()

    def trim(self) -> int:
        """Delete the oldest rows if there are too many; gives how many were deleted."""
        cutoff_s = self._cutoff_s()
        if cutoff_s is None:
            return 0
        deleted = 0
        # What came in the first millisecond stays: the mark stands behind all letters of ids.
        older = f"{_place(cutoff_s)}~"
        for _ in range(_TRIM_PAGES):
            page = self._store.items(_ROWS, after=older, limit=_PAGE)
            if not page:
                break
            self._store.write([Put(key, None) for key, _ in page])
            deleted += len(page)
        return deleted

    def _cutoff_s(self) -> float | None:
        """The time before which rows are too many, to the hour; None if there are not."""
        now_s = self._clock()
        hours = self.buckets("hour", since_s=now_s - self._bounds.rows_ttl_s, until_s=now_s + 1)
        seen = 0
        for hour in reversed(hours):
            seen += sum(tally.requests for tally in hour.tallies.values())
            if seen > self._bounds.rows:
                return float(hour.start_s + _LENGTH_S["hour"])
        return None

    def _write_soon(self) -> None:
        if self._writer is None:
            self._writer = gevent.spawn_later(_WRITE_AFTER_S, self._write_all)

    def _write_all(self) -> None:
        """The body of the greenlet that writes; there is one only while something waits."""
        self._writer = None
        self.flush()
        try:
            self._trim_if_due()
        except StoreUnavailable as error:
            _log.warning("ledger_not_trimmed", reason=str(error))

    def _write(self) -> bool:
        """Write some rows and the sums that have grown; false if the store takes nothing."""
        rows, self._waiting = self._waiting[:_ROWS_AT_ONCE], self._waiting[_ROWS_AT_ONCE:]
        puts = [
            Put(_ROWS + row.id, json_text.write(row.record()).encode(), self._left_s(row))
            for row in rows
        ]
        grown = {unit: one for unit, one in self._open.items() if one.grown}
        for (unit, _), one in grown.items():
            one.grown = False
            value = json_text.write(record_of(one.tallies)).encode()
            puts.append(Put(one.key, value, self._ttl_s(unit)))
        self._forget_old()
        try:
            self._store.write(puts)
        except StoreUnavailable as error:
            _log.warning("ledger_not_written", rows=len(rows), reason=str(error))
            self._lost(len(rows))
            for one in grown.values():
                one.grown = True
            return False
        return True

    def _trim_if_due(self) -> None:
        if self._clock() < self._trim_after_s:
            return
        self._trim_after_s = self._clock() + _TRIM_EVERY_S
        if self._store.add(f"{_NAME}/trim", 1, _TRIM_EVERY_S) == 1:
            self.trim()

    def _sum(self, unit: Unit, time_s: float) -> _Open:
        start_s = int(time_s) - int(time_s) % _LENGTH_S[unit]
        found = self._open.get((unit, start_s))
        if found is None:
            key = f"{_NAME}/{unit}/{start_s:012d}/{self._worker}{self._next()}"
            found = self._open[unit, start_s] = _Open(key, {})
        found.grown = True
        return found

    def _forget_old(self) -> None:
        now_s = self._clock()
        for unit, start_s in list(self._open):
            if start_s + _LENGTH_S[unit] + _OPEN_S < now_s:
                del self._open[unit, start_s]

    def _from(self, wanted: RowFilter, after: str) -> Iterator[tuple[str, LedgerRow]]:
        """Rows of the wanted time and their places, from behind a place on."""
        if not after and wanted.until_s is not None:
            after = _place(wanted.until_s)
        while page := self._store.items(_ROWS, after=after, limit=_PAGE):
            for key, value in page:
                row = _read(value)
                if wanted.since_s is not None and row.time_s < wanted.since_s:
                    return
                yield key.removeprefix(_ROWS), row
            after = page[-1][0].removeprefix(_ROWS)

    def _sums(self, unit: Unit, since_s: float, until_s: float) -> Iterator[tuple[int, Tallies]]:
        prefix = f"{_NAME}/{unit}/"
        first_s = max(0, int(since_s) - int(since_s) % _LENGTH_S[unit])
        after = f"{first_s:012d}"
        while page := self._store.items(prefix, after=after, limit=_PAGE):
            for key, value in page:
                start_s = int(key.removeprefix(prefix).partition("/")[0])
                if start_s >= until_s:
                    return
                yield start_s, tallies_of(json_text.read(value))
            after = page[-1][0].removeprefix(prefix)

    def _left_s(self, row: LedgerRow) -> float:
        """How long the row is still kept."""
        return max(1.0, row.time_s + self._bounds.rows_ttl_s - self._clock())

    def _ttl_s(self, unit: Unit) -> float:
        return self._bounds.minutes_ttl_s if unit == "minute" else self._bounds.hours_ttl_s

    def _next(self) -> str:
        self._number += 1
        return f"-{self._number:x}"


def _place(time_s: float) -> str:
    """Where rows of that time begin: what is younger stands before it."""
    return f"{_COUNTED_DOWN_FROM - int(time_s * 1000):015d}"


def _read(value: bytes) -> LedgerRow:
    return LedgerRow.of_record(json_text.read(value))
