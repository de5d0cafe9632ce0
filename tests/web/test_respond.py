"""Open answers as HTTP responses, over a real bridge to a Poe that is a list of batches."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gevent
import pytest
from flask import Flask, Response, request
from werkzeug.test import TestResponse

from poeflask.bridge import Answer, Batch, Bridge, Patience
from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import Prompt
from poeflask.core.reply import Failure, Finish, Pause, ReplyEvent, TextDelta
from poeflask.filters.chain import Chain, Wants
from poeflask.web import draining, respond
from tests.web.conftest import Log

SILENCE = 30.0
Step = Batch | float | Exception
Pair = tuple[socket.socket, socket.socket]
HELLO: list[Step] = [[TextDelta("Hel")], [TextDelta("lo"), Pause()], [Finish()]]


class Poe:
    """Plays a script: batches, seconds of silence, faults; counts how often it was closed."""

    def __init__(self, *script: Step) -> None:
        self.script = script
        self.closed = 0

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    gevent.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1


class Letters:
    """A dialect whose frames are the text itself, and a word for each thing besides."""

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        return "".join(map(self._frame, events))

    def _frame(self, event: ReplyEvent) -> str:
        match event:
            case TextDelta(text):
                return text
            case Failure(error):
                return f"<{error.kind.value}>"
        return ""

    def close(self) -> str:
        return "<end>"

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        return {"text": self.feed(events)}

    text_frame = None

    def heartbeat(self) -> str:
        return "<beat>"


class Broken(Letters):
    """A dialect with a bug that only some texts find."""

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        if TextDelta("lo") in events:
            raise ZeroDivisionError
        return super().feed(events)


class Ruined(Broken):
    """A dialect that cannot even say that it failed."""

    def close(self) -> str:
        raise ZeroDivisionError


def route(
    app: Flask,
    poe: Poe,
    *,
    stream: bool = True,
    encoder: Letters | None = None,
    wait_s: float = 5.0,
    heartbeat_s: float = 0.0,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Let GET /a answer with what this Poe says."""
    bridge = Bridge(
        ask=poe,
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: Chain(list, list),
        patience=Patience(tries=1),
    )

    def view() -> Response:
        answer = bridge.open(
            Prompt(bot="Echo", messages=()), Caller(owner="somebody", poe_key="key"), Wants()
        )
        dialect = encoder or Letters()
        if not stream:
            return respond.whole(request, answer, dialect, headers=headers or {})
        return respond.stream(
            request,
            answer,
            dialect,
            first_event_wait_s=wait_s,
            heartbeat_s=heartbeat_s,
            headers=headers or {},
        )

    app.add_url_rule("/a", view_func=view)


def get(app: Flask, client: socket.socket | None = None) -> TestResponse:
    """The answer of GET /a, its body not yet read."""
    return app.test_client().get("/a", environ_overrides={"gunicorn.socket": client})


def outcomes(log: Log) -> list[object]:
    """The outcomes of all request lines."""
    gevent.sleep(0.01)
    return [entry["outcome"] for entry in log if entry["event"] == "request"]


