"""Parts that hold a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from poeflask.core.errors import ClientError
from poeflask.core.prompt import File
from poeflask.endpoints.file_parts import AUDIO_TYPES, file_of, linked, recorded

LINK = "https://example.com/a.png"


@pytest.mark.parametrize(
    ("fields", "file"),
    [
        ({"image_url": LINK}, File(url=LINK)),
        ({"image_url": {"url": LINK}}, File(url=LINK)),
        ({"file_id": "file-1"}, File(file_id="file-1")),
        (
            {"image_url": "data:image/png;base64,aaaa"},
            File(base64="aaaa", content_type="image/png"),
        ),
    ],
)
def test_a_picture_is_a_link_content_or_an_id(fields: Mapping[str, Any], file: File) -> None:
    """A link may be bare or inside an object; an id stands for a file stored before."""
    assert file == linked("image_url")(fields, "p")


@pytest.mark.parametrize(
    ("fields", "file"),
    [
        ({"file_url": LINK, "filename": "a.png"}, File(url=LINK, name="a.png")),
        ({"file_data": "aaaa", "filename": "a.pdf"}, File(base64="aaaa", name="a.pdf")),
        ({"file_id": "file-1"}, File(file_id="file-1")),
    ],
)
def test_a_file_is_a_link_content_or_an_id(fields: Mapping[str, Any], file: File) -> None:
    """The name is kept, whichever it is."""
    assert file == file_of(fields, "p")


def test_a_recording_has_a_format() -> None:
    """The short word becomes a MIME type and a name."""
    fields = {"input_audio": {"data": "aaaa", "format": "mp3"}}

    expected = File(base64="aaaa", content_type="audio/mpeg", name="audio.mp3")
    assert expected == recorded("input_audio", AUDIO_TYPES)(fields, "p")


@pytest.mark.parametrize(
    ("read", "fields", "param"),
    [
        (file_of, {}, "p"),
        (file_of, {"file_data": "aaaa", "filename": 1}, "p.filename"),
        (linked("image_url"), {}, "p.image_url"),
        (linked("image_url"), {"image_url": {"url": 5}}, "p.image_url.url"),
        (recorded("input_audio", AUDIO_TYPES), {}, "p.input_audio"),
        (
            recorded("input_audio", AUDIO_TYPES),
            {"input_audio": {"data": "aaaa", "format": "xyz"}},
            "p.input_audio.format",
        ),
    ],
)
def test_what_is_wrong_is_named(read: Any, fields: Mapping[str, Any], param: str) -> None:
    """The error's path leads to the field."""
    with pytest.raises(ClientError) as caught:
        read(fields, "p")

    assert param == caught.value.param
