"""Notices that a client has gone, also while nothing is being written to it."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent import monkey

_READABLE = 1

_LOOK_AGAIN_S = 0.5
"""How often a client is looked at that has sent more than its request: waiting for something to
read would not wait then."""

# The real one asks and does not wait; gevent's own has no POLLRDHUP.
_poll = monkey.get_original("select", "poll")


def watch(environ: Mapping[str, Any], on_gone: Callable[[], None]) -> Callable[[], None]:
    """Call `on_gone` once, in the loop, when the request's client closes its connection.

    gunicorn hands out the client's socket; under any other server nothing is watched, and the
    next write finds out. A client that only closes its sending side counts as gone, as it does
    for nginx. What a client sends early, such as its next request, is left for the server.

    Returns:
        what stops the watching; to be called before the server takes the socket back.
    """
    client = environ.get("gunicorn.socket")
    return (lambda: None) if client is None else _Watcher(client, on_gone).stop


class _Watcher:
    """Watches one client; no greenlet waits for that."""

    def __init__(self, client: socket.socket, on_gone: Callable[[], None]) -> None:
        self._client = client
        self._on_gone = on_gone
        loop = gevent.get_hub().loop
        self._readable = loop.io(client.fileno(), _READABLE)
        self._again = loop.timer(_LOOK_AGAIN_S, _LOOK_AGAIN_S)
        self._readable.start(self._look)

    def stop(self) -> None:
        self._readable.close()
        self._again.close()

    def _look(self) -> None:
        if _has_gone(self._client):
            self.stop()
            self._on_gone()
        elif self._readable.active:
            self._readable.stop()
            self._again.start(self._look)


def _has_gone(client: socket.socket) -> bool:
    """Whether the other side closed or broke the connection; what waits to be read is no matter."""
    if client.fileno() < 0:
        # The server itself has closed it in the meantime.
        return True
    asked = _poll()
    asked.register(client.fileno(), select.POLLRDHUP)
    return bool(asked.poll(0))
