"""A store in this process's own memory: for tests, and for one worker that may forget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from poeflask.stores.base import StoreUnavailable

_SWEEP_EVERY = 256


class _Entry(NamedTuple):
    value: bytes
    end_s: float | None


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
        self._entries: dict[str, _Entry] = {}
        self._bytes = 0
        self._writes = 0

    def get(self, key: str) -> bytes | None:
        entry = self._living(key)
        return None if entry is None else entry.value

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        self._write(key, _Entry(value, None if ttl_s is None else self._clock() + ttl_s))

    def delete(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry)

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        entry = self._living(key)
        if entry is None:
            self.put(key, b"%d" % amount, ttl_s)
            return amount
        total = int(entry.value) + amount
        self._write(key, entry._replace(value=b"%d" % total))
        return total

    def keys(self, prefix: str) -> Iterator[str]:
        for key in sorted(key for key in self._entries if key.startswith(prefix)):
            if self._living(key) is not None:
                yield key

    def close(self) -> None:
        """Nothing is held open."""

    def _living(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        return None if entry is None or self._has_ended(entry) else entry

    def _has_ended(self, entry: _Entry) -> bool:
        return entry.end_s is not None and entry.end_s <= self._clock()

    def _write(self, key: str, entry: _Entry) -> None:
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0:
            self._sweep()
        self.delete(key)
        self._make_room(_size(key, entry))
        self._entries[key] = entry
        self._bytes += _size(key, entry)

    def _sweep(self) -> None:
        for key in [key for key, entry in self._entries.items() if self._has_ended(entry)]:
            self.delete(key)

    def _make_room(self, wanted: int) -> None:
        if self._bytes + wanted <= self._max_bytes:
            return
        ends = {key: entry.end_s for key, entry in self._entries.items() if entry.end_s is not None}
        for key in sorted(ends, key=ends.__getitem__):
            self.delete(key)
            if self._bytes + wanted <= self._max_bytes:
                return
        raise StoreUnavailable(f"The store in memory is full: it may hold {self._max_bytes} bytes.")


def _size(key: str, entry: _Entry) -> int:
    return len(key) + len(entry.value)
