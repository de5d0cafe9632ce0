"""Tests of reading replies, sent by a server that may do anything."""

import gzip
import time
from contextlib import suppress
from functools import partial

import gevent
import pytest

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import Failure, Finish, Note, Pause, TextDelta
from poeflask.core.sse import MAX_EVENT_BYTES

from .conftest import DONE, SSE, A, B, ask, chunked, head, sized, told


def test_each_read_is_a_batch(poe, connect):
    """Every list but the last ends in a Pause, and comes as soon as its bytes have."""
    wait = gevent.event.Event()

    def answer(sock):
        whole = chunked(A, B + DONE)
        sock.sendall(whole[: whole.index(A) + len(A) + 2])
        wait.wait(2)
        sock.sendall(whole[whole.index(A) + len(A) + 2 :])

    poe.answers.append(answer)
    batches = connect(poe.url).query("Bot", {}, "key")
    first = next(batches)
    wait.set()

    assert [TextDelta("a"), Pause()] == first
    assert [[TextDelta("b"), Finish("stop")]] == list(batches)


def test_an_answer_does_not_wait_for_the_end_of_its_body(poe, connect):
    """Behind the end little is read and not for long; then the connection is closed."""
    poe.answers.append(chunked(DONE, end=b""))
    client = connect(poe.url, idle_timeout_s=30)
    start = time.monotonic()

    assert [Finish("stop")] == told(client)
    assert time.monotonic() - start < 3
    assert poe.left.wait(2)


@pytest.mark.parametrize("cut", range(len(A + DONE)))
def test_cuts_by_the_network_do_not_matter(poe, connect, cut):
    """Wherever the chunks are cut, the answer is the same."""
    whole = A + DONE
    poe.answers.append(chunked(*(piece for piece in (whole[:cut], whole[cut:]) if piece)))

    assert [TextDelta("a"), Finish("stop")] == told(connect(poe.url))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(head(**{"Content-Type": SSE["Content-Type"]}) + A + DONE, id="closed"),
        pytest.param(sized(A + DONE, content_type="text/event-stream"), id="sized"),
        pytest.param(
            sized(
                gzip.compress(A + DONE),
                content_type="Text/Event-Stream;charset=x",
                Content_Encoding="gzip",
            ),
            id="gzip",
        ),
    ],
)
def test_every_framing_is_read(poe, connect, answer):
    """Chunks, a length, the connection's end, and compression that nobody asked for."""
    poe.hang_up = True
    poe.answers.append(answer)

    assert [TextDelta("a"), Finish("stop")] == told(connect(poe.url))


def test_an_answer_without_done_ends_properly(poe, connect):
    """The end of the bytes is the end of the answer."""
    poe.answers.append(chunked(A))

    assert [TextDelta("a"), Finish("stop")] == told(connect(poe.url))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(chunked(A, end=b""), id="no last chunk"),
        pytest.param(chunked(A, end=b"5\r\nab"), id="inside a chunk"),
        pytest.param(chunked(A, end=b"zz\r\n"), id="no chunk size"),
        pytest.param(head(Content_Length=999, **SSE) + A, id="too short"),
        pytest.param(head(**SSE) + A + B[:-2], id="inside an event"),
        pytest.param(chunked(A, B[:-1]), id="inside an event, well framed"),
    ],
)
def test_a_cut_answer_is_told_from_a_whole_one(poe, connect, answer):
    """What came still holds; then it says that the connection broke."""
    poe.hang_up = True
    poe.answers.append(answer)
    got = told(connect(poe.url))

    message = "The connection to Poe broke before its answer was complete."
    assert [TextDelta("a"), Failure(PoeError(ErrorKind.POE_BROKEN, message))] == got


def test_half_a_character_is_given_back_when_the_connection_breaks(poe, connect):
    """What was held comes before the failure."""
    poe.hang_up = True
    poe.answers.append(chunked(b'event: text\ndata: {"text": "\\ud83d"}\n\n', end=b""))
    held, end = told(connect(poe.url))

    assert TextDelta("\ufffd") == held
    assert isinstance(end, Failure)


def test_silence_within_an_answer_ends_it(poe, connect):
    """When Poe says nothing for too long, the answer fails and its connection is closed."""
    poe.answers.append(chunked(A, end=b""))
    start = time.monotonic()
    got = told(connect(poe.url, idle_timeout_s=0.1))

    failure = Failure(PoeError(ErrorKind.POE_TIMEOUT, "Poe did not answer in time."))
    assert [TextDelta("a"), failure] == got
    assert time.monotonic() - start < 0.9
    assert poe.left.wait(2)


def test_an_event_without_end_breaks_the_answer(poe, connect):
    """It is not collected for ever, and not waited for."""

    def flood(sock):
        with suppress(OSError):
            sock.sendall(head(**SSE) + b"data: " + b"x" * MAX_EVENT_BYTES)
            sock.sendall(b"x")

    poe.answers.append(flood)
    got = told(connect(poe.url))

    assert [event.error.kind for event in got] == [ErrorKind.POE_BROKEN]
    assert poe.left.wait(2)


def test_strangers_are_reported(poe, connect):
    """The client's owner learns of event names that are not known."""
    names = []
    poe.answers.append(chunked(b"event: new\ndata: {}\n\n", DONE))
    ask(connect(poe.url, on_unknown=names.append))

    assert names == ["new"]


