"""Tests of waiting for bytes, over real sockets."""

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


def test_bytes_end_the_wait(pair, watch):
    """Those that are there, and those that come."""
    here, there = pair
    arrivals = watch(here, None)
    there.send(b"a")
    arrivals.wait()

    assert here.recv(9) == b"a"
    gevent.spawn_later(0.01, there.send, b"b")
    arrivals.wait()
    assert here.recv(9) == b"b"


def test_the_end_of_the_connection_ends_the_wait(pair, watch):
    """It is read as no bytes."""
    here, there = pair
    arrivals = watch(here, None)
    gevent.spawn_later(0.01, there.close)
    arrivals.wait()

    assert here.recv(9) == b""


def test_silence_has_an_end(pair, watch):
    """Never before the time that is allowed, and soon after it."""
    here, _ = pair
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        watch(here, 0.08).wait()

    assert 0.07 <= time.monotonic() - started < 1


def test_every_arrival_begins_the_time_anew(pair, watch):
    """A long answer of many pieces is no silence."""
    here, there = pair
    arrivals = watch(here, 0.2)
    for _ in range(6):
        gevent.spawn_later(0.05, there.send, b"a")
        arrivals.wait()
        here.recv(9)

    with pytest.raises(TimeoutError):
        arrivals.wait()


def test_what_comes_while_nobody_waits_wakes_nobody(pair, watch):
    """A reader that does something else is not disturbed, nor is the time that it takes silence."""
    here, there = pair
    arrivals = watch(here, 0.05)
    there.send(b"a")
    arrivals.wait()
    done = []
    gevent.sleep(0.1)
    done.append(here.recv(9))
    gevent.spawn_later(0.01, there.send, b"b")
    arrivals.wait()
    done.append(here.recv(9))

    assert [b"a", b"b"] == done


def test_a_reader_can_be_killed(pair, watch):
    """It is off at once, and later bytes look for nobody."""
    here, there = pair
    arrivals = watch(here, None)
    reader = gevent.spawn(arrivals.wait)
    gevent.sleep(0.01)
    reader.kill()
    there.send(b"a")
    gevent.sleep(0.01)

    assert reader.dead
    assert isinstance(reader.value, gevent.GreenletExit)


def test_bytes_that_only_the_connection_knows_of_are_not_waited_for(pair, watch):
    """TLS may have taken more off the wire than was asked for."""
    here, _ = pair

    class Secure:
        fileno = here.fileno

        @staticmethod
        def pending():
            return 5

    assert watch(Secure, 0.05).wait() is None
