"""Server-sent events as values: bytes to frames, frames to bytes.

The grammar of fields is sseclient-py's; only the plainest event, a name and one line of data, is
read without it, in a tenth of the time. What a live wire needs around it stands here: bytes come in
pieces cut anywhere, an event is let go the moment its empty line has come, the end of the stream
never passes half an event for a whole one, and no event grows without bound.

Source: WHATWG HTML, "Interpreting an event stream".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from sseclient import SSEClient

from poeflask.core.errors import ErrorKind, PoeError

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""More than any event of Poe's: an answer's whole text is at most 512,000 characters."""

_BOM = b"\xef\xbb\xbf"

_EVENT = re.compile(r"event: ([^\n]+)\ndata: ([^\n]*)\n\n|(.*?\n\n)", re.DOTALL)
"""A plain event's name and data, or any other event as it stands."""


_WHOLE = (b"\r\n\r\n", b"\n\n")
"""How bytes end that hold whole events only, as nearly all that is read does."""


class Frame(NamedTuple):
    """One server-sent event: its name ("message" if the wire gave none) and its data.

    A tuple, because there are many, and nothing is made as fast.
    """

    name: str
    data: str


_frame: Callable[[tuple[str, str]], Frame] = partial(tuple.__new__, Frame)
"""Makes a frame in a third of the time that its own constructor takes."""

_NAME = itemgetter(0)


class Decoder:
    """Makes frames of the bytes of one stream.

    Args:
        max_event_bytes: the largest event that is taken.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._pieces: list[bytes] = []
        self._pending_bytes = 0
        self._last_byte = b""
        self._after_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[Frame]:
        """Take the next bytes of the wire; give every frame they complete.

        Where a chunk is cut means nothing: fed byte by byte, the frames are the same.

        Args:
            chunk: any number of bytes, also none; may end inside a character or a CRLF.

        Raises:
            PoeError: kind POE_BROKEN, if one event is over `max_event_bytes`.
        """
        if chunk.endswith(_WHOLE) and not self._pieces and not self._after_return:
            self._last_byte = b"\n"
            return self._parse(chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        lines = self._with_line_feeds(chunk)
        if not lines:
            return []
        end = lines.rfind(b"\n\n") + 2
        if end == 1:
            end = int(self._last_byte == b"\n" and lines.startswith(b"\n"))
        self._last_byte = lines[-1:]
        return self._cut(lines, end)

    @property
    def is_between(self) -> bool:
        """Whether all that was fed were whole events: what comes next begins one."""
        return not (self._pieces or self._after_return or self._at_start)

    @property
    def unfinished(self) -> bool:
        """Whether bytes of an event have come whose end has not."""
        return any(piece.strip(b"\n") for piece in self._pieces)

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """The chunk with CRLF and CR written as LF, also where a CRLF is cut in two."""
        if self._after_return and chunk:
            self._after_return = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" not in chunk:
            return chunk
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _cut(self, lines: bytes, end: int) -> list[Frame]:
        if not end:
            self._keep(lines)
            return []
        self._pieces.append(lines[:end])
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self._pending_bytes = 0
        if end < len(lines):
            self._keep(lines[end:])
        return self._parse(whole)

    def _keep(self, lines: bytes) -> None:
        self._pieces.append(lines)
        self._pending_bytes += len(lines)
        if self._pending_bytes > self._max_event_bytes:
            raise PoeError(
                ErrorKind.POE_BROKEN,
                f"Poe sent an event of more than {self._max_event_bytes} bytes.",
            )

    def _parse(self, whole: bytes) -> list[Frame]:
        if self._at_start:
            self._at_start = False
            whole = whole.removeprefix(_BOM)
        found = _EVENT.findall(whole.decode("utf-8", "replace"))
        if all(map(_NAME, found)):
            return [_frame((name, data)) for name, data, _ in found]
        frames: list[Frame] = []
        for name, data, other in found:
            frames += [Frame(name, data)] if name else _by_the_library(other)
        return frames


def _by_the_library(event: str) -> list[Frame]:
    library = SSEClient(iter([event.encode("utf-8")]))
    return [Frame(event.event, event.data) for event in library.events()]
