"""A store that tells how long it takes."""

from __future__ import annotations

from itertools import count

import pytest

from poeflask.stores.base import Lease, Put, StoreUnavailable
from poeflask.stores.memory import MemoryStore
from poeflask.stores.timed import TimedStore

Told = list[tuple[str, float, bool]]


def timed(store: MemoryStore, told: Told) -> TimedStore:
    """A store whose every operation takes one second."""
    ticks = count()
    return TimedStore(store, lambda *what: told.append(what), clock=lambda: float(next(ticks)))


def test_it_does_what_the_other_does_and_tells_of_it() -> None:
    """Each operation but the reading of keys, under its name."""
    told: Told = []
    store = timed(MemoryStore(), told)
    store.put("a", b"1")
    store.write([Put("b", b"2")])

    assert (b"1", 3) == (store.get("a"), store.add("n", 3))
    assert [("a", b"1"), ("b", b"2"), ("n", b"3")] == store.items("", limit=9)
    assert None is store.take([Lease("l", "h", 1, 9)]).refused
    store.give_back("l", "h")
    store.delete("a")
    assert ["b", "n"] == [key for key in store.keys("") if key != "l"]
    store.close()
    operations = ["put", "write", "get", "add", "items", "take", "give_back", "delete"]
    assert [(operation, 1.0, False) for operation in operations] == told


def test_failures_are_told_too() -> None:
    """And still raised."""
    told: Told = []
    store = timed(MemoryStore(max_bytes=1), told)

    with pytest.raises(StoreUnavailable):
        store.put("key", b"too large")
    assert [("put", 1.0, True)] == told
