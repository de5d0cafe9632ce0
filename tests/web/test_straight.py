"""Tests of writing to a client past the server, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from gevent import socket

from poeflask.web.straight import Straight, to_client

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a connection."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def received(there: socket.socket, size: int) -> bytes:
    """So many bytes of what was sent."""
    content = b""
    while len(content) < size:
        content += there.recv(size - len(content))
    return content


def test_a_piece_is_a_chunk(pair: Pair) -> None:
    """As the server would write it, in bytes, not letters."""
    here, there = pair
    straight = Straight(here)
    straight.write("é" * 8)

    assert b"10\r\n" + "é".encode() * 8 + b"\r\n" == there.recv(99)
    assert not straight.torn


def test_a_slow_client_is_waited_for(pair: Pair) -> None:
    """Nothing is lost, however much does not fit into the connection."""
    here, there = pair
    text = "x" * 3_000_000
    writer = gevent.spawn(Straight(here).write, text)
    content = received(there, len(text) + 10)
    writer.get()

    assert b"%x\r\n%b\r\n" % (len(text), text.encode()) == content


def test_an_interrupted_piece_is_torn(pair: Pair) -> None:
    """Whoever would write next can know, and hangs up."""
    here, there = pair
    straight = Straight(here)
    writer = gevent.spawn(straight.write, "x" * 3_000_000)
    gevent.sleep(0.01)
    writer.kill()

    assert straight.torn
    straight.hang_up()
    while there.recv(1_000_000):
        pass


def test_a_client_that_is_gone_is_an_error(pair: Pair) -> None:
    """Then nothing more can be said, and hanging up is no error."""
    here, there = pair
    there.close()
    straight = Straight(here)
    with pytest.raises(BrokenPipeError):
        straight.write("x")

    straight.hang_up()


@pytest.mark.parametrize(
    "environ",
    [
        {"SERVER_PROTOCOL": "HTTP/1.1"},
        {"SERVER_PROTOCOL": "HTTP/1.0", "gunicorn.socket": object()},
    ],
)
def test_other_servers_and_bodies_without_chunks_have_no_such_way(
    environ: dict[str, object],
) -> None:
    """Then the server writes all pieces."""
    assert to_client(environ) is None


def test_what_does_not_fit_is_left_for_the_next_write(pair: Pair) -> None:
    """Nothing waits, nothing is lost, and until then the piece is torn."""
    here, there = pair
    straight = Straight(here)
    text = "x" * 3_000_000
    fitted = straight.write_at_once(text)
    torn = straight.torn
    writer = gevent.spawn(straight.write, "yz")
    whole = b"%x\r\n%b\r\n" % (len(text), text.encode()) + b"2\r\nyz\r\n"

    assert (False, True) == (fitted, torn)
    assert whole == received(there, len(whole))
    writer.get()
    assert not straight.torn


def test_nothing_is_no_piece(pair: Pair) -> None:
    """An empty chunk would end the body."""
    here, there = pair
    straight = Straight(here)
    straight.write("")

    assert straight.write_at_once("")
    assert straight.write_at_once("a")
    assert b"1\r\na\r\n" == there.recv(99)
