"""Finds out from Poe's own record what answers cost that the owner's keys paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any, Protocol

import gevent

from poeflask.core.errors import PoeflaskError
from poeflask.core.ledger_row import LedgerRow, RowFilter
from poeflask.core.points import REACH_S, Spent, match, spent_of
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store, StoreUnavailable
from poeflask.stores.ledger import Ledger
from poeflask.web.doorkeeper import owner_of
from poeflask.web.metering import OWN, own_id

_log = get_logger(__name__)

_CLAIM = "points:1/matching"
_EVERY_S = 60.0
_BACK_S = 900.0
"""How old the rows may be that are looked at. Poe's record has an entry within moments; it is read
again for a while, for when Poe could not be reached."""

_MOST_PAGES = 5
_MOST_ROWS = 2000


class History(Protocol):
    """Asks Poe what a key was charged for, the newest first, a page at a time."""

    def __call__(self, key: str, *, limit: int, after: str) -> list[dict[str, Any]]: ...


class PointsMatcher:
    """Matches rows of the ledger with Poe's record, for all workers together.

    Args:
        ledger: whose rows want to know their points.
        store: where workers agree who of them looks.
        history: asks Poe.
        keys: the owner's own keys of Poe's, as they are now.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        *,
        history: History,
        keys: Callable[[], Sequence[str]],
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._history = history
        self._keys = keys
        self._clock = clock

    def follow(self) -> gevent.Greenlet:
        """Match again and again in a greenlet, whenever no other worker has for a minute."""
        return gevent.spawn(self._follow)

    def match(self) -> int:
        """Match what is known now; gives how many rows learned their points.

        Raises:
            StoreUnavailable: the ledger cannot be read or written.
        """
        since_s = self._clock() - _BACK_S
        keys = self._keys()
        own_ids = {own_id(owner_of(key)) for key in keys}
        page = self._ledger.rows(RowFilter(since_s=since_s), limit=_MOST_ROWS)
        rows = [row for row in page.rows if _wants_points(row, own_ids)]
        if not rows:
            return 0
        entries = [entry for key in keys for entry in self._entries(key, since_s)]
        known = {row.id: row for row in rows}
        found = match(rows, self._new(entries))
        for row_id, entry in found.items():
            self._ledger.charge(known[row_id], entry.points)
            self._store.put(_used(entry), b"1", 2 * _BACK_S)
        return len(found)

    def _follow(self) -> None:
        while True:
            gevent.sleep(_EVERY_S)
            try:
                if self._keys() and self._store.add(_CLAIM, 1, _EVERY_S - 1) == 1:
                    self.match()
            except StoreUnavailable as error:
                _log.warning("points_not_matched", reason=str(error))

    def _entries(self, key: str, since_s: float) -> list[Spent]:
        """What the key was charged for since then; nothing if Poe does not say."""
        found: list[Spent] = []
        after = ""
        try:
            for _ in range(_MOST_PAGES):
                page = self._history(key, limit=100, after=after)
                spent = [entry for entry in map(spent_of, page) if entry is not None]
                found += spent
                after = str(page[-1].get("query_id", "")) if page else ""
                if not after or any(entry.time_s < since_s - REACH_S for entry in spent):
                    break
        except PoeflaskError as error:
            _log.warning("points_not_told", kind=error.kind.value)
        return found

    def _new(self, entries: Iterable[Spent]) -> list[Spent]:
        """The entries that no row has had before."""
        return [entry for entry in entries if self._store.get(_used(entry)) is None]


def _wants_points(row: LedgerRow, own_ids: Set[str]) -> bool:
    """Whether Poe has charged one of the owner's keys for it: no other key of Poe's is known."""
    is_open = row.points is None or row.points_estimated
    is_ours = not row.key_id.startswith(OWN) or row.key_id in own_ids
    return is_open and is_ours and row.first_token_s is not None


def _used(entry: Spent) -> str:
    return f"points:1/used/{entry.id}"
