"""Kept files belong to whoever brought them, and are bounded."""

from __future__ import annotations

from itertools import count

import pytest
import structlog

from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.core.kept_file import KeptFile
from poeflask.core.prompt import File
from poeflask.stores.contents import MemoryContents
from poeflask.stores.kept_files import Bounds, KeptFiles
from poeflask.stores.memory import MemoryStore

NOTE = {"name": "note.txt", "content_type": "text/plain", "purpose": "user_data"}


class World:
    """Kept files over a clock that a test may change."""

    def __init__(self, *, room: int = 1000, **bounds: float) -> None:
        self.now_s = 1000.0
        self.store = MemoryStore(clock=lambda: self.now_s)
        self.contents = MemoryContents(max_bytes=room, clock=lambda: self.now_s)
        numbers = count(1)
        self.files = KeptFiles(
            self.store,
            self.contents,
            bounds=Bounds(**{"ttl_s": 500.0, **bounds}),  # type: ignore[arg-type] # a mix of both
            clock=lambda: self.now_s,
            new_id=lambda prefix: f"{prefix}{next(numbers)}",
        )

    def keep(self, owner: str = "mine", content: bytes = b"hello", **more: float) -> KeptFile:
        """Keep a note."""
        self.now_s += 1
        return self.files.keep(owner, content, **{**NOTE, **more})  # type: ignore[arg-type] # as above


def test_a_file_is_found_by_its_owner():
    """With all that was said of it, its content, and as a prompt wants it."""
    world = World()
    kept = world.keep()

    assert ("file-1", "note.txt", 5, 1001.0, 1501.0) == (
        kept.id,
        kept.name,
        kept.size,
        kept.created_s,
        kept.end_s,
    )
    assert kept == world.files.find("mine", "file-1")
    assert b"hello" == world.files.content("mine", "file-1")
    assert File(
        base64="aGVsbG8=", content_type="text/plain", name="note.txt"
    ) == world.files.lookup("mine", "file-1")


def test_nobody_else_finds_it():
    """Another owner's file is no file, whatever is asked."""
    world = World()
    kept = world.keep()

    assert world.files.find("other", kept.id) is None
    assert world.files.content("other", kept.id) is None
    assert world.files.lookup("other", kept.id) is None
    assert not world.files.forget("other", kept.id)
    assert [] == world.files.all("other")
    assert [kept] == world.files.all("mine")


def test_what_is_forgotten_is_gone():
    """Its record and its content; a second time there is nothing to forget."""
    world = World()
    kept = world.keep()

    assert world.files.forget("mine", kept.id)
    assert not world.files.forget("mine", kept.id)
    assert world.files.lookup("mine", kept.id) is None
    assert world.contents.get(kept.id) is None


def test_files_are_listed_oldest_first():
    """In the order in which they came."""
    world = World()
    kept = [world.keep() for _ in range(12)]

    assert kept == world.files.all("mine")


def test_a_file_ends_when_it_was_to_end():
    """The client's time counts if it is shorter than ours."""
    world = World()
    short, long = world.keep(ttl_s=100), world.keep(ttl_s=10**6)
    world.now_s = short.end_s

    assert [long] == world.files.all("mine")
    assert 500 == long.end_s - long.created_s
    world.now_s = long.end_s
    assert [] == world.files.all("mine")


@pytest.mark.parametrize("bounds", [{"files": 2}, {"bytes": 12}])
def test_an_owner_may_keep_so_much(bounds):
    """Then the error says what to do; others are not concerned."""
    world = World(**bounds)
    world.keep()
    world.keep()
    with pytest.raises(ClientError, match=r"Delete some first\.") as caught:
        world.keep()
    world.keep("other")
    world.files.forget("mine", "file-1")

    assert "storage_limit_exceeded" == caught.value.code
    assert world.keep() in world.files.all("mine")


def test_a_full_place_is_our_fault():
    """No record of a file without content stays."""
    world = World(room=7)
    world.keep()
    with structlog.testing.capture_logs() as lines, pytest.raises(OwnError) as caught:
        world.keep("other")

    assert ErrorKind.BUSY == caught.value.kind
    assert [] == world.files.all("other")
    assert ["contents_unreachable"] == [line["event"] for line in lines]


def test_a_record_without_its_content_is_no_file_for_a_prompt():
    """Memory of another worker, or a folder that was emptied by hand."""
    world = World()
    kept = world.keep()
    world.contents.delete(kept.id)

    assert world.files.lookup("mine", kept.id) is None
    assert world.files.content("mine", kept.id) is None
