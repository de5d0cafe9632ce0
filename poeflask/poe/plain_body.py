"""The body of an answer that has a length, ends with its connection, or is compressed.

Refusals come like this. Poe's answers are plain streams of chunks, so nothing here is made for
speed: urllib3 takes the compression off, and each read waits by itself.
"""

from __future__ import annotations

import io
from typing import Protocol

import urllib3
import urllib3.exceptions

from poeflask.poe.exchange import Exchange

_READ_BYTES = 64 * 1024


class Framing(Protocol):
    """Takes the framing off a body.

    Attributes:
        ended: whether the end has come.
        surplus: whether bytes came behind it.
        broken: whether bytes came that are no framing.
    """

    ended: bool
    surplus: bool
    broken: bool

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection; give the content among them."""


class Counted:
    """A body of so many bytes, or of all that come.

    Args:
        length: how many; None means that only the end of the connection is the body's.
    """

    broken = False

    def __init__(self, length: int | None) -> None:
        self._left = length
        self.ended = length == 0
        self.surplus = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the connection; give those that are the body's."""
        if self._left is None:
            return data
        content = data[: self._left]
        self._left -= len(content)
        self.ended = not self._left
        self.surplus = self.surplus or len(content) < len(data)
        return content


class PlainBody:
    """A body read by waiting for each piece.

    Args:
        exchange: whose head has been received.
        framing: how the body is framed.
        ends_with_connection: whether it is whole when the connection ends.
        encoding: how it is compressed; empty means not at all.
    """

    def __init__(
        self, exchange: Exchange, framing: Framing, *, ends_with_connection: bool, encoding: str
    ) -> None:
        self._exchange = exchange
        self._content = urllib3.HTTPResponse(
            _Content(exchange, framing, ends_with_connection),
            headers={"Content-Encoding": encoding},
            preload_content=False,
        )

    def read(self, take: object = None) -> bytes:
        """The next bytes; all of them come out here."""
        return self._content.read1(_READ_BYTES, decode_content=True)

    def close(self) -> None:
        """Close the connection, unless the body was read to its end. May be called twice."""
        self._content.close()
        self._exchange.close()


class _Content(io.RawIOBase):
    """What is within the framing, as urllib3 reads it."""

    def __init__(self, exchange: Exchange, framing: Framing, ends_with_connection: bool) -> None:
        self._exchange = exchange
        self._framing = framing
        self._ends_with_connection = ends_with_connection

    def read1(self, _size: int) -> bytes:
        """The next bytes, how many soever; none at the end."""
        while not self._framing.ended:
            if self._framing.broken:
                raise urllib3.exceptions.ProtocolError("The chunks of the body are misframed.")
            data = self._exchange.early or self._exchange.socket.recv(_READ_BYTES)
            self._exchange.early = b""
            if not data and not self._ends_with_connection:
                raise urllib3.exceptions.ProtocolError("The body ended before its end.")
            if not data:
                break
            if content := self._framing.feed(data):
                return content
        if self._framing.surplus:
            self._exchange.close()
        else:
            self._exchange.give_back()
        return b""
