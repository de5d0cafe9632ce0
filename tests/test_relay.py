"""Tests of the short way from Poe's connection to the client's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import gevent
import pytest
from gevent import socket
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import Pause, ReplyEvent, TextDelta
from poeflask.core.sse import Decoder
from poeflask.filters.chain import Chain
from poeflask.poe.body import Dechunker
from poeflask.poe.wire import Reader
from poeflask.relay import Outlet, Relay, client_of, is_cut, plain_texts

Pair = tuple[socket.socket, socket.socket]


def chunk(content: bytes) -> bytes:
    """The content as a chunk."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def text(string: str, line_end: str = "\r\n") -> bytes:
    """A text event as a chunk; the string as it is written."""
    return chunk(f'event: text{line_end}data: {{"text": {string}}}{line_end * 2}'.encode())


SOMETHING_ELSE = (
    *(b"0\r\n\r\n", b"zz\r\n", b"5;a=b\r\nevent\r\n", b"\r\n", b"event: text\r\n"),
    chunk(b"event: done\r\ndata: {}\r\n\r\n"),
    chunk(b'event: text\r\ndata: {"text": "a", "index": 1}\r\n\r\n'),
    chunk(b'event: text\r\ndata: {"text": 1}\r\n\r\n'),
    chunk(b'event: text\r\nid: 1\r\ndata: {"text": "a"}\r\n\r\n'),
    chunk(b'event: text\r\ndata: {"text": "a"}\r\n\r\n' * 2),
    text(r'"\ud83d"'),
    text(r'"\x"'),
    text('"\t"'),
    chunk(b'event: text\r\ndata: {"text": "\xff"}\r\n\r\n'),
    b"10" + text('"a"'),
)


def test_the_texts_of_whole_plain_chunks_are_joined() -> None:
    """With LF or CRLF, and with whatever JSON may say in a string."""
    data = text('"a "') + text(r'"\u00e9\n\"\ud83d\ude00"', "\n") + text('"é"') + text('""')

    assert ('a é\n"\U0001f600é', b"") == plain_texts(data)


@pytest.mark.parametrize("rest", SOMETHING_ELSE)
def test_what_is_not_plain_is_left_as_it_came(rest: bytes) -> None:
    """Texts before it are taken, or left too if it is not clear where they end."""
    string, left = plain_texts(text('"a"') + rest)

    assert ("", rest) == plain_texts(rest)
    assert (string, left) in (("a", rest), ("", text('"a"') + rest))


def by_the_long_way(data: bytes) -> list[ReplyEvent]:
    """The events that the readers of body, events and JSON make of the bytes."""
    reader = Reader()
    reader.feed([])
    return reader.feed(Decoder().feed(Dechunker().feed(data)))


_STRINGS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs", "Cc"])),
        st.sampled_from([r"\n", r"\"", r"\\", r"\u00e9", r"\ud83d\ude00", r"\/", r"\ud83d", '"']),
    ),
    max_size=4,
).map(lambda pieces: '"' + "".join(pieces) + '"')


