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
from typing import Any


def to_client(environ: Mapping[str, Any]) -> Straight | None:
    """The way to the request's client, if the server shows its socket and will chunk the body.

    To be used only after the server has written the head and the first piece, and while it does
    not write itself.
    """
    client = environ.get("gunicorn.socket")
    if client is None or environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return None
    return Straight(client)


class Straight:
    """Writes pieces of a chunked body.

    Attributes:
        torn: whether a piece was begun and is not complete. If nobody is writing it any more,
            nothing that is written behind it would be understood.
    """

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self.torn = False

    def write(self, text: str) -> None:
        """Write one piece; waits while the client is behind.

        Raises:
            OSError: the client is gone.
        """
        content = text.encode("utf-8")
        piece = b"%x\r\n%b\r\n" % (len(content), content)
        self.torn = True
        # Nearly always all of it goes at once; `sendall` asks the system more than that.
        sent = self._client.send(piece)
        if sent < len(piece):
            self._client.sendall(piece[sent:])
        self.torn = False

    def hang_up(self) -> None:
        """Close the connection, so that a torn piece does not pass for a whole one."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
