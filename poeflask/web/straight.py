"""Writing to a client past the server, from whichever greenlet has something to say.

The server asks a response's body for one piece after the other, and between two pieces the greenlet
that serves the request must wait, be woken, and wait again. For the many small pieces of a stream
that is most of the work. So once the head is out, pieces may be written straight to the client's
socket, framed as the server frames them.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol


def to_client(environ: Mapping[str, Any]) -> Straight | None:
    """The way to the request's client, if the server shows its socket and will chunk the body.

    To be used only after the server has written the head and the first piece, and while it does
    not write itself.
    """
    client = environ.get("gunicorn.socket")
    if client is None or environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return None
    return Straight(client)


class _Client(Protocol):
    """What is needed of a client's socket, which is gevent's."""

    def send(self, data: bytes, flags: int, timeout: float) -> int: ...
    def sendall(self, data: bytes) -> None: ...
    def shutdown(self, how: int) -> None: ...


class Straight:
    """Writes pieces of a chunked body.

    Attributes:
        torn: whether a piece was begun and is not complete. If nobody is writing it any more,
            nothing that is written behind it would be understood.
    """

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._left = b""
        self.torn = False

    def write(self, text: str) -> None:
        """Write one piece, or what is left of the one before; waits while the client is behind.

        Raises:
            OSError: the client is gone.
        """
        if not self.write_at_once(text):
            self._client.sendall(self._left)
            self._left = b""
            self.torn = False

    def write_at_once(self, text: str) -> bool:
        """Write one piece as far as that is possible without waiting.

        False: something is left, which the next `write` will write; until then nothing else may.

        Raises:
            OSError: the client is gone.
        """
        piece = self._left
        if text:
            content = text.encode("utf-8")
            piece += b"%x\r\n%b\r\n" % (len(content), content)
        if not piece:
            return True
        self.torn = True
        try:
            # Nearly always all of it goes at once; `sendall` asks the system more than that.
            sent = self._client.send(piece, 0, 0.0)
        except BlockingIOError:
            sent = 0
        self._left = piece[sent:]
        self.torn = bool(self._left)
        return not self.torn

    def hang_up(self) -> None:
        """Close the connection, so that a torn piece does not pass for a whole one."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