def test_the_key_is_kept_out_of_failures(poe, connect):
    """Also when Poe repeats it."""
    poe.answers.append(chunked(b'event: error\ndata: {"text": "Invalid token k-1234567"}\n\n'))
    (end,) = told(connect(poe.url), key="k-1234567")

    assert end.error.message == "Invalid token [key]"


# Going away


def test_killing_the_reader_before_the_answer_hangs_up(poe, connect):
    """Poe sees at once that nobody waits any more."""
    poe.answers.append(lambda _sock: None)
    reader = gevent.spawn(ask, connect(poe.url, idle_timeout_s=30))
    assert poe.asked.wait(2)
    reader.kill()

    assert poe.left.wait(1)


def test_killing_the_reader_within_the_answer_hangs_up(poe, connect):
    """Also while Poe is silent."""
    got = []

    def read():
        got.extend(connect(poe.url, idle_timeout_s=30).query("Bot", {}, "key"))

    poe.answers.append(chunked(A, end=b""))
    reader = gevent.spawn(read)
    assert poe.asked.wait(2)
    gevent.sleep(0.05)
    reader.kill()

    assert poe.left.wait(1)
    assert [[TextDelta("a"), Pause()]] == got


def test_closing_the_generator_hangs_up(poe, connect):
    """Whoever stops reading in the middle closes the connection."""
    poe.answers.append(chunked(A, end=b""))
    batches = connect(poe.url, idle_timeout_s=30).query("Bot", {}, "key")
    next(batches)
    batches.close()

    assert poe.left.wait(1)


# What is let through


class Taker:
    """Takes the bytes that come in the loop, as these answers say."""

    def __init__(self, *answers):
        self.left = []
        self.took = []
        self._answers = list(answers)

    def take(self, data):
        self.took.append((data, gevent.getcurrent()))
        answer = self._answers.pop(0) if self._answers else data
        return answer(self) if callable(answer) else answer


def let_through(poe, connect, *pieces, relay):
    """What comes out of a reply whose pieces come one after the other behind the first text."""
    poe.answers.append(partial(one_by_one, [A, *pieces, DONE]))
    reply = connect(poe.url).query("Bot", {}, "key")
    got = [next(reply)]
    reply.relay = relay
    return [*got, *reply]


def one_by_one(pieces, sock):
    """Send each piece of an answer for itself, but the first together with the head."""
    first, *others = pieces
    sock.sendall(chunked(first, end=b""))
    for piece in others:
        gevent.sleep(0.005)
        sock.sendall(framed(piece))
    sock.sendall(b"0\r\n\r\n")


def framed(piece):
    """The piece as a chunk."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def test_what_comes_is_let_through_in_the_loop(poe, connect):
    """As it came; only what is left of it comes out."""
    suggested = b'event: suggested_reply\ndata: {"text": "more"}\n\n'
    relay = Taker(None)
    got = let_through(poe, connect, B, suggested, relay=relay)

    assert [framed(B), framed(suggested)] == [data for data, _ in relay.took[:2]]
    assert {gevent.get_hub()} == {greenlet for _, greenlet in relay.took}
    assert [TextDelta("a"), Note("suggested_reply", {"text": "more"}), Finish("stop")] == [
        event for batch in got for event in batch if event != Pause()
    ]


@pytest.mark.parametrize("bytes_left", [b"", framed(B)])
def test_what_the_relay_has_left_comes_out_before_all_else(poe, connect, bytes_left):
    """Also if nothing else is left, and at once."""

    def leave(relay):
        relay.left = [TextDelta("x"), Pause()]
        return bytes_left

    got = let_through(poe, connect, A, relay=Taker(leave))
    behind = [[TextDelta("b"), Pause()]] if bytes_left else []

    assert [[TextDelta("a"), Pause()], [TextDelta("x"), Pause()], *behind] == got[:-1]


def test_a_body_is_let_through_only_between_whole_events_and_chunks(poe, connect):
    """Half an event, and half a character, wait for their other half on the long way."""
    half = b'event: text\ndata: {"text": "\\ud83d"}\n\n'
    other_half = b'event: text\ndata: {"text": "\\ude00"}\n\n'
    relay = Taker()
    got = let_through(poe, connect, B[:9], B[9:], half, other_half, B, relay=relay)

    assert "ab\U0001f600b" == "".join(
        event.text for batch in got for event in batch if isinstance(event, TextDelta)
    )
    assert [framed(B[:9]), framed(half), framed(B)] == [data for data, _ in relay.took[:3]]


def test_what_fails_in_the_loop_reaches_the_reader(poe, connect):
    """Whoever reads the reply would wait for ever else."""

    def fail(_relay):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        let_through(poe, connect, B, relay=Taker(fail))


def test_a_connection_that_breaks_is_told_to_who_takes(poe, connect):
    """What it had kept comes out first."""

    def broken(sock):
        sock.sendall(chunked(A, end=b""))
        gevent.sleep(0.005)
        sock.sendall(framed(B)[:-9])

    poe.answers.append(broken)
    poe.hang_up = True
    reply = connect(poe.url).query("Bot", {}, "key")
    got = [next(reply)]
    reply.relay = relay = Taker(None, framed(B))
    got += list(reply)

    assert b"" == relay.took[1][0]
    assert [TextDelta("b"), Pause()] in got
    assert isinstance(got[-1][-1], Failure)


def test_a_broken_text_in_the_loop_fails_the_reply(poe, connect):
    """As it does out of it."""
    broken = b'event: text\ndata: {"text": 1}\n\n'
    got = let_through(poe, connect, broken, relay=Taker())

    assert isinstance(got[-1][-1], Failure)
