import socket
import time

import gevent
import pytest

from poeflask.simulator.journal import Connections
from poeflask.simulator.media import picture
from poeflask.simulator.steps import Answer, Cut, Open, Publish, Raw, Wait, text
from poeflask.simulator.stream import SOCKET, Client, ClientGoneError, CutError, respond


@pytest.fixture
def pair():
    """Two ends of a connection."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def answer(*steps, client=None):
    """The answer that the steps make, and the counts behind it."""
    connections = Connections()
    visit = connections.begin("bot")
    return respond(iter(steps), visit, client or Client({}), [].append), connections


def outcomes(connections):
    """How the answers ended."""
    return {name for name in ("open", "finished", "aborted", "cut") if connections.summary()[name]}


def test_each_step_is_a_piece_of_its_own():
    """Events and raw bytes are written one by one; opening writes nothing, but it writes."""
    got, connections = answer(Open(), text("a"), Raw(b"b"))

    assert [b"", b'event: text\r\ndata: {"text":"a"}\r\n\r\n', b"b"] == list(got.response)
    assert "text/event-stream; charset=utf-8" == got.content_type
    assert {"finished"} == outcomes(connections)


def test_an_answer_stands_in_place_of_a_stream():
    """A whole HTTP answer has its own status, type and headers."""
    whole = Answer(status=429, body="{}", headers={"Retry-After": "1"})
    got, connections = answer(Wait(0), whole)

    assert (429, b"{}", "1") == (got.status_code, got.data, got.headers["Retry-After"])
    assert "application/json" == got.content_type
    assert {"finished"} == outcomes(connections)


def test_nothing_may_follow_a_stream_but_its_events():
    """A bot that gives a whole answer behind other steps is wrong."""
    got, connections = answer(text("a"), Answer(status=200, body=""))

    with pytest.raises(TypeError, match="only visible step"):
        list(got.response)
    assert {"aborted"} == outcomes(connections)


def test_a_cut_breaks_the_body_off():
    """What was said before the cut is written, then the body fails."""
    got, connections = answer(text("a"), Cut(), text("b"))
    body = iter(got.response)

    assert b"event: text" == next(body)[:11]
    with pytest.raises(CutError):
        next(body)
    assert {"cut"} == outcomes(connections)


def test_an_unread_body_that_is_closed_is_aborted():
    """A server that cannot write any more closes the body: the client has left."""
    got, connections = answer(text("a"), text("b"))
    next(iter(got.response))
    got.response.close()

    assert {"aborted"} == outcomes(connections)


def test_files_are_published_before_they_are_told_of():
    """A file is on the shelf when the event that names it is written."""
    shelf = []
    visit = Connections().begin("bot")
    made = picture("a")
    got = respond(iter((Publish(made), text("a"))), visit, Client({}), shelf.append)

    assert [made] == shelf
    assert 1 == len(list(got.response))


def test_a_wait_lasts_as_long_as_it_says(pair):
    """A client that stays is waited with, be it seen or not."""
    for client in (Client({SOCKET: pair[0]}), Client({})):
        start = time.monotonic()
        client.wait(0.03)

        assert 0.03 <= time.monotonic() - start < 1


def test_a_client_that_leaves_is_noticed_at_once(pair):
    """The wait ends when the other end closes."""
    gevent.spawn_later(0.02, pair[1].close)
    start = time.monotonic()

    with pytest.raises(ClientGoneError):
        Client({SOCKET: pair[0]}).wait(60)
    assert time.monotonic() - start < 1


def test_a_client_that_talks_has_not_left(pair):
    """Bytes of a next request are no end; they stay unread."""
    pair[1].sendall(b"GET /")

    Client({SOCKET: pair[0]}).wait(0.02)
    assert b"GET /" == pair[0].recv(10)


def test_a_client_that_leaves_before_the_headers_gets_none(pair):
    """The answer to nobody breaks off at its first byte."""
    pair[1].close()
    got, connections = answer(Wait(60), text("a"), client=Client({SOCKET: pair[0]}))

    assert {"aborted"} == outcomes(connections)
    with pytest.raises(ClientGoneError):
        next(iter(got.response))
