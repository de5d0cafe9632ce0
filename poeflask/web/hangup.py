"""Notices that a client has gone, also while nothing is being written to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.socket import wait_read


def watch(environ: Mapping[str, Any], on_gone: Callable[[], None]) -> Callable[[], None]:
    """Call `on_gone` once when the request's client closes its connection.

    gunicorn hands out the client's socket; under any other server nothing is watched, and the
    next write finds out. A client that only closes its sending side counts as gone, as it does
    for nginx. A client that sends its next request early is not watched any further.

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
    try:
        gone = not client.recv(1, socket.MSG_PEEK)
    except OSError:
        gone = True
    if gone:
        on_gone()
