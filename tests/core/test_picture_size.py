"""Sizes of pictures and films as clients and bots write them."""

import pytest

from poeflask.core.picture_size import Size, is_size, read_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024x512", Size(2.0, 1024, 512, 1024)),
        ("512*1024", Size(0.5, 512, 1024, 1024)),
        (" 1024 X 1024 ", Size(1.0, 1024, 1024, 1024)),
        ("16:8", Size(2.0)),
        ("19.5:9.75", Size(2.0)),
        ("2K", Size(longer=2048)),
        ("720p", Size(longer=1280)),
        ("Square", Size(1.0)),
    ],
)
def test_reading(text, size):
    """Pixels, ratios, classes of size and postures are all understood."""
    assert size == read_size(text)
    assert is_size(text)


@pytest.mark.parametrize(
    "text", ["", "big", "0x0", "1x1024", "1024", "1024x", "0:1", "1:0", "x", "999999x1", "9K"]
)
def test_what_is_no_size(text):
    """What says no size is told apart."""
    assert read_size(text) is None
    assert not is_size(text)


def test_any_size():
    """Who leaves the size open says something, but no size."""
    assert is_size("auto")
    assert read_size("auto") is None
