"""Files fetched for clients that want their content."""

from __future__ import annotations

import pytest

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import FileEvent
from poeflask.endpoints.made_files import Loaded
from poeflask.web.fetching import fetch_all

CONTENTS = {
    "a": (b"A", "image/png"),
    "b": (b"B", "audio/mpeg"),
    "page": (b"<html>", "text/html"),
    "nothing": (b"", "image/png"),
}


def fetch(url: str) -> tuple[bytes, str]:
    """Poe's file server, as a table."""
    if url not in CONTENTS:
        raise PoeError(ErrorKind.POE_BROKEN, "It is gone.")
    return CONTENTS[url]


def files(*urls: str) -> list[FileEvent]:
    """Files as a bot announces them."""
    return [FileEvent(url=url, content_type="image/*", name=url) for url in urls]


def test_contents_in_their_order() -> None:
    """The type is what the bytes say, not what the bot said."""
    assert [
        Loaded(url="b", content_type="audio/mpeg", base64="Qg=="),
        Loaded(url="a", content_type="image/png", base64="QQ=="),
    ] == fetch_all(fetch, files("b", "a"))


def test_no_files() -> None:
    """Nothing is made of nothing."""
    assert [] == fetch_all(fetch, [])


@pytest.mark.parametrize(
    ("url", "message"), [("gone", "gone"), ("page", "is text/html"), ("nothing", "is empty")]
)
def test_what_is_no_file_of_a_bot(url: str, message: str) -> None:
    """One file that is not to be had, or is none, fails the whole."""
    with pytest.raises(PoeError, match=message):
        fetch_all(fetch, files("a", url))
