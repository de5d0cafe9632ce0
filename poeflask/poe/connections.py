"""The connections to Poe: made by requests and urllib3, kept for a while when nobody needs them."""

from __future__ import annotations

import queue
import socket
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

import gevent
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

KEEP_S = 75.0
"""How long a connection may be idle: what forgets it on the way, a NAT or a load balancer, does so
silently, and some after 90 seconds. Then a question would be sent into the void."""

SWEEP_S = 5.0
_SWEPT_AT_ONCE = 100
"""How often the old ones are looked for, and how many are closed then: each costs some of the
loop's time, and after a rush there are thousands."""


class IdleConnections:
    """The idle connections of one pool. The one that was used last is used next.

    It stands where urllib3 has a queue, and looks like one.

    Args:
        most: how many are kept.
        keep_s: how long each is kept.
        sweep_s: how often the old ones are closed.
        clock: seconds, which never go back.

    Attributes:
        busy: how many were taken and not given back.
    """

    def __init__(
        self,
        most: int,
        keep_s: float = KEEP_S,
        sweep_s: float = SWEEP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.busy = 0
        self._most = most
        self._keep_s = keep_s
        self._sweep_s = sweep_s
        self._clock = clock
        # The oldest first.
        self._waiting: deque[tuple[float, HTTPConnection]] = deque()
        self._sweeper: Any = None

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> HTTPConnection | None:
        """One that is still open; None: there is none, and the taker will make one."""
        self.busy += 1
        oldest_s = self._clock() - self._keep_s
        while self._waiting and self._waiting[-1][0] > oldest_s:
            _, connection = self._waiting.pop()
            if _is_open(connection):
                return connection
            connection.close()
        return None

    def give(self, connection: HTTPConnection | None) -> None:
        """Take back what was taken or made; None, or one that is closed, if nothing is left."""
        self.busy -= 1
        if connection is None or connection.is_closed:
            return
        if len(self._waiting) >= self._most:
            connection.close()
            return
        self._waiting.append((self._clock(), connection))
        if self._sweeper is None:
            loop = gevent.get_hub().loop
            # It keeps no process from its end.
            self._sweeper = loop.timer(self._sweep_s, self._sweep_s, ref=False)
            self._sweeper.start(self.sweep)

    def sweep(self) -> None:
        """Close those that were idle for too long, or some of them if they are many."""
        oldest_s = self._clock() - self._keep_s
        for _ in range(_SWEPT_AT_ONCE):
            if not self._waiting or self._waiting[0][0] > oldest_s:
                break
            self._waiting.popleft()[1].close()
        if not self._waiting:
            self._rest()

    def close(self) -> None:
        """Close all."""
        while self._waiting:
            self._waiting.pop()[1].close()
        self._rest()

    def _rest(self) -> None:
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.close()

    def get(self, block: bool = True, timeout: float | None = None) -> HTTPConnection:
        """As `take`, for urllib3.

        Raises:
            queue.Empty: there is none.
        """
        connection = self.take()
        if connection is None:
            raise queue.Empty
        return connection

    def put(
        self, item: HTTPConnection | None, block: bool = True, timeout: float | None = None
    ) -> None:
        """As `give`, for urllib3."""
        self.give(item)


class Connections(HTTPAdapter):
    """requests' adapter, whose idle connections are kept for a while only.

    Args:
        most: how many idle connections are kept for each server.
    """

    def __init__(self, most: int) -> None:
        # The pools' own queues are never used.
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)
        self._most = most
        self._pools: weakref.WeakSet[HTTPConnectionPool] = weakref.WeakSet()

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: Any,
        proxies: Any = None,
        cert: Any = None,
    ) -> HTTPConnectionPool:
        """The pool for a request, as requests finds it."""
        found = super().get_connection_with_tls_context(request, verify, proxies, cert)
        pool = cast("HTTPConnectionPool", found)
        if pool not in self._pools:
            idle = IdleConnections(self._most)
            pool.pool = cast("queue.LifoQueue[Any]", idle)
            weakref.finalize(pool, idle.close)
            self._pools.add(pool)
        return pool

    def pool_for(
        self, url: str, verify: bool | str | None, proxies: Mapping[str, str]
    ) -> tuple[HTTPConnectionPool, str]:
        """The pool for all requests to a server, and its address as it is written in requests.

        Raises:
            requests.RequestException: the address or the proxy's cannot be used.
            urllib3.exceptions.LocationValueError: likewise.
        """
        request = PreparedRequest()
        request.prepare_url(url, None)
        prepared = str(request.url)
        pool = self.get_connection_with_tls_context(request, verify, proxies)
        self.cert_verify(pool, prepared, verify, None)  # type: ignore[no-untyped-call] # theirs
        return pool, prepared

    def close(self) -> None:
        """Close the idle connections."""
        super().close()
        for idle in self._all_idle():
            idle.close()

    def counted(self) -> tuple[int, int]:
        """How many connections wait to be used again, and how many are in use."""
        held = self._all_idle()
        return sum(map(len, held)), sum(idle.busy for idle in held)

    def _all_idle(self) -> list[IdleConnections]:
        return [idle_of(pool) for pool in self._pools]


def idle_of(pool: HTTPConnectionPool) -> IdleConnections:
    """The idle connections of a pool of ours."""
    return cast("IdleConnections", pool.pool)


def _is_open(connection: HTTPConnection) -> bool:
    """Whether nothing has come since the last answer: neither an end nor what nobody asked for."""
    idle = connection.sock
    if not isinstance(idle, socket.socket):
        # TLS within a proxy's TLS, which urllib3 itself must read.
        return connection.is_connected
    idle.settimeout(0.0)
    try:
        # Past the TLS, whose sockets cannot look without taking.
        socket.socket.recv(idle, 1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
