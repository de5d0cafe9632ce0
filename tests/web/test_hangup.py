"""Clients that leave, on real pairs of sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import gevent
import pytest

from poeflask.web import hangup

FAMILIES = ["tcp", "unix"]


@dataclass
class Watched:
    """Both ends of a connection whose client is watched, and how often it was said to be gone."""

    client: socket.socket
    server: socket.socket
    calls: list[bool] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def gone(self) -> int:
        """How often, after the watcher had time to notice."""
        gevent.sleep(0.03)
        return len(self.calls)


@pytest.fixture(params=FAMILIES)
def watched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A connection that is watched from its beginning on."""
    monkeypatch.setattr(hangup, "_LOOK_AGAIN_S", 0.005)
    client, server = socket.socketpair() if request.param == "unix" else tcp_pair()
    made = Watched(client, server)
    made.stop = hangup.watch({"gunicorn.socket": server}, lambda: made.calls.append(True))
    gevent.sleep(0)
    yield made
    made.stop()
    gevent.sleep(0)
    client.close()
    server.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def test_a_client_that_stays_is_not_gone(watched: Watched) -> None:
    """Silence is no hang-up."""
    assert 0 == watched.gone()


def test_a_client_that_closes_is_gone_once(watched: Watched) -> None:
    """And it is said once."""
    watched.client.close()

    assert 1 == watched.gone() == watched.gone()


def test_a_client_that_stops_sending_is_gone(watched: Watched) -> None:
    """As for nginx."""
    watched.client.shutdown(socket.SHUT_WR)

    assert 1 == watched.gone()


def test_a_client_that_breaks_off_is_gone(watched: Watched) -> None:
    """A reset counts as well."""
    watched.server.sendall(b"unread")
    watched.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    watched.client.close()

    assert 1 == watched.gone()


def test_what_comes_early_is_left_for_the_server(watched: Watched) -> None:
    """A next request is no hang-up, and not one byte of it is taken."""
    watched.client.sendall(b"GET / HTTP/1.1\r\n")

    assert 0 == watched.gone()
    watched.stop()
    assert b"GET / HTTP/1.1\r\n" == watched.server.recv(100)


def test_a_client_that_leaves_after_it_sent_more_is_gone(watched: Watched) -> None:
    """Bytes that nobody reads do not hide it."""
    watched.client.sendall(b"\r\n")
    assert 0 == watched.gone()
    watched.client.close()

    assert 1 == watched.gone()


def test_nobody_is_watched_after_the_end(watched: Watched) -> None:
    """The server may take the socket back at once, and what happens then is not reported."""
    watched.stop()
    watched.client.sendall(b"GET")
    assert b"GET" == watched.server.recv(100)
    watched.client.close()

    assert 0 == watched.gone()


def test_the_end_may_come_before_the_beginning_or_twice(watched: Watched) -> None:
    """A watcher that never ran, and one that has ended, can be stopped."""
    stop = hangup.watch({"gunicorn.socket": watched.server}, lambda: watched.calls.append(True))
    stop()
    watched.client.close()
    assert 1 == watched.gone()
    watched.stop()
    stop()

    assert 1 == watched.gone()


def test_without_a_socket_nothing_is_watched() -> None:
    """Under another server the next write finds out."""
    hangup.watch({}, pytest.fail)()


def test_a_connection_that_the_server_closed_is_gone(watched: Watched) -> None:
    """Between two looks at a client that sent more than its request, the server may close it."""
    watched.client.sendall(b"GET")
    gevent.sleep(0.001)
    watched.server.close()

    assert 1 == watched.gone()
