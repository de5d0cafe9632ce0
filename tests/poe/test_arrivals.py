"""Tests of reading a connection in the loop, over real sockets."""

import time

import gevent
import pytest
from gevent import socket

from poeflask.poe.arrivals import Arrivals


@pytest.fixture
def pair():
    """Two ends of a connection."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.fixture
def watch():
    """Makes arrivals, closed in the end."""
    made = []

    def make(*arguments):
        made.append(Arrivals(*arguments))
        return made[-1]

    yield make
    for arrivals in made:
        arrivals.close()


def reader(here, got, *, until=b""):
    """A step that keeps what it reads, and goes on until it has read this."""

    def step():
        got.append(here.recv(9))
        return got[-1] != (until or got[-1])

    return step


def test_bytes_end_the_wait(pair, watch):
    """Those that are there, and those that come."""
    here, there = pair
    arrivals = watch(here, None)
    got = []
    there.send(b"a")
    arrivals.wait(reader(here, got))
    gevent.spawn_later(0.01, there.send, b"b")
    arrivals.wait(reader(here, got))

    assert [b"a", b"b"] == got


def test_what_a_step_deals_with_wakes_nobody(pair, watch):
    """The loop reads it; the greenlet goes on only with what is left to it."""
    here, there = pair
    got, where, letters = [], [], iter((b"b", b"c"))
    step = reader(here, got, until=b"c")

    def noting():
        where.append(gevent.getcurrent())
        goes_on = step()
        if goes_on:
            gevent.spawn(there.send, next(letters))
        return goes_on

    gevent.spawn(there.send, b"a")
    watch(here, None).wait(noting)

    assert [b"a", b"b", b"c"] == got
    assert {gevent.get_hub()} == set(where)


def test_what_a_step_raises_reaches_the_greenlet(pair, watch):
    """The loop would only print it."""
    here, there = pair
    arrivals = watch(here, None)
    there.send(b"a")

    def broken():
        raise ValueError(here.recv(9))

    with pytest.raises(ValueError, match="a"):
        arrivals.wait(broken)
    there.send(b"b")
    arrivals.wait(reader(here, []))


def test_the_end_of_the_connection_ends_the_wait(pair, watch):
    """It is read as no bytes."""
    here, there = pair
    got = []
    gevent.spawn_later(0.01, there.close)
    watch(here, None).wait(reader(here, got))

    assert [b""] == got


def test_silence_has_an_end(pair, watch):
    """Never before the time that is allowed, and soon after it."""
    here, _ = pair
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        watch(here, 0.08).wait(reader(here, []))

    assert 0.07 <= time.monotonic() - started < 1


def test_every_arrival_begins_the_time_anew(pair, watch):
    """A long answer of many pieces is no silence, whoever deals with them."""
    here, there = pair
    got = []
    for number in range(6):
        gevent.spawn_later(0.05 * number, there.send, b"a")
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        watch(here, 0.2).wait(reader(here, got, until=b"b"))

    assert b"aaaaaa" == b"".join(got)
    assert 0.44 <= time.monotonic() - started


def test_what_comes_while_nobody_waits_wakes_nobody(pair, watch):
    """A reader that does something else is not disturbed, nor is the time that it takes silence."""
    here, there = pair
    arrivals = watch(here, 0.05)
    got = []
    there.send(b"a")
    arrivals.wait(bool)
    gevent.sleep(0.1)
    arrivals.wait(reader(here, got))
    gevent.spawn_later(0.01, there.send, b"b")
    arrivals.wait(reader(here, got))

    assert [b"a", b"b"] == got


def test_a_reader_can_be_killed(pair, watch):
    """It is off at once, and later bytes look for nobody."""
    here, there = pair
    waiting = gevent.spawn(watch(here, None).wait, bool)
    gevent.sleep(0.01)
    waiting.kill()
    there.send(b"a")
    gevent.sleep(0.01)

    assert waiting.dead
    assert isinstance(waiting.value, gevent.GreenletExit)


def test_bytes_that_only_the_connection_knows_of_are_not_waited_for(pair, watch):
    """TLS may have taken more off the wire than was asked for: in front of the wait and in it."""
    here, there = pair
    held = [b"a", b"b"]
    got = []

    class Secure:
        fileno = here.fileno

        @staticmethod
        def pending():
            return len(held)

    def step():
        got.append(held.pop(0) if held else here.recv(9))
        held.extend([b"d"] if got[-1] == b"c" else [])
        return got[-1] != b"d"

    there.send(b"c")
    watch(Secure, 0.05).wait(step)

    assert [b"a", b"b", b"c", b"d"] == got
