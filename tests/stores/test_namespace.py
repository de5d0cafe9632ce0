"""A namespace keeps typed values apart and decides what an unreachable store means."""

from dataclasses import asdict, dataclass

import pytest
import structlog

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace
from poeflask.stores.sqlite import SqliteStore


@dataclass(frozen=True)
class Upload:
    url: str
    bytes: int


def uploads(store, **more):
    """A corner for uploads."""
    options = {"unreachable": "forget", "ttl_s": 60.0, **more}
    return Namespace(
        store, "uploads", dump=asdict, load=lambda content: Upload(**content), **options
    )


@pytest.fixture
def broken(tmp_path):
    """A store that cannot be reached."""
    (tmp_path / "file").write_text("")
    return SqliteStore(tmp_path / "file" / "store.db", patience_s=0)


def test_values_keep_their_type():
    """What is put is got, equal and of the same class."""
    corner = uploads(MemoryStore())
    corner.put("k", Upload("https://é.example", 3))

    assert corner.get("k") == Upload("https://é.example", 3)
    assert corner.get("other") is None


def test_corners_do_not_see_each_other():
    """The same key in two corners is two values; keys come without the corner's name."""
    store = MemoryStore()
    one, two = uploads(store), Namespace(store, "up", unreachable="forget", dump=str, load=str)
    one.put("k", Upload("u", 1))
    two.put("k", "text")
    one.delete("other")

    assert (one.get("k"), two.get("k")) == (Upload("u", 1), "text")
    assert list(two.keys()) == ["k"]
    one.delete("k")
    assert list(one.keys()) == []


def test_the_corners_time_holds_unless_another_is_given():
    """Values end by themselves, counters too."""
    now_s = [0.0]
    corner = uploads(MemoryStore(clock=lambda: now_s[0]))
    corner.put("k", Upload("u", 1))
    corner.put("long", Upload("u", 1), ttl_s=600)
    corner.add("n", 1)
    now_s[0] = 61.0

    assert list(corner.keys()) == ["long"]
    assert corner.add("n", 2) == 2


def test_a_corner_that_forgets_goes_on_without_its_store(broken):
    """Nothing is found, nothing is kept, nobody is troubled, and the log tells."""
    corner = uploads(broken)
    with structlog.testing.capture_logs() as lines:
        corner.put("k", Upload("u", 1))
        corner.delete("k")

        assert corner.get("k") is None
        assert corner.add("n", 3) == 3
        assert list(corner.keys()) == []
    assert {(line["event"], line["namespace"]) for line in lines} == {
        ("store_unreachable", "uploads")
    }
    assert len(lines) == 5


@pytest.mark.parametrize(
    "act",
    [
        lambda corner: corner.get("k"),
        lambda corner: corner.put("k", Upload("u", 1)),
        lambda corner: corner.delete("k"),
        lambda corner: corner.add("k", 1),
        lambda corner: list(corner.keys()),
    ],
)
def test_a_corner_that_refuses_does_not_guess(broken, act):
    """Whatever is asked, the client is told to come again."""
    with pytest.raises(OwnError) as caught:
        act(uploads(broken, unreachable="refuse"))

    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.BUSY, 1.0)
