"""A namespace keeps values apart and decides what an unreachable store means."""

import pytest
import structlog

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.stores.base import Lease, Taken, Window
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.stores.sqlite import SqliteStore


@pytest.fixture
def broken(tmp_path):
    """A store that cannot be reached."""
    (tmp_path / "file").write_text("")
    return SqliteStore(tmp_path / "file" / "store.db", patience_s=0)


def test_values_are_json():
    """What JSON can say is got as it was put; what is not there is None."""
    corner = Namespace(MemoryStore(), "uploads", on_failure="forget")
    corner.put("k", {"url": "https://é.example", "bytes": [3, None, "\ud83d"]})

    assert corner.get("k") == {"url": "https://é.example", "bytes": [3, None, "\ud83d"]}
    assert corner.get("other") is None


def test_corners_do_not_see_each_other():
    """The same key in two corners is two values; keys come without the corner's name."""
    store = MemoryStore()
    one = Namespace(store, "uploads", on_failure="forget")
    two = Namespace(store, "up", on_failure="forget")
    one.put("k", 1)
    two.put("k", 2)
    one.delete("other")

    assert (one.get("k"), two.get("k")) == (1, 2)
    assert list(two.keys()) == ["k"]
    one.delete("k")
    assert list(one.keys()) == []


def test_values_and_numbers_end():
    """What is kept for a while is gone after it."""
    now_s = [0.0]
    corner = Namespace(MemoryStore(clock=lambda: now_s[0]), "n", on_failure="refuse")
    corner.put("short", 1, ttl_s=60)
    corner.put("long", 1, ttl_s=600)
    corner.add("n", 1, ttl_s=60)
    now_s[0] = 61.0

    assert list(corner.keys()) == ["long"]
    assert corner.add("n", 2, ttl_s=60) == 2


def test_items_and_claims_are_the_corners_own():
    """What is claimed in one corner is free in another; pages know short keys."""
    store = MemoryStore()
    one = Namespace(store, "one", on_failure="refuse")
    two = Namespace(store, "two", on_failure="refuse")
    claims = [Window("w", 1, 1, 60), Lease("l", "a", 1, 60)]
    taken = [corner.take(claims).refused for corner in (one, one, two)]
    two.give_back("l", "a")
    for key in "abc":
        two.put(key, [key])

    assert taken == [None, 0, None]
    assert two.items(after="a", limit=1) == [("b", ["b"])]
    assert two.items(after="b", limit=1) == [("c", ["c"])]
    assert store.get("one/l") is not None
    assert store.get("two/l") is None


def test_a_corner_that_forgets_goes_on_without_its_store(broken):
    """Nothing is found, nothing is kept, nobody is troubled, and the log tells."""
    corner = Namespace(broken, "uploads", on_failure="forget")
    with structlog.testing.capture_logs() as lines:
        corner.put("k", 1)
        corner.delete("k")

        assert corner.get("k") is None
        assert corner.add("n", 3) == 3
        assert list(corner.keys()) == []
        assert corner.items(limit=9) == []
        assert corner.take([Window("w", 1, 0, 60)]) == Taken(None, (0,))
        corner.give_back("l", "a")
    assert {(line["event"], line["namespace"]) for line in lines} == {
        ("store_unreachable", "uploads")
    }
    assert len(lines) == 8


@pytest.mark.parametrize(
    "act",
    [
        lambda corner: corner.get("k"),
        lambda corner: corner.put("k", 1),
        lambda corner: corner.delete("k"),
        lambda corner: corner.add("k", 1),
        lambda corner: list(corner.keys()),
        lambda corner: corner.items(limit=9),
        lambda corner: corner.take([Window("w", 1, 1, 60)]),
        lambda corner: corner.give_back("l", "a"),
    ],
)
def test_a_corner_that_refuses_does_not_guess(broken, act):
    """Whatever is asked, the client is told to come again."""
    with pytest.raises(OwnError) as caught:
        act(Namespace(broken, "keys", on_failure="refuse"))

    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.BUSY, 1.0)
