"""The way through the loop, held against the way through the generators, byte by byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from functools import partial

import gevent
import pytest
from flask import Flask, Response, request

from poeflask.core.errors import PoeflaskError
from poeflask.poe.body import Dechunker
from poeflask.poe.client import PoeClient
from poeflask.relay import Outlet
from poeflask.web import draining, logging, respond
from tests.golden.corpus import DIALECTS, Case, Dialect, answered, cases, opened, reads, stream_body
from tests.poe.conftest import RawServer, head

_HEAD = head(Content_Type="text/event-stream", Transfer_Encoding="chunked")


@pytest.fixture(scope="module")
def poe() -> Iterator[RawServer]:
    """Stands where Poe would."""
    server = RawServer()
    server.hang_up = True
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(poe: RawServer) -> Iterator[PoeClient]:
    """The way to it."""
    made = PoeClient(
        base_url=poe.url,
        upload_url=poe.url,
        connect_timeout_s=5,
        idle_timeout_s=5,
        pool_size=1,
        user_agent="test",
    )
    yield made
    made.close()


def slowly(pieces: Sequence[bytes], sock: socket.socket) -> None:
    """Send an answer so that each of these pieces is read alone."""
    sock.sendall(_HEAD)
    for piece in pieces:
        let_others_read()
        sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    let_others_read()
    sock.sendall(b"0\r\n\r\n")


def let_others_read() -> None:
    """Let the loop go round, more than once: in one round this may be woken before a reader."""
    for _ in range(3):
        gevent.sleep(0.0003)


def served(case: Case, dialect: Dialect, client: PoeClient, to: socket.socket) -> int:
    """Answer as a server would, through this socket; tells the pieces that the server wrote."""
    app = Flask("small", static_folder=None)
    logging.install(app, clock=lambda: 5.0, new_id=str)
    draining.install(app)

    @app.get("/a")
    def view() -> Response:
        answer = opened(
            case, lambda _prompt, key, sent: client.query("Bot", {}, key, sent), dialect.wants
        )
        encoder = dialect.encoder(case)
        return respond.stream(
            request, answer, encoder, first_event_wait_s=5, heartbeat_s=0, headers={}
        )

    written = 0
    with app.test_client().get("/a", environ_overrides={"gunicorn.socket": to}) as response:
        for piece in response.response:
            content = piece if isinstance(piece, bytes) else piece.encode()
            to.sendall(b"%x\r\n%b\r\n" % (len(content), content))
            written += 1
    to.sendall(b"0\r\n\r\n")
    return written


def heard(there: socket.socket) -> bytes:
    """The whole body, without its framing."""
    unchunk, content = Dechunker(), b""
    while not unchunk.ended:
        content += unchunk.feed(there.recv(1 << 16))
    return content


def begins(case: Case) -> bool:
    """Whether there is a stream at all, and not a refusal in its place."""
    return not isinstance(answered(case, list(map(reads, case.replies))), PoeflaskError)


_BEGUN = [*filter(begins, cases())]
_OTHERS = sorted(DIALECTS.keys() - {"chat"})
_PAIRS = [
    *((case, "chat") for case in _BEGUN),
    *((case, _OTHERS[number % len(_OTHERS)]) for number, case in enumerate(_BEGUN)),
]
"""Each case in the dialect that is asked most, and in one of the others."""


@pytest.mark.parametrize(("case", "name"), _PAIRS, ids=lambda one: getattr(one, "name", one))
def test_both_ways_write_the_same_bytes(
    case: Case, name: str, poe: RawServer, client: PoeClient
) -> None:
    """Over real connections, however much of the answer takes the short way."""
    dialect = DIALECTS[name]
    batches = answered(case, list(map(reads, case.replies)), dialect.wants)
    assert isinstance(batches, list)
    poe.answers.extend(partial(slowly, reads(reply)) for reply in case.replies)
    here, there = socket.socketpair()
    with here, there:
        reading = gevent.spawn(heard, there)
        served(case, dialect, client, here)
        got = reading.get(timeout=30).decode()
    poe.answers.clear()

    # Whoever hands a broken connection over says it in his own words.
    broken = "broke before its answer was complete."
    assert stream_body(dialect.encoder(case), batches) == got.replace(broken, "broke.")


def test_most_of_an_answer_takes_the_short_way(poe: RawServer, client: PoeClient) -> None:
    """The server itself writes only the first piece and the end of a long plain text."""
    words = [b'event: text\r\ndata: {"text": "word%d "}\r\n\r\n' % number for number in range(50)]
    pieces = [*words, b"event: done\r\ndata: {}\r\n\r\n"]
    poe.answers.append(partial(slowly, pieces))
    here, there = socket.socketpair()
    with here, there:
        reading = gevent.spawn(heard, there)
        written = served(cases()[0], DIALECTS["chat"], client, here)

        assert reading.get(timeout=30).count(b"word") == 50
    assert written <= 3


def in_bursts(size: int, pieces: Sequence[bytes], sock: socket.socket) -> None:
    """Send an answer in parts of this many bytes, wherever its chunks begin and end."""
    sock.sendall(_HEAD)
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    for at in range(0, len(body), size):
        let_others_read()
        sock.sendall(body[at : at + size])


@pytest.mark.parametrize("size", [7, 50, 333])
def test_it_is_found_again_wherever_what_comes_is_cut(
    size: int, poe: RawServer, client: PoeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an event is no reason to take the long way from there on."""
    said: list[str] = []
    say = Outlet.say
    monkeypatch.setattr(Outlet, "say", lambda self, text: said.append(text) or say(self, text))
    words = [b'event: text\r\ndata: {"text": "word%d "}\r\n\r\n' % number for number in range(50)]
    pieces = [*words, b"event: done\r\ndata: {}\r\n\r\n"]
    poe.answers.append(partial(in_bursts, size, pieces))
    here, there = socket.socketpair()
    with here, there:
        reading = gevent.spawn(heard, there)
        served(cases()[0], DIALECTS["chat"], client, here)

        assert reading.get(timeout=5).count(b"word") == 50
    assert "".join(said).count("word") >= 25
