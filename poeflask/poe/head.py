"""The head of an HTTP answer: its status, its fields, and how far its body goes (RFC 9112)."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD_BYTES = 64 * 1024
MAX_FIELDS = 100
"""Bounds of a head; http.client has the same."""

_START = b"HTTP/1."
_END = re.compile(rb"\n\r?\n")
_LONGEST_END = 3
_STATUS_LINE = re.compile(r"HTTP/1\.(\d)[ \t]+([1-9]\d\d)(?:[ \t].*)?")
_SWITCHED = 101
_BARE = frozenset({*range(100, 200), 204, 304})
"""Statuses of answers that have no body, whatever their fields say."""
_LENGTH = re.compile(r"[0-9]{1,18}")


class HeadError(ValueError):
    """What came is no head of an answer, or one beyond all bounds."""


class FieldError(HeadError):
    """An answer has begun, but its header fields are not written as HTTP demands."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an answer before its body.

    Attributes:
        status: its HTTP status.
        fields: its header fields, their names in lower case; what came twice is joined by ", ".
        chunked: whether the body is chunked.
        length: how many bytes a body that is not chunked has; None: it ends with the connection.
        stays: whether the connection is free for the next question once the body has ended.
    """

    status: int
    fields: dict[str, str]
    chunked: bool
    length: int | None
    stays: bool


class HeadReader:
    """Finds the head among the bytes of a connection.

    Attributes:
        rest: what came behind the head.
    """

    def __init__(self) -> None:
        self.rest = b""
        self._seen = 0

    def feed(self, data: bytes) -> Head | None:
        """Take the next bytes; give the head once it is whole.

        Where the bytes are cut means nothing. Interim answers (100, 103) are passed over.

        Raises:
            HeadError: no head of an answer can come of this.
        """
        self.rest += data
        while (end := _END.search(self.rest, self._seen)) is not None:
            head = _head(self.rest[: end.start()].decode("latin-1"))
            self.rest = self.rest[end.end() :]
            self._seen = 0
            if head.status >= 200 or head.status == _SWITCHED:
                return head
        if len(self.rest) > MAX_HEAD_BYTES:
            raise HeadError("The head has no end.")
        if self.rest[: len(_START)] != _START[: len(self.rest)]:
            raise HeadError("This is no HTTP.")
        self._seen = max(0, len(self.rest) - _LONGEST_END)
        return None


def _head(text: str) -> Head:
    """Read a head without the empty line at its end."""
    first, *lines = text.replace("\r\n", "\n").rstrip("\r").split("\n")
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise HeadError(f"This is no status line: {first[:100]!r}")
    fields = _fields(lines)
    status = int(found[2])
    is_bare = status in _BARE
    chunked = not is_bare and _is_chunked(fields)
    length = 0 if is_bare else _length(fields)
    said = fields.get("connection", "").lower()
    stays = "close" not in said if found[1] != "0" else "keep-alive" in said
    # With both a length and chunks, two readers might see two ends.
    framed = chunked != (length is not None) and status != _SWITCHED
    return Head(status, fields, chunked, None if chunked else length, stays and framed)


def _fields(lines: list[str]) -> dict[str, str]:
    if len(lines) > MAX_FIELDS:
        raise HeadError(f"The head has more than {MAX_FIELDS} lines.")
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if name and line[0] in " \t":
            fields[name] = f"{fields[name]} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise FieldError(f"This is no header field: {line[:100]!r}")
        name = name.lower()
        value = value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _length(fields: dict[str, str]) -> int | None:
    """What the length is said to be, be it more than once."""
    said = fields.get("content-length")
    if said is None:
        return None
    first, *others = (number.strip() for number in said.split(","))
    if not _LENGTH.fullmatch(first) or set(others) - {first}:
        raise FieldError(f"This is no length: {said[:100]!r}")
    return int(first)


def _is_chunked(fields: dict[str, str]) -> bool:
    coding = fields.get("transfer-encoding", "").lower()
    if coding not in ("", "chunked"):
        raise FieldError(f"Nobody asked for this transfer coding: {coding!r}")
    return coding == "chunked"
