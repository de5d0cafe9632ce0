"""A store in this process's own memory: for tests, and for one worker that may forget."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from poeflask.stores.base import Claim, Put, StoreUnavailable, Taken
from poeflask.stores.claims import Kept, is_claimed, judge, summed, to_keep, without

_SWEEP_EVERY = 256


class MemoryStore:
    """Keeps everything in a dict. No method yields, so that greenlets cannot come between.

    Args:
        max_bytes: the most that keys and values may take together.
        clock: the time in seconds.
    """

    def __init__(
        self, *, max_bytes: int = 64 * 2**20, clock: Callable[[], float] = time.time
    ) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: dict[str, Kept] = {}
        self._bytes = 0
        self._writes = 0

    def get(self, key: str) -> bytes | None:
        entry = self._living(key)
        return None if entry is None else entry.value

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        self.write([Put(key, value, ttl_s)])

    def write(self, puts: Sequence[Put]) -> None:
        now_s = self._clock()
        self._write({put.key: to_keep(put, now_s) for put in puts})

    def delete(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry)

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        entry = self._living(key)
        total = summed(entry.value if entry else None, amount)
        if entry is None:
            self.put(key, b"%d" % total, ttl_s)
        else:
            self._write({key: entry._replace(value=b"%d" % total)})
        return total

    def keys(self, prefix: str) -> Iterator[str]:
        for key in sorted(key for key in self._entries if key.startswith(prefix)):
            if self._living(key) is not None:
                yield key

    def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
        start = prefix + after
        found = (
            (key, entry.value)
            for key, entry in self._entries.items()
            if key > start and key.startswith(prefix) and not self._has_ended(entry)
        )
        return heapq.nsmallest(limit, found)

    def take(self, claims: Sequence[Claim]) -> Taken:
        found = [self._living(claim.key) for claim in claims]
        taken, kept = judge(claims, found, self._clock())
        self._write(kept)
        return taken

    def give_back(self, key: str, holder: str) -> None:
        entry = self._living(key)
        if entry is not None:
            self._write({key: without(entry, holder)})

    def close(self) -> None:
        """Nothing is held open."""

    def _living(self, key: str) -> Kept | None:
        entry = self._entries.get(key)
        return None if entry is None or self._has_ended(entry) else entry

    def _has_ended(self, entry: Kept) -> bool:
        return entry.end_s is not None and entry.end_s <= self._clock()

    def _write(self, entries: Mapping[str, Kept | None]) -> None:
        """Keep all entries, in place of any others; None forgets one."""
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0:
            self._sweep()
        self._make_room(entries)
        for key, entry in entries.items():
            self.delete(key)
            if entry is not None:
                self._entries[key] = entry
                self._bytes += _size(key, entry)

    def _sweep(self) -> None:
        for key in [key for key, entry in self._entries.items() if self._has_ended(entry)]:
            self.delete(key)

    def _make_room(self, entries: Mapping[str, Kept | None]) -> None:
        """Let go of what ends soonest until the entries fit in place of those of the same keys."""
        replaced = {key: self._entries[key] for key in entries if key in self._entries}
        wanted = _sizes(entries) - _sizes(replaced)
        if self._bytes + wanted <= self._max_bytes:
            return
        ends = {
            key: entry.end_s
            for key, entry in self._entries.items()
            if entry.end_s is not None and key not in entries and not is_claimed(entry.value)
        }
        for key in sorted(ends, key=ends.__getitem__):
            self.delete(key)
            if self._bytes + wanted <= self._max_bytes:
                return
        raise StoreUnavailable(f"The store in memory is full: it may hold {self._max_bytes} bytes.")


def _sizes(entries: Mapping[str, Kept | None]) -> int:
    return sum(_size(key, entry) for key, entry in entries.items() if entry is not None)


def _size(key: str, entry: Kept) -> int:
    return len(key) + len(entry.value)
