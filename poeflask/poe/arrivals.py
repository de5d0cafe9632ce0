"""Waiting for bytes on a connection, many times over.

A cooperative socket that is read in vain starts a watcher and a timer, waits, and stops both again:
for an answer of a thousand small pieces that is most of the work. Here one watcher and one timer
serve a whole answer.
"""

from __future__ import annotations

import socket

import gevent

_READABLE = 1
_TICKS = 8
"""The silence is measured in parts of what is allowed, so that no arrival needs to read a clock."""


class Arrivals:
    """Waits until there is something to read. For one greenlet at a time.

    Args:
        connection: a socket, also one with TLS.
        allowed_s: how long nothing may come, and up to an eighth more; None means for ever.
    """

    def __init__(self, connection: socket.socket, allowed_s: float | None) -> None:
        self._hub = gevent.get_hub()
        # With TLS, bytes may have arrived that the system shows no more.
        self._held_bytes = getattr(connection, "pending", int)
        self._readable = self._hub.loop.io(connection.fileno(), _READABLE)
        tick_s = allowed_s / _TICKS if allowed_s is not None else 0.0
        self._ticker = self._hub.loop.timer(tick_s, tick_s) if allowed_s is not None else None
        self._waiting: gevent.Greenlet | None = None
        self._silent_ticks = 0
        if self._ticker is not None:
            self._ticker.start(self._tick)

    def wait(self) -> None:
        """Wait for the next bytes.

        Raises:
            TimeoutError: nothing came for as long as is allowed.
        """
        if self._held_bytes():
            return
        if not self._readable.active:
            self._readable.start(self._wake)
        self._silent_ticks = 0
        self._waiting = gevent.getcurrent()
        try:
            self._hub.switch()
        finally:
            self._waiting = None

    def close(self) -> None:
        """Stop watching. To be called before the connection is closed; may be called twice."""
        self._readable.close()
        if self._ticker is not None:
            self._ticker.close()

    def _wake(self) -> None:
        if self._waiting is None:
            # Whoever reads is busy; until it waits again, nobody needs to hear of more.
            self._readable.stop()
        else:
            self._waiting.switch()

    def _tick(self) -> None:
        if self._waiting is None:
            return
        self._silent_ticks += 1
        if self._silent_ticks > _TICKS:
            self._waiting.throw(TimeoutError("Nothing came in time."))
