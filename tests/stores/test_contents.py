"""Contents in memory and in a folder keep the same promises."""

from __future__ import annotations

import os

import pytest

from poeflask.stores.base import StoreUnavailable
from poeflask.stores.contents import FolderContents, MemoryContents
from poeflask.stores.redis import RedisContents


@pytest.fixture
def now_s():
    """The time, as a list of one number that a test may change."""
    return [1000.0]


@pytest.fixture(params=["memory", "folder", "redis"])
def contents(request, tmp_path, now_s):
    """A place for 100 bytes, of each sort."""
    if request.param == "memory":
        return MemoryContents(max_bytes=100, clock=lambda: now_s[0])
    if request.param == "redis":
        url = request.getfixturevalue("empty_redis").url
        return RedisContents(url, max_bytes=100, clock=lambda: now_s[0])
    return FolderContents(tmp_path / "deep" / "files", max_bytes=100, clock=lambda: now_s[0])


def test_what_is_put_is_got_until_it_is_deleted(contents):
    """Bytes come back as they were; deleting twice does no harm."""
    contents.put("file-1", b"\x00\xff", 2000)
    contents.put("file-2", b"two", 2000)
    contents.delete("file-1")
    contents.delete("file-1")

    assert [None, b"two", None] == [contents.get(f"file-{n}") for n in (1, 2, 3)]


def test_there_is_room_for_so_many_bytes(contents):
    """What does not fit is refused whole; what is deleted makes room."""
    contents.put("a", b"x" * 60, 2000)
    with pytest.raises(StoreUnavailable, match="100 bytes"):
        contents.put("b", b"x" * 41, 2000)
    contents.put("b", b"x" * 40, 2000)
    contents.delete("a")
    contents.put("c", b"x" * 60, 2000)

    assert [None, 40, 60] == [(got := contents.get(n)) and len(got) for n in "abc"]


def test_what_has_ended_is_swept_away_by_the_next(contents, now_s):
    """It takes no room any more."""
    contents.put("a", b"x" * 90, 1500)
    now_s[0] = 1600.0
    contents.put("b", b"x" * 90, 2000)

    assert contents.get("a") is None
    assert 90 == len(contents.get("b"))


def test_a_folder_is_private_and_outlives_its_object(tmp_path):
    """Another process, or a later one, reads the same."""
    FolderContents(tmp_path / "files", max_bytes=100).put("a", b"kept", 9e9)

    assert b"kept" == FolderContents(tmp_path / "files", max_bytes=100).get("a")
    assert 0o700 == (tmp_path / "files").stat().st_mode & 0o777
    assert 0o600 == (tmp_path / "files" / "a").stat().st_mode & 0o777
    assert ["a"] == os.listdir(tmp_path / "files")


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".", "a.part", "ü", "a" * 129])
def test_a_folder_takes_no_name_that_leads_out_of_it(tmp_path, name):
    """Names are ids that were made here; anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="cannot be the name"):
        FolderContents(tmp_path, max_bytes=100).get(name)


def test_what_another_process_writes_is_left_alone_for_an_hour(tmp_path, now_s):
    """Then it is taken for a leftover."""
    folder = FolderContents(tmp_path, max_bytes=100, clock=lambda: now_s[0])
    (tmp_path / "other.part").write_bytes(b"half")
    os.utime(tmp_path / "other.part", (1000, 1000))
    folder.put("a", b"x", 1e6)
    kept = (tmp_path / "other.part").exists()
    now_s[0] = 1000.0 + 3601
    folder.put("b", b"x", 1e6)

    assert kept
    assert not (tmp_path / "other.part").exists()


def test_a_folder_that_cannot_be_written_is_said_to_be_so(tmp_path):
    """The error is the store's own; nothing half written stays."""
    (tmp_path / "files").write_text("")
    broken = FolderContents(tmp_path / "files", max_bytes=100)
    with pytest.raises(StoreUnavailable):
        broken.put("a", b"x", 9e9)
    with pytest.raises(StoreUnavailable):
        broken.get("a")
    with pytest.raises(StoreUnavailable):
        broken.delete("a")
