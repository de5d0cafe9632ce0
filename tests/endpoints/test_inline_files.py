"""Links, data URLs and base64 become files; everything else is refused at its path."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ClientError
from poeflask.core.prompt import File
from poeflask.endpoints.inline_files import file_from_data, file_from_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/a.png", File(url="https://example.org/a.png")),
        ("HTTP://example.org", File(url="HTTP://example.org")),
        (" https://example.org/a?b=c#d \n", File(url="https://example.org/a?b=c#d")),
        ("data:image/png;base64,AAAA", File(base64="AAAA", content_type="image/png")),
        ("DATA:Image/PNG;BASE64,AAAA", File(base64="AAAA", content_type="image/png")),
        ("data:;base64,AA==", File(base64="AA==")),
        (
            "data:text/plain;charset=utf-8;base64,AA==",
            File(base64="AA==", content_type="text/plain"),
        ),
        ("data:image/svg+xml; base64,AA\nAA", File(base64="AA\nAA", content_type="image/svg+xml")),
    ],
)
def test_links_and_data_urls_are_files(url: str, expected: File):
    """A link stays a link; a data URL's content stays base64 and keeps its type."""
    assert expected == file_from_url(url, "url")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "https://?q",
        "https://a b",
        "https://a/\nHost: b",
        "https://a/" + "b" * 20_000,
        "data:",
        "data:image/png;base64",
        "data:image/png,AAAA",
        "data:image/png;base64,",
        "data:image/png;base64,  ",
        "data:image/png;base64,ääää",
        "data:image/png;base64,A===",
        "data:image;base64,AAAA",
        "data:a/b\r\nc: d;base64,AAAA",
        "data:" + "x" * 600 + "/y;base64,AAAA",
        None,
        7,
        {},
    ],
)
def test_everything_else_is_refused_at_its_path(url: object):
    """The error names the field and never repeats what it held."""
    with pytest.raises(ClientError) as caught:
        file_from_url(url, "messages[0].content[0].image_url.url")

    assert caught.value.param == "messages[0].content[0].image_url.url"
    assert "passwd" not in caught.value.message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("AAAA", File(base64="AAAA", content_type="audio/wav", name="a.wav")),
        (
            "data:audio/mpeg;base64,AAAA",
            File(base64="AAAA", content_type="audio/mpeg", name="a.wav"),
        ),
        ("https://example.org/a", File(url="https://example.org/a", name="a.wav")),
    ],
)
def test_data_may_be_bare_or_speak_for_itself(data: str, expected: File):
    """Bare base64 takes the type that the client said beside it; a data URL has its own."""
    assert expected == file_from_data(data, "data", "audio/wav", "a.wav")


@pytest.mark.parametrize(
    "data",
    ["", "  ", "@@@@", "AAAA" * 100 + "@", "@" + "AAAA" * 100, "AAAA" * 90 + "ä" + "A" * 360, None],
)
def test_data_that_is_no_base64_is_refused(data: object):
    """Wrong letters at either end show at once, without reading all of a large file."""
    with pytest.raises(ClientError) as caught:
        file_from_data(data, "data")

    assert caught.value.param == "data"


@given(content=st.binary(min_size=1, max_size=400), wrapped=st.booleans())
def test_every_content_survives(content: bytes, wrapped: bool):
    """Whatever bytes a client encodes are the bytes that will be uploaded."""
    encode = base64.encodebytes if wrapped else base64.b64encode
    got = file_from_url(f"data:application/x;base64,{encode(content).decode()}", "url")

    assert content == base64.b64decode(got.base64)
