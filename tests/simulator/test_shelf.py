from hypothesis import given
from hypothesis import strategies as st

from poeflask.simulator.media import Media
from poeflask.simulator.shelf import Shelf


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
