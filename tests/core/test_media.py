"""Media types from first bytes and names."""

import pytest

from poeflask.core.media import UNKNOWN, default_name, media_type, sniffed, type_of_name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04....xl/workbook.xml", type_of_name("a.xlsx")),
        ("Grüße".encode(), "text/plain"),
        (b"a" * 4095 + "ü".encode(), "text/plain"),
        (b"\x00\x01\x02", ""),
        (b"\xfe\xed", ""),
        (b"", ""),
    ],
)
def test_first_bytes_show_the_type(head, kind):
    """What is known by its beginning is named; what is not is left open."""
    assert kind == sniffed(head)


@pytest.mark.parametrize(
    ("said", "name", "head", "kind"),
    [
        ("image/png", "a.png", b"\xff\xd8\xff", "image/jpeg"),
        ("audio/mp3; rate=1", "", b"\x00", "audio/mpeg"),
        ("application/octet-stream", "a.csv", b"a,b", "text/csv"),
        ("image/*", "", b"GIF89a", "image/gif"),
        ("", "", b"\x00", UNKNOWN),
    ],
)
def test_what_was_said_counts_unless_the_bytes_know_better(said, name, head, kind):
    """Pictures are what they are; else what the client said, its name, then the bytes."""
    assert kind == media_type(said, name, head)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("image/jpeg", "image.jpg"),
        ("audio/mpeg", "audio.mp3"),
        ("application/pdf", "file.pdf"),
        (UNKNOWN, "file"),
    ],
)
def test_a_nameless_file_is_named_by_its_type(kind, name):
    """Every file has a name with the usual ending."""
    assert name == default_name(kind)
