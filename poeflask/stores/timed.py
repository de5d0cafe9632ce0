"""A store that tells how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from poeflask.stores.base import Claim, Put, Store, StoreUnavailable, Taken

Told = Callable[[str, float, bool], None]
"""Hears which operation took how many seconds, and whether the store could not be reached."""


class TimedStore:
    """Another store, with somebody who hears how long each operation takes.

    Args:
        store: does the work.
        told: hears of it.
        clock: seconds that only go on.
    """

    def __init__(
        self, store: Store, told: Told, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._store = store
        self._told = told
        self._clock = clock

    def get(self, key: str) -> bytes | None:
        with self._timed("get"):
            return self._store.get(key)

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        with self._timed("put"):
            self._store.put(key, value, ttl_s)

    def write(self, puts: Sequence[Put]) -> None:
        with self._timed("write"):
            self._store.write(puts)

    def delete(self, key: str) -> None:
        with self._timed("delete"):
            self._store.delete(key)

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        with self._timed("add"):
            return self._store.add(key, amount, ttl_s)

    def keys(self, prefix: str) -> Iterator[str]:
        """As the other store's; not timed, since the reader's own time would be counted."""
        return self._store.keys(prefix)

    def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
        with self._timed("items"):
            return self._store.items(prefix, after=after, limit=limit)

    def take(self, claims: Sequence[Claim]) -> Taken:
        with self._timed("take"):
            return self._store.take(claims)

    def give_back(self, key: str, holder: str) -> None:
        with self._timed("give_back"):
            self._store.give_back(key, holder)

    def close(self) -> None:
        """Close the other store."""
        self._store.close()

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        began, failed = self._clock(), False
        try:
            yield
        except StoreUnavailable:
            failed = True
            raise
        finally:
            self._told(operation, self._clock() - began, failed)
