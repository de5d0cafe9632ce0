"""A bot's reply while it comes: the events of each network read."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Protocol

import gevent

from poeflask.core.errors import PoeError
from poeflask.core.reply import Pause, ReplyEvent
from poeflask.core.sse import Decoder
from poeflask.poe.body import Body, Take
from poeflask.poe.transport import BROKEN, FAULTS, meant
from poeflask.poe.wire import Reader

DRAIN_BYTES = 64 * 1024
DRAIN_S = 1.0
"""How much and how long is read behind an answer's end, so that its connection can serve again."""

_PAUSE = Pause()


class Reply:
    """A reply while it comes: an iterator of lists of events, which can be closed.

    Attributes:
        relay: takes what comes while the next list is waited for; what it leaves comes out as a
            list of its own. None: all comes out.
    """

    def __init__(self, post: Callable[[], Body], reader: Reader) -> None:
        self._events = _Events(reader)
        # It knows nothing of this object: a reply that is dropped lets its connection go at once.
        self._batches = self._events.read(post)

    @property
    def relay(self) -> Relay | None:
        return self._events.relay

    @relay.setter
    def relay(self, relay: Relay | None) -> None:
        self._events.relay = relay

    def __iter__(self) -> Reply:
        return self

    def __next__(self) -> list[ReplyEvent]:
        return next(self._batches)

    def close(self) -> None:
        """Let the connection go. May be called twice."""
        self._batches.close()


class Relay(Protocol):
    """Takes what comes in the loop itself: `relay.Relay`."""

    left: list[ReplyEvent]

    def take(self, data: bytes) -> bytes | None: ...


class _Events:
    """Makes events of what a connection gives and no relay has taken."""

    def __init__(self, reader: Reader) -> None:
        self.relay: Relay | None = None
        self._reader = reader
        self._decoder = Decoder()
        # Content that came behind what the relay left.
        self._held = b""

    def read(self, post: Callable[[], Body]) -> Generator[list[ReplyEvent], None, None]:
        """Ask, and give the events of each network read that the relay has not dealt with."""
        content = post()
        # An answer may last for minutes, and the question may hold a whole book.
        del post
        try:
            while not self._reader.ended:
                yield self._next(content)
        finally:
            _let_go(content, self._reader.ended)

    def _next(self, content: Body) -> list[ReplyEvent]:
        try:
            return self._read_once(content)
        except PoeError as error:
            # Nothing behind a fault of the transport is worth reading.
            content.close()
            return self._reader.fail(error)

    def _read_once(self, content: Body) -> list[ReplyEvent]:
        """The next events that the relay has not dealt with."""
        data, self._held = self._held, b""
        if not data:
            try:
                data = content.read(self._take())
            except FAULTS as error:
                raise meant(error) from error
            if self.relay is not None and self.relay.left:
                left, self.relay.left = self.relay.left, []
                self._held = data
                return left
        if data:
            return self._closed(self._reader.feed(self._decoder.feed(data)))
        if self._decoder.unfinished:
            kind, message = BROKEN
            raise PoeError(kind, message)
        return self._reader.end()

    def _take(self) -> Take | None:
        """Who takes what comes: the relay, unless something before it is not complete."""
        if self.relay is None:
            return None
        is_between = self._decoder.is_between and self._reader.is_between
        return self.relay.take if is_between else _leave

    def _closed(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        return events if self._reader.ended else [*events, _PAUSE]


def _leave(data: bytes) -> bytes:
    """Take nothing this time."""
    return data


def _let_go(content: Body, ended: bool) -> None:
    """Close the connection, or give it back to the pool if the answer was read to its end."""
    try:
        if ended:
            _read_on(content)
    finally:
        content.close()


def _read_on(content: Body) -> None:
    """Read what is left of the body, if it is little and comes at once."""
    left = DRAIN_BYTES
    with gevent.Timeout(DRAIN_S, False), suppress(*FAULTS):
        while left > 0 and (data := content.read()):
            left -= len(data)
