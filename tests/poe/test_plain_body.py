"""Tests of bodies that are no plain streams of chunks."""

import gzip

import pytest
import urllib3.exceptions
from hypothesis import given
from hypothesis import strategies as st

from poeflask.poe.body import body_of
from poeflask.poe.plain_body import Counted

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(one):
    """The whole body."""
    return b"".join(iter(body_of(one.exchange, one.head).read, b""))


@given(st.binary(max_size=9), st.integers(0, 9), st.integers(1, 4))
def test_so_many_bytes_are_the_bodys(wire, length, step):
    """Wherever they are cut; what is behind them is a surplus."""
    count = Counted(length)
    pieces = [wire[place : place + step] for place in range(0, len(wire), step)]

    assert wire[:length] == b"".join(map(count.feed, pieces))
    assert (len(wire) >= length, len(wire) > length) == (count.ended, count.surplus)


def test_a_body_with_a_length_frees_its_connection(answered):
    """In one piece with its head, or behind it."""
    for pieces in ([SIZED % 3 + b"abc"], [SIZED % 3, b"a", b"bc"], [SIZED % 0]):
        one = answered(*pieces, stays=True)

        assert b"".join(pieces)[len(SIZED % 3) :] == read(one)
        assert (1, 0) == one.connections


def test_a_body_may_end_with_its_connection(answered):
    """Then that is its end and nothing is free."""
    one = answered(b"HTTP/1.1 200 OK\r\n\r\nab", b"cd")

    assert b"abcd" == read(one)
    assert (0, 0) == one.connections


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_compressed_body_is_unpacked(answered, step):
    """Also out of chunks."""
    packed = gzip.compress(b"hello" * 50)
    pieces = [packed[place : place + step] for place in range(0, len(packed), step)]
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    one = answered(GZIP, wire + b"0\r\n\r\n", stays=True)

    assert b"hello" * 50 == read(one)
    assert (1, 0) == one.connections


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([SIZED % 3, b"ab"], id="too short"),
        pytest.param([GZIP, b"zz\r\n"], id="misframed"),
        pytest.param([GZIP, b"5\r\n\x1f\x8b"], id="within a chunk"),
    ],
)
def test_a_cut_body_breaks(answered, pieces):
    """As a fault of the transport; nothing is free."""
    one = answered(*pieces)
    body = body_of(one.exchange, one.head)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        list(iter(body.read, b""))
    body.close()
    body.close()

    assert (0, 0) == one.connections


def test_what_is_not_compressed_as_is_said_is_garbled(answered):
    """A fault of the transport too."""
    one = answered(SIZED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") % 5 + b"hello")

    with pytest.raises(urllib3.exceptions.DecodeError):
        read(one)


def test_a_surplus_costs_the_connection(answered):
    """Nobody can tell what would be taken for the next answer."""
    one = answered(SIZED % 3 + b"abcd", stays=True)

    assert b"abc" == read(one)
    assert (0, 0) == one.connections


def test_a_silent_body_is_not_waited_for_ever(answered):
    """The time is that of the exchange."""
    one = answered(SIZED % 3 + b"ab", stays=True, silence_s=0.05)

    with pytest.raises(urllib3.exceptions.TimeoutError):
        read(one)
