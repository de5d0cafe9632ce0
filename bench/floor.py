"""The least that this stack can do: bytes from one socket to the other, unchanged.

`python -m bench.floor PORT UPSTREAM` passes an OpenAI stream on as nginx does, in Python and on
gevent's loop: a watcher for each connection, a receive and a send for what came, no greenlet, no
look at what is in it beyond where it ends. What poeflask costs above that is poeflask's; what this
costs above nginx is the machine's, the interpreter's and the loop's.

It knows only streams: an answer must come in chunks and end with the last of them.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Any

import gevent

_READ, _WRITE = 1, 2
_RECEIVED = 1 << 16
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class _Floor:
    """The listener, and the connections to the upstream that are kept for the next question."""

    def __init__(self, port: int, upstream: int) -> None:
        self.loop = gevent.get_hub().loop
        self._upstream = ("127.0.0.1", upstream)
        self._idle: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._arrivals = self.loop.io(self._listener.fileno(), _READ)

    def run(self) -> None:
        """Serve until it is killed."""
        self._arrivals.start(self._accept)
        gevent.get_hub().join()

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Relay(self, client)

    def connect(self) -> socket.socket:
        """A connection to the upstream."""
        if self._idle:
            return self._idle.pop()
        upstream = socket.create_connection(self._upstream)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return upstream

    def keep(self, upstream: socket.socket) -> None:
        """A connection that has given its answer."""
        self._idle.append(upstream)


class _Relay:
    """One client, and the upstream's connection while there is an answer."""

    def __init__(self, floor: _Floor, client: socket.socket) -> None:
        self._floor = floor
        self._client = client
        self._asked = bytearray()
        self._unsent = b""
        self._over = False
        self._upstream: socket.socket | None = None
        self._arrival: Any = None
        self._room: Any = floor.loop.io(client.fileno(), _WRITE)
        self._question: Any = floor.loop.io(client.fileno(), _READ)
        self._question.start(self._hear)

    def _hear(self) -> None:
        """Take what the client sends; ask when it is a whole question."""
        try:
            data = self._client.recv(_RECEIVED)
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        self._asked += data
        if len(self._asked) >= _length(self._asked):
            question = bytes(self._asked)
            self._asked.clear()
            self._ask(question)

    def _ask(self, question: bytes) -> None:
        if self._upstream is not None:
            # The end of the last answer came in two pieces, but its client has seen it.
            self._end()
        self._upstream = self._floor.connect()
        # Blocking: the upstream takes it at once, and the cost of events is what is measured.
        self._upstream.setblocking(True)
        self._upstream.sendall(question)
        self._upstream.setblocking(False)
        self._over = False
        self._arrival = self._floor.loop.io(self._upstream.fileno(), _READ)
        self._arrival.start(self._pass_on)

    def _pass_on(self) -> None:
        """Receive once, send once: this is what an event costs."""
        try:
            data = self._upstream.recv(_RECEIVED) if self._upstream is not None else b""
            sent = self._client.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        self._over = data.endswith(_LAST_CHUNK)
        if sent < len(data):
            self._unsent = data[sent:]
            self._arrival.stop()
            self._room.start(self._go_on)
        elif self._over:
            self._end()

    def _go_on(self) -> None:
        """Send what the client had no room for."""
        try:
            self._unsent = self._unsent[self._client.send(self._unsent) :]
        except OSError:
            self._close()
            return
        if self._unsent:
            return
        self._room.stop()
        if self._over:
            self._end()
        else:
            self._arrival.start(self._pass_on)

    def _end(self) -> None:
        """The answer is over."""
        self._arrival.close()
        if self._upstream is not None:
            self._floor.keep(self._upstream)
        self._upstream = None

    def _close(self) -> None:
        """One of both has left."""
        for watcher in filter(None, (self._question, self._room, self._arrival)):
            watcher.close()
        self._client.close()
        if self._upstream is not None:
            self._upstream.close()


def _length(asked: bytearray) -> int:
    """How long the question is, with its head; more than there is while the head is not whole."""
    end = asked.find(b"\r\n\r\n") + 4
    if end < 4:
        return len(asked) + 1
    head = asked[:end].lower()
    return end + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)


if __name__ == "__main__":
    _Floor(int(sys.argv[1]), int(sys.argv[2])).run()
