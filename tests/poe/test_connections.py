"""Tests of keeping connections while nobody needs them."""

import queue

import gevent
import pytest

from poeflask.poe.connections import KEEP_S, IdleConnections

from .conftest import chunked, sized, wired

DONE = b"event: done\ndata: {}\n\n"


class Clock:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    """Begins at nought."""
    return Clock()


@pytest.fixture
def idle(clock):
    """Room for two."""
    kept = IdleConnections(2, 60.0, clock=clock)
    yield kept
    kept.close()


@pytest.fixture
def make():
    """Makes connections, whose servers' ends stay open."""
    ends = []

    def made():
        connection, end = wired()
        ends.append(end)
        return connection, end

    yield made
    for end in ends:
        end.close()


def test_the_one_that_was_used_last_is_used_next(idle, make):
    """So that the others may grow old."""
    (first, _), (second, _) = make(), make()
    idle.give(first)
    idle.give(second)

    assert [second, first, None] == [idle.take(), idle.take(), idle.take()]
    first.close()
    second.close()


def test_those_that_are_too_old_are_closed(idle, make, clock):
    """The others are not."""
    (old, _), (young, _) = make(), make()
    idle.give(old)
    clock.now_s += 30
    idle.give(young)
    clock.now_s += 31
    idle.sweep()

    assert (True, False) == (old.is_closed, young.is_closed)


def test_one_that_is_too_old_is_not_given(idle, make, clock):
    """Also if nobody has closed it yet."""
    old, _ = make()
    idle.give(old)
    clock.now_s += 61

    assert idle.take() is None


def test_old_ones_are_looked_for_by_themselves(make):
    """While nothing else happens; many are closed bit by bit."""
    kept = IdleConnections(500, 0.02, 0.01)
    many = [make()[0] for _ in range(150)]
    for connection in many:
        kept.give(connection)
    with gevent.Timeout(5):
        while len(kept):
            gevent.sleep(0.005)

    assert all(connection.is_closed for connection in many)
    again, _ = make()
    kept.give(again)
    gevent.sleep(0.1)
    assert again.is_closed


def test_not_all_are_closed_at_once(make, clock):
    """The loop has more to do."""
    kept = IdleConnections(500, 60, clock=clock)
    for _ in range(150):
        kept.give(make()[0])
    clock.now_s += 61
    kept.sweep()

    assert 50 == len(kept)
    kept.close()


def test_more_than_there_is_room_for_are_closed(idle, make):
    """The youngest goes, since it is the one at hand."""
    three = [make()[0] for _ in range(3)]
    for connection in three:
        idle.give(connection)

    assert [False, False, True] == [connection.is_closed for connection in three]


def leave(end):
    """The server closes its end."""
    end.close()


def speak(end):
    """The server says what nobody asked for."""
    end.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")


@pytest.mark.parametrize("happens", [leave, speak])
def test_one_that_cannot_be_used_is_not_given(idle, make, happens):
    """The next one is."""
    (well, _), (stale, end) = make(), make()
    idle.give(well)
    idle.give(stale)
    happens(end)

    assert well is idle.take()
    assert stale.is_closed
    well.close()


def test_nothing_is_taken_of_what_comes(idle, make):
    """A look at a connection leaves its bytes where they are."""
    connection, end = make()
    idle.give(connection)
    ours = idle.take().sock
    end.sendall(b"a")
    ours.settimeout(1)

    assert b"a" == ours.recv(9)
    connection.close()


def test_busy_ones_are_counted(idle, make):
    """Also those that come back closed, or not at all."""
    connection, _ = make()
    for _ in range(3):
        idle.take()
    assert (0, 3) == (len(idle), idle.busy)

    idle.give(connection)
    idle.give(None)
    closed, _ = make()
    closed.close()
    idle.give(closed)
    assert (1, 0) == (len(idle), idle.busy)


def test_urllib3_sees_a_queue(idle, make):
    """Which is empty when there is none."""
    connection, _ = make()
    idle.put(connection, block=False)

    assert connection is idle.get(block=False)
    with pytest.raises(queue.Empty):
        idle.get(block=False)
    connection.close()


def test_all_requests_share_what_is_kept(poe, connect):
    """Queries and all others, one after the other."""
    poe.answers += [sized(b'{"current_point_balance": 5}'), chunked(DONE)] * 2
    client = connect(poe.url)
    for _ in range(2):
        client.balance("k")
        list(client.query("Bot", {}, "k"))

    assert 1 == poe.connections
    assert (1, 0) == client.connections()


def test_busy_queries_are_counted(poe, connect):
    """From the question on, and until the answer has ended or is let go."""
    poe.answers += [chunked(b"event: text\ndata: {}\n\n", end=b"")] * 3
    client = connect(poe.url)
    replies = [client.query("Bot", {}, "k") for _ in range(3)]
    for reply in replies:
        next(reply)

    assert (0, 3) == client.connections()
    for reply in replies:
        reply.close()
    assert (0, 0) == client.connections()


def test_an_old_connection_is_not_used_again(poe, connect, monkeypatch, clock):
    """Nor left open."""
    monkeypatch.setattr(IdleConnections.__init__, "__defaults__", (KEEP_S, 0.01, clock))
    poe.answers += [chunked(DONE)] * 2
    client = connect(poe.url)
    list(client.query("Bot", {}, "k"))
    clock.now_s += KEEP_S + 1

    assert poe.left.wait(1)
    assert (0, 0) == client.connections()
    list(client.query("Bot", {}, "k"))
    assert 2 == poe.connections


def test_a_closed_client_closes_what_it_keeps(poe, connect):
    """And connects anew if it is used again."""
    poe.answers += [chunked(DONE)] * 2
    client = connect(poe.url)
    list(client.query("Bot", {}, "k"))
    client.close()

    assert poe.left.wait(1)
    list(client.query("Bot", {}, "k"))
    assert 2 == poe.connections


def test_a_connection_under_another_tls_is_asked_by_urllib3(idle):
    """What is no socket cannot be looked into past its TLS."""

    class Wrapped:
        sock = object()
        is_closed = False
        is_connected = True

        def close(self):
            self.is_closed = True

    wrapped = Wrapped()
    idle.give(wrapped)

    assert wrapped is idle.take()
