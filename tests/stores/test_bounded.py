"""A cache of bounded size."""

import pytest

from poeflask.core import json_text
from poeflask.stores.bounded import BoundedCache
from poeflask.stores.memory import MemoryStore


def run_at_once(work):
    """In place of a greenlet."""
    work()


def cache(store, max_bytes=20_000, clock=lambda: 0.0):
    """A cache in this store."""
    return BoundedCache(store, "c", max_bytes=max_bytes, clock=clock, spawn=run_at_once)


def kept_bytes(store):
    """How large everything in the store is."""
    return sum(len(key) + len(store.get(key)) for key in store.keys(""))


def test_what_is_put_is_found():
    """Values come back as they were, and what was never put is not there."""
    made = cache(MemoryStore())
    made.put("a", {"url": "x"})

    assert ({"url": "x"}, None) == (made.get("a"), made.get("b"))


def test_it_never_grows_beyond_its_bound():
    """However much is put, and the youngest is always there."""
    store = MemoryStore()
    made = cache(store)
    sizes = []
    for number in range(1000):
        made.put(f"key-{number}", {"url": "x" * 100})
        assert made.get(f"key-{number}") is not None
        sizes.append(kept_bytes(store))

    assert max(sizes) < 20_000
    assert max(sizes) > 5_000
    assert made.get("key-0") is None


def test_the_older_half_is_still_found():
    """What was put just before a turn outlives it."""
    made = cache(MemoryStore(), max_bytes=2_000)
    made.put("first", "x" * 300)
    made.put("second", "x" * 300)
    made.put("third", "x" * 300)

    assert ["x" * 300] * 3 == [made.get(key) for key in ("first", "second", "third")]


def test_another_process_follows():
    """Both look into the same halves, within a few seconds."""
    store, now = MemoryStore(), [0.0]
    mine, other = cache(store, 2_000), cache(store, 2_000, clock=lambda: now[0])
    other.get("anything")
    for number in range(20):
        mine.put(f"key-{number}", "x" * 300)
    now[0] = 10.0

    assert "x" * 300 == other.get("key-19")


@pytest.mark.parametrize("max_bytes", [0, 300])
def test_what_is_larger_than_a_half_is_not_kept(max_bytes):
    """It would push out everything else."""
    store = MemoryStore()
    cache(store, max_bytes).put("a", "x" * 300)

    assert [] == list(store.keys("c:0/"))
    assert len(json_text.write("x" * 300)) > 300
