"""Reading from a connection, many times over, without a greenlet's part in it.

A cooperative socket that is read in vain starts a watcher and a timer, waits, and stops both again:
for an answer of a thousand small pieces that is most of the work. Here one watcher and one timer
serve a whole answer, and what has come is read by the loop itself. The greenlet that waits for it
is woken only when there is something that it alone can do.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import gevent

_READABLE = 1
_TICKS = 8
"""The silence is measured in parts of what is allowed, so that no arrival needs to read a clock."""

Step = Callable[[], bool]
"""Deals with what has come, without waiting; False: there is something for the greenlet to do."""


class Arrivals:
    """Watches for something to read. For one greenlet at a time.

    Args:
        connection: a socket, also one with TLS.
        allowed_s: how long nothing may come, and up to an eighth more; None means for ever.
    """

    def __init__(self, connection: socket.socket, allowed_s: float | None) -> None:
        self._hub = gevent.get_hub()
        # With TLS, bytes may have arrived that the system shows no more.
        self._held_bytes: Callable[[], int] | None = getattr(connection, "pending", None)
        self._readable = self._hub.loop.io(connection.fileno(), _READABLE)
        tick_s = allowed_s / _TICKS if allowed_s is not None else 0.0
        self._ticker = self._hub.loop.timer(tick_s, tick_s) if allowed_s is not None else None
        self._waiting: gevent.Greenlet | None = None
        self._step: Step = bool
        self._silent_ticks = 0
        if self._ticker is not None:
            self._ticker.start(self._tick)

    def wait(self, step: Step) -> None:
        """Call `step` in the loop each time something has come, until it gives False.

        Raises:
            TimeoutError: nothing came for as long as is allowed.
            Exception: whatever `step` raises.
        """
        while self._held_bytes is not None and self._held_bytes():
            if not step():
                return
        if not self._readable.active:
            self._readable.start(self._arrive)
        self._silent_ticks = 0
        self._step = step
        self._waiting = gevent.getcurrent()
        try:
            self._hub.switch()
        finally:
            self._waiting = None
            self._step = bool

    def close(self) -> None:
        """Stop watching. To be called before the connection is closed; may be called twice."""
        self._readable.close()
        if self._ticker is not None:
            self._ticker.close()

    def _arrive(self) -> None:
        waiting = self._waiting
        if waiting is None:
            # Whoever reads is busy; until it waits again, nobody needs to hear of more.
            self._readable.stop()
            return
        self._silent_ticks = 0
        try:
            goes_on = self._step()
            while goes_on and self._held_bytes is not None and self._held_bytes():
                goes_on = self._step()
        except BaseException as error:  # noqa: BLE001 - the loop would only print it
            waiting.throw(error)
            return
        if not goes_on:
            waiting.switch()

    def _tick(self) -> None:
        if self._waiting is None:
            return
        self._silent_ticks += 1
        if self._silent_ticks > _TICKS:
            self._waiting.throw(TimeoutError("Nothing came in time."))
