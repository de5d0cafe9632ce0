"""Notices that a client has gone, also while nothing is being written to it."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent import monkey
from gevent.socket import wait_read

_LOOK_AGAIN_S = 0.5
"""How often a client is looked at that has sent more than its request: waiting for something to
read would not wait then."""

# The real one asks and does not wait; gevent's own has no POLLRDHUP.
_poll = monkey.get_original("select", "poll")


def watch(environ: Mapping[str, Any], on_gone: Callable[[], None]) -> Callable[[], None]:
    """Call `on_gone` once when the request's client closes its connection.

    gunicorn hands out the client's socket; under any other server nothing is watched, and the
    next write finds out. A client that only closes its sending side counts as gone, as it does
    for nginx. What a client sends early, such as its next request, is left for the server.

    Returns:
        what stops the watching; to be called before the server takes the socket back.
    """
    client = environ.get("gunicorn.socket")
    if client is None:
        return lambda: None
    watcher = gevent.spawn(_wait, client, on_gone)
    return lambda: watcher.kill(block=False)


def _wait(client: socket.socket, on_gone: Callable[[], None]) -> None:
    wait_read(client.fileno())
    while not _has_gone(client):
        gevent.sleep(_LOOK_AGAIN_S)
    on_gone()


def _has_gone(client: socket.socket) -> bool:
    """Whether the other side closed or broke the connection; what waits to be read is no matter."""
    if client.fileno() < 0:
        # The server itself has closed it in the meantime.
        return True
    asked = _poll()
    asked.register(client.fileno(), select.POLLRDHUP)
    return bool(asked.poll(0))
