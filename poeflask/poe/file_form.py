"""A form with one file in it, as the body of an upload; the file is sent from where it is."""

from __future__ import annotations

from collections.abc import Iterator

from urllib3.filepost import encode_multipart_formdata


class Pieces:
    """A body in pieces, which are sent one after the other and never joined."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def form_with(name: str, content: bytes, content_type: str) -> tuple[Pieces, str]:
    """A form whose field "file" holds a file, and the form's own type.

    Args:
        name: the file's name; none of its letters can write a line of its own.
        content: what is in it.
        content_type: its media type, fit to stand in a header.
    """
    empty, form_type = encode_multipart_formdata({"file": (name, b"", content_type)})
    head, gap, tail = empty.partition(b"\r\n\r\n")
    return Pieces(head + gap, content, tail), form_type
