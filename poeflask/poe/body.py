"""The body of a streamed answer: all bytes that have come, at one read, without their framing.

Servers write each event as an HTTP chunk of its own, and the usual reader of such a body gives one
chunk at a time, at the price of several calls. Here everything that the connection holds is taken
at once and the framing is taken off it. A body framed in any other way, or compressed, is left to
`plain_body`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Protocol

import urllib3.exceptions

from poeflask.poe.arrivals import Arrivals
from poeflask.poe.exchange import Exchange
from poeflask.poe.head import Head
from poeflask.poe.plain_body import Counted, PlainBody

READ_BYTES = 64 * 1024

_LONGEST_LINE = 64 * 1024

_NOTHING_YET = (BlockingIOError, SSLWantReadError, SSLWantWriteError)

Take = Callable[[bytes], bytes | None]
"""Deals with bytes as they come, framing and all, in the loop itself, where nothing may wait.

Gives what it leaves of them; None if there is nothing to do but to wait for more. It is called
between two chunks only. Bytes that are none mean that the connection was closed.
"""


class Body(Protocol):
    """What comes of one answer's body."""

    def read(self, take: Take | None = None) -> bytes:
        """The next bytes, as soon as there are any; none means that the body ended as it should.

        Once the end was read, the connection is free for the next answer. After `close` there are
        no more bytes.

        Args:
            take: may be given what comes while this waits. Only what it leaves comes out here;
                bytes that are none then mean that it wants to be asked why it left nothing.

        Raises:
            urllib3.exceptions.HTTPError: the connection broke, was silent for too long, or what
                came is not framed as HTTP demands.
        """

    def close(self) -> None:
        """Close the connection, unless the body was read to its end. May be called twice."""


def body_of(exchange: Exchange, head: Head) -> Body:
    """The body of an answer whose head has been received."""
    encoding = head.fields.get("content-encoding", "")
    if head.chunked and not encoding:
        return ChunkedBody(exchange)
    return PlainBody(
        exchange,
        Dechunker() if head.chunked else Counted(head.length),
        ends_with_connection=not head.chunked and head.length is None,
        encoding=encoding,
    )