def kept_answers() -> int:
    """How many answers this process knows, some of them from tests before."""
    gevent.sleep(0.01)
    gc.collect()
    return sum(isinstance(one, Answer) for one in gc.get_objects())


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until it holds, for two seconds at most."""
    with gevent.Timeout(2):
        while not condition():
            gevent.sleep(0.005)


def test_a_stream_is_the_frames_of_its_events(app: Flask, log: Log) -> None:
    """With headers that let nothing hold it back, and those of the route."""
    poe = Poe(*HELLO)
    route(app, poe, headers={"x-poeflask-ignored": "user"})
    response = get(app)

    assert "Hello<end>" == response.text
    assert (200, "text/event-stream") == (response.status_code, response.mimetype)
    assert "no" == response.headers["X-Accel-Buffering"]
    assert "no-transform" in response.headers["Cache-Control"]
    assert "user" == response.headers["x-poeflask-ignored"]
    response.close()
    assert (["ok"], 1) == (outcomes(log), poe.closed)


def test_a_whole_answer_is_one_object(app: Flask, log: Log) -> None:
    """JSON, with the headers of the route."""
    route(app, Poe(*HELLO), stream=False, headers={"x-poeflask-ignored": "user"})
    response = get(app)
    response.close()

    assert {"text": "Hello"} == response.json
    assert "user" == response.headers["x-poeflask-ignored"]
    assert ["ok"] == outcomes(log)


@pytest.mark.parametrize("stream", [True, False])
def test_what_fails_before_it_begins_has_its_own_status(app: Flask, log: Log, stream: bool) -> None:
    """A refusal is no stream."""
    poe = Poe([Pause()], PoeError(ErrorKind.NO_POINTS, "No."))
    route(app, poe, stream=stream)
    response = get(app)
    response.close()

    assert (429, "insufficient_quota") == (response.status_code, response.json["error"]["code"])
    assert (["no_points"], 1) == (outcomes(log), poe.closed)


def test_a_stream_that_fails_says_so_to_client_and_log(app: Flask, log: Log) -> None:
    """After the first byte the status is 200; the line tells the truth all the same."""
    route(app, Poe([TextDelta("Hel")], PoeError(ErrorKind.POE_BROKEN, "No.")))
    response = get(app)

    assert "Hel<poe_broken><end>" == response.text
    response.close()
    assert ["poe_broken"] == outcomes(log)


def test_a_whole_answer_that_breaks_off_is_an_error(app: Flask, log: Log) -> None:
    """Half an answer is never given for a whole one."""
    route(app, Poe([TextDelta("Hel")], PoeError(ErrorKind.POE_BROKEN, "No.")), stream=False)
    response = get(app)
    response.close()

    assert (502, ["poe_broken"]) == (response.status_code, outcomes(log))


def test_a_stream_opens_when_the_wait_is_over(app: Flask) -> None:
    """Then heartbeats keep it alive until there is something to say."""
    route(app, Poe(SILENCE), wait_s=0.01, heartbeat_s=0.01)
    response = get(app)
    frames = response.iter_encoded()

    assert [b"<beat>", b"<beat>"] == [next(frames), next(frames)]
    response.close()


def test_events_that_say_nothing_do_not_still_the_heart(app: Flask) -> None:
    """A bot that thinks aloud, to a dialect that does not show it, is silent to the client."""
    poe = Poe([TextDelta("a")], *[[Pause()]] * 2, SILENCE)
    route(app, poe, heartbeat_s=0.001)
    response = get(app)
    frames = response.iter_encoded()

    assert b"a" == next(frames)
    gevent.sleep(0.01)
    assert b"<beat>" == next(frames)
    response.close()


@pytest.mark.parametrize(("heartbeat_s", "pause_s"), [(5, 0.0), (0, 0.03)])
def test_no_heartbeats_where_none_are_wanted(
    app: Flask, heartbeat_s: float, pause_s: float
) -> None:
    """An answer that comes quickly needs none, and 0 seconds mean never."""
    route(app, Poe([TextDelta("a")], pause_s, [Pause()], [Finish()]), heartbeat_s=heartbeat_s)

    assert "a<end>" == get(app).text


@pytest.mark.parametrize("script", [[[TextDelta("Hel")], SILENCE], [[TextDelta("a")]] * 50])
@pytest.mark.parametrize("reads", [0, 1])
def test_a_stream_that_nobody_reads_on_is_let_go_of(
    app: Flask, log: Log, script: list[Step], reads: int
) -> None:
    """Whether or not its first frame was taken: Poe's connection closes, the line tells why."""
    poe = Poe(*script)
    route(app, poe)
    response = get(app)
    frames = response.iter_encoded()
    for _ in range(reads):
        next(frames)
    response.close()
    wait_until(lambda: poe.closed == 1)

    assert ["client_gone"] == outcomes(log)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_while_poe_is_silent(app: Flask, log: Log, stream: bool) -> None:
    """The answer ends at once, before it began or in its middle."""
    client, server = socket.socketpair()
    poe = Poe(SILENCE)
    route(app, poe, stream=stream)
    gevent.spawn_later(0.02, client.close)
    with gevent.Timeout(2):
        response = get(app, server)
    response.close()
    server.close()

    assert 499 == response.status_code
    assert (["client_gone"], 1) == (outcomes(log), poe.closed)


def test_a_client_that_leaves_in_the_middle(app: Flask, log: Log) -> None:
    """Nothing waits for the next write to find it out."""
    client, server = socket.socketpair()
    poe = Poe([TextDelta("Hel")], SILENCE)
    route(app, poe)
    response = get(app, server)
    gevent.spawn_later(0.02, client.close)
    with gevent.Timeout(2):
        text = response.text
    response.close()
    server.close()

    assert "Hel<client_gone><end>" == text
    assert (["client_gone"], 1) == (outcomes(log), poe.closed)


@pytest.mark.parametrize("stream", [True, False])
def test_nothing_is_kept_of_an_answer_that_was_given(app: Flask, log: Log, stream: bool) -> None:
    """A worker gives thousands of them before it stops."""
    route(app, Poe(*HELLO), stream=stream)
    before = kept_answers()
    get(app).close()

    assert before >= kept_answers()


@pytest.mark.parametrize("stream", [True, False])
def test_nobody_watches_the_client_after_the_answer(app: Flask, log: Log, stream: bool) -> None:
    """The next request on the connection is the server's to read, and leaving then is no matter."""
    client, server = socket.socketpair()
    route(app, Poe(*HELLO), stream=stream)
    response = get(app, server)
    assert "Hello" in response.text
    response.close()
    client.sendall(b"GET")
    assert b"GET" == server.recv(10)
    client.close()
    assert b"" == server.recv(10)
    server.close()

    assert ["ok"] == outcomes(log)


