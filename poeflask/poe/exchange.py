"""Questions and the heads of their answers, over urllib3's connections.

urllib3 makes the connections, with their proxies and their TLS, and its pool keeps them. But its
way of asking over them, and http.client's beneath it, costs more than all else that a short answer
needs. Here a question leaves in one piece, and the head of its answer is read from the socket.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from socket import socket
from typing import cast

import urllib3.exceptions
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util import parse_url
from urllib3.util.proxy import connection_requires_http_tunnel

from poeflask.poe.connections import IdleConnections, idle_of
from poeflask.poe.head import FieldError, Head, HeadError, HeadReader

_READ_BYTES = 64 * 1024
_JOINED_BYTES = 64 * 1024
"""Up to here a body is copied behind its head; what is larger is a write of its own."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

Find = Callable[[], tuple[HTTPConnectionPool, str]]
"""Finds the connections to the server, and how its address is written."""


class UnansweredError(urllib3.exceptions.HTTPError):
    """The connection broke before an answer had begun, or something else than an answer came."""


class Exchange:
    """One question and its answer, which have a connection for themselves.

    Attributes:
        socket: the connection; its time-out is how long the server may be silent.
        early: the bytes of the body that came together with the head.
    """

    def __init__(self, idle: IdleConnections, connection: HTTPConnection) -> None:
        self.socket: socket = connection.sock
        self.early = b""
        self._idle = idle
        self._connection: HTTPConnection | None = connection
        self._stays = False

    def send(self, head: bytes, content: bytes, allowed_s: float, sent: Callable[[], None]) -> None:
        """Send the question.

        A server may answer and close before it has read all: then its answer counts.

        Args:
            head: with the empty line at its end.
            content: what comes behind it.
            allowed_s: how long the server may take nothing of it.
            sent: called when all has left.

        Raises:
            UnansweredError: it took nothing for so long, or the connection broke.
            urllib3.exceptions.SSLError: the connection is not secure any more.
        """
        self.socket.settimeout(allowed_s)
        pieces = (head + content,) if len(content) <= _JOINED_BYTES else (head, content)
        with self._closing():
            with _faults():
                is_taken = _send(self.socket, pieces)
            if is_taken:
                sent()

    def receive_head(self, allowed_s: float) -> Head:
        """Wait for the head of the answer.

        Args:
            allowed_s: how long nothing may come, here and in the body.

        Raises:
            UnansweredError: nothing came before the connection broke, or what came is no answer.
            urllib3.exceptions.HTTPError: the head is garbled or was cut, or nothing came for so
                long.
            urllib3.exceptions.SSLError: the connection is not secure any more.
        """
        self.socket.settimeout(allowed_s)
        reader = HeadReader()
        with self._closing(), _faults():
            while (head := reader.feed(self._received(reader.rest))) is None:
                pass
        self.early = reader.rest
        self._stays = head.stays
        return head

    def give_back(self) -> None:
        """End it after the end of the answer: its connection can serve again, if it stays."""
        if not self._stays:
            self.close()
            return
        connection, self._connection = self._connection, None
        if connection is not None:
            self._idle.give(connection)

    def close(self) -> None:
        """End it wherever it stands, and close the connection. May be called after any end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            self._idle.give(None)

    def _received(self, before: bytes) -> bytes:
        data = self.socket.recv(_READ_BYTES)
        if data:
            return data
        if before:
            raise urllib3.exceptions.ProtocolError("The head of the answer is cut.")
        raise UnansweredError("The connection was closed.")

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Close the connection whatever fails, also if the greenlet is killed."""
        try:
            yield
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class _Server:
    """Who is asked: by which connections, and what stands in the head of each question."""

    pool: HTTPConnectionPool
    idle: IdleConnections
    has_tunnel: bool
    path: str
    fields: str


class Exchanges:
    """Asks one server. Its connections are shared.

    Args:
        find: finds the connections.
        fields: the header fields that all questions have.
        connect_timeout_s: how long connecting may take, and how long the server may take nothing.
    """

    def __init__(self, find: Find, fields: Mapping[str, str], connect_timeout_s: float) -> None:
        self._find = find
        self._fields = fields
        self._connect_timeout_s = connect_timeout_s
        self._server: _Server | None = None

    def post(
        self, path: str, fields: Mapping[str, str], content: bytes, sent: Callable[[], None]
    ) -> Exchange:
        """Send a question; its answer is yet to come.

        Args:
            path: behind the server's address, quoted.
            fields: header fields besides those that all have.
            content: the body.
            sent: called when all has left.

        Raises:
            urllib3.exceptions.HTTPError: the server could not be reached, or the question not be
                sent.
            requests.RequestException: the settings allow no connection.
        """
        server = self._server = self._server or _server(*self._find(), self._fields)
        own = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
        head = (
            f"POST {server.path}{path} HTTP/1.1\r\n{server.fields}{own}"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        connection = server.idle.take() or _connected(server, self._connect_timeout_s)
        exchange = Exchange(server.idle, connection)
        exchange.send(head.encode("latin-1"), content, self._connect_timeout_s, sent)
        return exchange


def _server(pool: HTTPConnectionPool, url: str, fields: Mapping[str, str]) -> _Server:
    parts = parse_url(url)
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme or ""]) else f":{parts.port}"
    host = f"{parts.host}{port}"
    has_tunnel = connection_requires_http_tunnel(pool.proxy, pool.proxy_config, pool.scheme)
    is_forwarded = pool.proxy is not None and not has_tunnel
    path = (parts.path or "").rstrip("/")
    all_fields = {"Host": host, **fields, **(pool.proxy_headers if is_forwarded else {})}
    return _Server(
        pool,
        idle_of(pool),
        has_tunnel,
        f"{parts.scheme}://{host}{path}" if is_forwarded else path,
        "".join(f"{name}: {value}\r\n" for name, value in all_fields.items()),
    )


def _connected(server: _Server, allowed_s: float) -> HTTPConnection:
    """A new connection, made as urllib3 makes it.

    Raises:
        urllib3.exceptions.HTTPError: it could not be made.
    """
    pool = server.pool
    connection = cast("HTTPConnection", pool._new_conn())
    connection.timeout = allowed_s
    try:
        with _faults():
            if server.has_tunnel:
                pool._prepare_proxy(connection)
            else:
                connection.connect()
    except BaseException as error:
        lost_proxy = connection.proxy is not None and not connection.has_connected_to_proxy
        connection.close()
        server.idle.give(None)
        if lost_proxy and isinstance(error, urllib3.exceptions.HTTPError):
            raise urllib3.exceptions.ProxyError("The proxy cannot be used.", error) from error
        raise
    return connection


@contextmanager
def _faults() -> Iterator[None]:
    """Make urllib3's faults of those of sockets, TLS and http.client."""
    try:
        yield
    except ssl.SSLError as error:
        raise urllib3.exceptions.SSLError(error) from error
    except TimeoutError as error:
        raise urllib3.exceptions.TimeoutError("Nothing came in time.") from error
    except FieldError as error:
        raise urllib3.exceptions.HeaderParsingError([], None) from error
    except (OSError, HTTPException, HeadError) as error:
        raise UnansweredError("No answer came.") from error


def _send(to: socket, pieces: Iterable[bytes]) -> bool:
    """Send all, the time-out holding for each part that is taken; False: the server has closed."""
    try:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[to.send(left) :]
    except (BrokenPipeError, ConnectionResetError):
        return False
    except TimeoutError as error:
        raise UnansweredError("The question is not taken.") from error
    return True