class ChunkedBody:
    """A chunked body, read from the connection itself."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._unchunk = Dechunker()
        self._live: _LiveConnection | None = None
        self._closed = False
        self._take: Take | None = None
        self._has_left = False
        self._unread = b""
        self._content = b""

    def read(self, take: Take | None = None) -> bytes:
        self._take = take
        self._has_left = False
        while not self._closed and not self._has_left:
            if self._unchunk.ended:
                self._end()
                break
            if self._unchunk.broken:
                raise urllib3.exceptions.ProtocolError("The chunks of the body are misframed.")
            self._receive()
            content, self._content = self._content, b""
            if content:
                return content
        return b""

    def close(self) -> None:
        if not self._closed:
            self._stop_waiting()
            self._exchange.close()

    def _receive(self) -> None:
        """Wait until there is some content, or an end."""
        if early := self._exchange.early:
            self._exchange.early = b""
            self._unframe(early)
            return
        if self._unread:
            data, self._unread = self._unread, b""
            if not self._deal_with(data):
                return
        if self._live is None:
            self._live = _LiveConnection(self._exchange.socket)
        try:
            self._live.arrivals.wait(self._step)
        except TimeoutError as error:
            raise urllib3.exceptions.TimeoutError("Nothing came in time.") from error
        except OSError as error:
            raise urllib3.exceptions.ProtocolError("The connection broke.") from error

    def _step(self) -> bool:
        """Read once, in the loop: whether all that came was dealt with."""
        if self._live is None:
            return False
        try:
            data = self._live.socket.recv(READ_BYTES)
        except _NOTHING_YET:
            return True
        return self._deal_with(data)

    def _deal_with(self, data: bytes) -> bool:
        """Take the framing off, or let it be taken with all that is in it; whether to wait on."""
        if self._take is not None and self._unchunk.is_between:
            left = self._take(data)
            if left is None:
                return True
            self._has_left = not left and bool(data)
            if self._has_left:
                return False
            data = left
        elif self._take is not None and 0 < self._unchunk.to_come < len(data):
            # Behind the open chunk it can be taken again.
            end = self._unchunk.to_come
            data, self._unread = data[:end], data[end:]
        self._unframe(data)
        if self._content or self._unchunk.ended or self._unchunk.broken:
            return False
        data, self._unread = self._unread, b""
        return not data or self._deal_with(data)

    def _unframe(self, data: bytes) -> None:
        if not data:
            raise urllib3.exceptions.ProtocolError("The body ended before its last chunk.")
        self._content = self._unchunk.feed(data)

    def _stop_waiting(self) -> None:
        self._closed = True
        if self._live is not None:
            self._live.let_go()

    def _end(self) -> None:
        if self._unchunk.surplus:
            # Nobody can tell what would be taken for the next answer.
            self.close()
            return
        self._stop_waiting()
        self._exchange.give_back()


class _LiveConnection:
    """A connection that is read whenever something comes, and never waits by itself."""

    def __init__(self, connection: socket.socket) -> None:
        self._timeout_s = connection.gettimeout()
        self.socket = connection
        self.arrivals = Arrivals(connection, self._timeout_s)
        connection.settimeout(0.0)

    def let_go(self) -> None:
        """Make it a connection like any other. May be called twice."""
        self.arrivals.close()
        self.socket.settimeout(self._timeout_s)


class Dechunker:
    """Takes the chunk framing off a body (RFC 9112, section 7.1).

    Attributes:
        ended: whether the last chunk and the trailer have come.
        surplus: whether bytes came behind them, so that nobody can tell what comes next.
        broken: whether bytes came that are no framing; nothing is understood from there on.
        is_between: whether what comes next is the size of a chunk.
        to_come: how many bytes end the chunk that is open, with its line end; 0 if none is.
    """

    def __init__(self) -> None:
        self.ended = False
        self.surplus = False
        self.broken = False
        # A line between two chunks whose end has not come.
        self._line = b""
        self.is_between = True
        self.to_come = 0
        self._in_trailer = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection; give the content among them.

        Where the bytes are cut means nothing.
        """
        content = self._content(self._line + data)
        self.is_between = not (self.to_come or self._line or self._in_trailer or self.broken)
        return content

    def _content(self, data: bytes) -> bytes:
        self._line = b""
        pieces: list[bytes] = []
        place = 0
        while True:
            # Stops in front of the line end, also where that is cut.
            pieces.append(data[place : place + max(0, self.to_come - 2)])
            taken = min(self.to_come, len(data) - place)
            self.to_come -= taken
            place = self._whole_chunks(data, place + taken, pieces)
            if place == len(data) or not (place := self._open(data, place)):
                return b"".join(pieces)

    def _whole_chunks(self, data: bytes, place: int, pieces: list[bytes]) -> int:
        """Take the content of the chunks that are whole; gives the place behind them."""
        while not self._in_trailer and (start := data.find(b"\n", place) + 1):
            try:
                end = start + int(data[place:start], 16)
            except ValueError:
                break
            if end <= start or end + 2 > len(data):
                break
            pieces.append(data[start:end])
            place = end + 2
        return place

    def _open(self, data: bytes, start: int) -> int:
        """Read the line in front of a chunk; gives the place behind it, or 0 if no chunk begins."""
        if self._in_trailer:
            self._end(data[start:])
            return 0
        line_end = data.find(b"\n", start) + 1
        if not line_end:
            self._keep(data[start:])
            return 0
        try:
            size = int(data[start:line_end].partition(b";")[0], 16)
        except ValueError:
            size = -1
        if size > 0:
            self.to_come = size + 2
            return line_end
        self.broken = self.broken or size < 0
        if not self.broken:
            self._in_trailer = True
            self._end(data[line_end:])
        return 0

    def _keep(self, line: bytes) -> None:
        self.broken = self.broken or len(line) > _LONGEST_LINE
        self._line = line

    def _end(self, data: bytes) -> None:
        """Read the trailer's lines, up to the empty one."""
        place = 0
        while not self.ended:
            start, place = place, data.find(b"\n", place) + 1
            if not place:
                self._keep(data[start:])
                return
            self.ended = data[start:place] in (b"\r\n", b"\n")
        self.surplus = self.surplus or place < len(data)
