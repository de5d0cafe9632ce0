from hypothesis import given
from hypothesis import strategies as st

from poeflask.simulator.media import FILM, Media
from poeflask.simulator.shelf import SharedShelf, Shelf
from poeflask.stores.contents import FolderContents


def media(content):
    """A text file."""
    return Media(content, "text/plain", "a.txt")


def test_a_file_is_found_by_link_and_path():
    """What was put is found whatever host and query surround its path."""
    shelf, kept = Shelf(100), media(b"abc")
    shelf.put(kept)

    assert kept == shelf.at(kept.path)
    assert kept == shelf.at(f"https://elsewhere.example{kept.path}?w=1")
    assert shelf.at("https://elsewhere.example/other") is None


def test_the_longest_unused_goes_first():
    """A file that was looked at stays, the other makes room."""
    shelf, first, second, third = Shelf(6), media(b"111"), media(b"222"), media(b"333")
    shelf.put(first)
    shelf.put(second)
    shelf.at(first.path)
    shelf.put(third)

    assert [first, None, third] == [shelf.at(one.path) for one in (first, second, third)]


def test_what_is_too_large_is_not_kept():
    """A file over the whole shelf's size is dropped at once; nothing remains after clearing."""
    shelf = Shelf(2)
    shelf.put(media(b"111"))
    shelf.put(media(b"1"))

    assert shelf.at(media(b"111").path) is None
    assert shelf.at(media(b"1").path) is not None
    shelf.clear()
    assert shelf.at(media(b"1").path) is None


@given(st.lists(st.binary(max_size=8)), st.integers(0, 16))
def test_never_more_than_allowed(contents, most):
    """However files come, also several times, those that are found fit the shelf."""
    shelf = Shelf(most)
    for content in contents:
        shelf.put(media(content))

    kept = [shelf.at(media(content).path) for content in set(contents)]
    assert sum(len(one.content) for one in kept if one is not None) <= most


def test_shelves_share_what_either_was_given(tmp_path):
    """Of the same folder, at once and after one was made anew; until the time is over."""
    now_s = [0.0]

    def shelf():
        """A shelf as another process would make it."""
        folder = FolderContents(tmp_path / "kept", max_bytes=10_000, clock=lambda: now_s[0])
        return SharedShelf(folder, ttl_s=60, clock=lambda: now_s[0])

    first, second = shelf(), shelf()
    first.put(FILM)
    second.put(media(b"a\n\0b"))
    first.clear()

    assert FILM == second.at(f"http://127.0.0.1:1{FILM.path}") == shelf().at(FILM.path)
    assert media(b"a\n\0b") == first.at(media(b"a\n\0b").path)
    assert first.at(media(b"c").path) is first.at("/base/../../etc/passwd") is None
    now_s[0] = 61.0
    first.put(media(b"c"))
    assert second.at(FILM.path) is None


def test_a_shared_shelf_that_is_full_or_broken_keeps_nothing(tmp_path):
    """Nobody fails because of it."""
    (tmp_path / "no-folder").write_text("")
    for contents in (
        FolderContents(tmp_path / "full", max_bytes=3),
        FolderContents(tmp_path / "no-folder", max_bytes=100),
    ):
        shelf = SharedShelf(contents, ttl_s=60)
        shelf.put(media(b"abc"))

        assert shelf.at(media(b"abc").path) is None