def test_a_fault_in_a_dialect_ends_the_stream_with_an_error(app: Flask, log: Log) -> None:
    """It is neither a success nor silence, and the log tells it whole."""
    poe = Poe(*HELLO)
    route(app, poe, encoder=Broken())
    response = get(app)

    assert "Hel<internal><end>" == response.text
    response.close()
    told = [entry for entry in log if entry["event"] == "bug"]
    assert [("req_new", ZeroDivisionError)] == [
        (entry["request_id"], type(entry["exc_info"])) for entry in told
    ]
    assert ["internal"] == outcomes(log)


def test_a_dialect_that_cannot_fail_properly_breaks_the_stream(app: Flask, log: Log) -> None:
    """The server cuts the connection: also then nobody takes it for a success."""
    poe = Poe(*HELLO)
    route(app, poe, encoder=Ruined())
    response = get(app)
    with pytest.raises(ZeroDivisionError):
        assert response.text
    response.close()

    assert (["internal"], 1) == (outcomes(log), poe.closed)


@pytest.mark.parametrize("stream", [True, False])
def test_a_fault_while_the_answer_is_read_is_told_with_the_id(
    app: Flask, log: Log, capfd: pytest.CaptureFixture[str], stream: bool
) -> None:
    """The client reads that it failed, the log why."""
    route(app, Poe(ZeroDivisionError("odd")), stream=stream)
    response = get(app)
    response.close()

    assert "ZeroDivisionError" in capfd.readouterr().err
    assert (500, "internal_error") == (response.status_code, response.json["error"]["code"])
    assert [("bug", "req_new")] == [
        (entry["event"], entry["request_id"]) for entry in log if entry["event"] == "bug"
    ]


def test_headers_that_cannot_be_sent_leave_nothing_open(app: Flask, log: Log) -> None:
    """Whatever fails between the beginning and the first byte lets go of Poe."""
    poe = Poe([TextDelta("Hel")], SILENCE)
    route(app, poe, headers={"a": "b\r\nc: d"})
    response = get(app)
    response.close()
    wait_until(lambda: poe.closed == 1)

    assert (500, ["internal"]) == (response.status_code, outcomes(log))


def test_a_stream_ends_with_an_error_when_the_worker_must_stop(app: Flask, log: Log) -> None:
    """Its client is told that another try makes sense."""
    poe = Poe([TextDelta("Hel")], SILENCE)
    route(app, poe)
    response = get(app)
    with app.app_context():
        draining.drain().follow(lambda: False, 0.01)

    assert "Hel<draining><end>" == response.text
    response.close()
    assert (["draining"], 1) == (outcomes(log), poe.closed)


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The client's end of a connection and the server's."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def both_ways(response: TestResponse, client: socket.socket) -> tuple[bytes, bytes]:
    """What the server was given to write, and what was written straight to the client."""
    given = b"".join(response.iter_encoded())
    response.close()
    client.setblocking(False)
    try:
        return given, client.recv(100_000)
    except BlockingIOError:
        return given, b""


def test_behind_the_first_frame_all_but_the_last_goes_straight_to_the_client(
    app: Flask, log: Log, pair: Pair
) -> None:
    """The server writes the head, the first piece and the end; the rest needs no server."""
    client, server = pair
    route(app, Poe([TextDelta("a")], 0.01, [TextDelta("b")], 0.01, [TextDelta("é")], [Finish()]))
    given, straight = both_ways(get(app, server), client)

    assert (b"a<end>", b"1\r\nb\r\n2\r\n\xc3\xa9\r\n") == (given, straight)
    assert ["ok"] == outcomes(log)


def test_heartbeats_wait_for_silence_whoever_wrote_last(app: Flask, pair: Pair) -> None:
    """What goes straight to the client keeps the line alive too."""
    client, server = pair
    word: list[Step] = [[TextDelta("a")], 0.03]
    route(app, Poe([TextDelta("a")], 0.01, *word * 10, 0.15, [Finish()]), heartbeat_s=0.1)
    given, straight = both_ways(get(app, server), client)

    assert (b"a<beat><end>", 10) == (given, straight.count(b"a"))


def test_a_dialect_that_fails_on_the_way_straight_to_the_client(
    app: Flask, log: Log, capfd: pytest.CaptureFixture[str], pair: Pair
) -> None:
    """The client is told as by any other way."""
    client, server = pair
    route(app, Poe([TextDelta("a")], 0.01, [TextDelta("lo")], SILENCE), encoder=Broken())
    given, straight = both_ways(get(app, server), client)

    assert (b"a<internal><end>", b"") == (given, straight)
    assert ["internal"] == outcomes(log)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_an_answer_that_is_cut_inside_a_piece_hangs_up(app: Flask, log: Log, pair: Pair) -> None:
    """Written behind half a piece, the error would be taken for its other half."""
    client, server = pair
    poe = Poe([TextDelta("a")], 0.01, [TextDelta("b" * 3_000_000)], SILENCE)
    route(app, poe)
    response = get(app, server)
    frames = response.iter_encoded()
    assert b"a" == next(frames)
    with app.app_context():
        drain = draining.drain()
    gevent.spawn_later(0.1, drain.follow, lambda: False, 0.01)

    assert [] == list(frames)
    response.close()
    assert (["draining"], 1) == (outcomes(log), poe.closed)
    while client.recv(1_000_000):
        pass