@given(st.lists(st.tuples(_STRINGS, st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=4))
def test_both_ways_read_the_same(events: list[tuple[str, str]]) -> None:
    """Whatever is taken here, the long way would have read as the same text."""
    data = b"".join(text(*event) for event in events)
    string, rest = plain_texts(data)
    taken = data[: len(data) - len(rest)]

    assert data == taken + rest
    assert ([TextDelta(string)] if string else []) == by_the_long_way(taken)


def test_a_cut_event_is_waited_for() -> None:
    """Wherever it is cut, it is never taken for something else, and is taken once it is whole."""
    data = text('"word"')

    for at in range(1, len(data) - 2):
        assert ("", data[:at]) == plain_texts(data[:at])
        assert is_cut(data[:at])
    # Here all of the event has come, and only the chunk's end has not.
    assert not any(is_cut(data[:at]) for at in range(len(data) - 2, len(data)))


@pytest.mark.parametrize(
    "data",
    [
        *(b"0\r\n\r\n", b"x", b"5 \r\n", b"\r\n", b"5\n", b"5\r\nevent: done", b"123456789"),
        b"ffff\r\nevent: text\r\ndata: " + b"a" * 20_000,
        b'ffff\r\nevent: text\r\ndata: {"text": "a"}\r\n\r\nevent: te',
    ],
)
def test_nothing_else_is_waited_for(data: bytes) -> None:
    """Neither an end nor what another reader understands, nor a whole event in a longer chunk."""
    assert not is_cut(data)


class Answer:
    """An answer with an outlet that remembers what it was given."""

    def __init__(self, *, keeps_up: bool = True) -> None:
        self.outlet: Any = self
        self.watch = self
        self.texts: list[str] = []
        self.seen: list[str] = []
        self._keeps_up = keeps_up

    def heard(self, string: str) -> None:
        self.seen.append(string)

    def say(self, string: str) -> bool:
        self.texts.append(string)
        return self._keeps_up


class Holds:
    """A filter that holds texts with an x."""

    follow_up = None

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        return list(events)


def relay(answer: Answer, *filters: Any) -> Relay:
    """A relay to the answer through these filters."""
    return Relay(Chain(lambda: list(filters), list), answer)


def test_plain_texts_are_said_at_once() -> None:
    """All that came together as one; those who look on are told."""
    answer = Answer()
    made = relay(answer)

    assert made.take(text('"a"') + text('"b"')) is None
    assert made.take(text('""')) is None
    assert (["ab"], ["ab"], []) == (answer.texts, answer.seen, made.left)


def test_an_event_that_is_cut_is_said_when_it_is_whole() -> None:
    """Nothing of it takes the long way, and what else comes with its end does."""
    answer = Answer()
    made = relay(answer)
    data, done = text('"a"') + text('"b"'), chunk(b"event: done\r\ndata: {}\r\n\r\n")

    assert made.take(data[:-5]) is None
    assert made.take(data[-5:] + done) == done
    assert ["a", "b"] == answer.texts


@pytest.mark.parametrize("data", [b"", text('"b"')])
def test_what_was_kept_goes_the_long_way_when_the_short_one_is_closed(data: bytes) -> None:
    """Nobody waits for it any more, or its other half will never come."""
    answer = Answer()
    made = relay(answer)
    made.take(text('"a"')[:9])
    answer.outlet = None if data else answer

    assert text('"a"')[:9] + data == made.take(data)
    assert [] == answer.texts


def test_a_text_that_a_filter_wants_is_left_for_it() -> None:
    """Unchanged, and before what came with it."""
    answer = Answer()
    made = relay(answer, Holds())
    done = chunk(b"event: done\r\ndata: {}\r\n\r\n")

    assert done == made.take(text('"x"') + done)
    assert [TextDelta("x"), Pause()] == made.left
    assert b"" == made.take(text('"x"') + text('"y"')[:9])
    assert ([], []) == (answer.texts, answer.seen)


def test_a_client_that_is_behind_stops_the_short_way() -> None:
    """Whoever sees to it has nothing to feed but a Pause."""
    answer = Answer(keeps_up=False)
    made = relay(answer)

    assert b"" == made.take(text('"a"'))
    assert ([Pause()], ["a"]) == (made.left, answer.seen)


# The outlet


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a connection."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


class Plainly:
    """A dialect that writes bare texts, or texts in a frame."""

    def __init__(self, text_frame: tuple[bytes, bytes] | None = None) -> None:
        self.text_frame = text_frame

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        return "".join(event.text for event in events if isinstance(event, TextDelta))


def outlet(here: socket.socket, gone: list[str] | None = None, **dialect: Any) -> Outlet:
    """An outlet to this socket."""
    told: list[str] = [] if gone is None else gone
    encoder: Any = Plainly(**dialect)
    return Outlet(here, encoder, lambda: told.append("gone"), time.monotonic)


def received(there: socket.socket, size: int) -> bytes:
    """So many bytes of what was sent."""
    content = b""
    while len(content) < size:
        content += there.recv(size - len(content))
    return content


def said(string: str) -> list[ReplyEvent]:
    """A batch of one text."""
    return [TextDelta(string), Pause()]


def test_a_piece_is_a_chunk(pair: Pair) -> None:
    """As the server would write it, in bytes, not letters."""
    here, there = pair
    made = outlet(here)
    made.write(said("é" * 8))

    assert b"10\r\n" + "é".encode() * 8 + b"\r\n" == there.recv(99)
    assert (False, True) == (made.torn, 0 < made.said_s <= time.monotonic())


@pytest.mark.parametrize(("frame", "content"), [(None, 'é"\n'), ((b"<", b">"), r'<"é\"\n">')])
def test_a_text_is_said_in_the_frame_of_the_dialect(
    pair: Pair, frame: tuple[bytes, bytes] | None, content: str
) -> None:
    """Or as the dialect writes it, if each frame is another."""
    here, there = pair

    assert outlet(here, text_frame=frame).say('é"\n')
    assert chunk(content.encode()) == there.recv(99)


def test_a_slow_client_is_waited_for(pair: Pair) -> None:
    """Nothing is lost, however much does not fit into the connection."""
    here, there = pair
    string = "x" * 3_000_000
    writer = gevent.spawn(outlet(here).write, said(string))
    content = received(there, len(string) + 10)
    writer.get()

    assert chunk(string.encode()) == content


def test_an_interrupted_piece_is_torn(pair: Pair) -> None:
    """Whoever would write next can know, and hangs up."""
    here, there = pair
    made = outlet(here)
    writer = gevent.spawn(made.write, said("x" * 3_000_000))
    gevent.sleep(0.01)
    writer.kill()

    assert made.torn
    made.hang_up()
    while there.recv(1_000_000):
        pass


def test_a_client_that_is_gone_is_told_of(pair: Pair) -> None:
    """Then nothing more can be said, and hanging up is no error."""
    here, there = pair
    there.close()
    gone: list[str] = []
    made = outlet(here, gone)
    made.write(said("x"))

    assert made.say("y")
    assert ["gone", "gone"] == gone
    made.hang_up()


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
    assert client_of(environ) is None


def test_what_does_not_fit_is_left_for_the_next_write(pair: Pair) -> None:
    """Nothing waits, nothing is lost, and until then the piece is torn."""
    here, there = pair
    made = outlet(here)
    string = "x" * 3_000_000
    fitted = made.say(string)
    torn = made.torn
    writer = gevent.spawn(made.write, said("yz"))
    whole = chunk(string.encode()) + chunk(b"yz")

    assert (False, True) == (fitted, torn)
    assert whole == received(there, len(whole))
    writer.get()
    assert not made.torn
    assert made.say("a")
    assert chunk(b"a") == there.recv(99)


def test_nothing_is_no_piece(pair: Pair) -> None:
    """An empty chunk would end the body."""
    here, there = pair
    made = outlet(here)
    made.write([Pause()])

    assert made.say("")
    assert made.say("a")
    assert chunk(b"a") == there.recv(99)
