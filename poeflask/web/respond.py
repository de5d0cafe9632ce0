"""An open answer as an HTTP response, streamed or whole, in any dialect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from flask import Request, Response

from poeflask.bridge import Answer
from poeflask.core import json_text
from poeflask.core.dialect import Encoder
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.reply import Failure, ReplyEvent
from poeflask.web import draining, errors, logging
from poeflask.web.hangup import watch
from poeflask.web.logging import Line

STREAM_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


def stream(
    request: Request,
    answer: Answer,
    encoder: Encoder,
    *,
    first_event_wait_s: float,
    heartbeat_s: float,
    headers: Mapping[str, str],
) -> Response:
    """The answer as server-sent events.

    Waits for the answer's beginning first, so that a refusal has its true status; but no longer
    than `first_event_wait_s`: then the stream opens and heartbeats keep it alive.

    Raises:
        PoeflaskError: the answer failed before it began.
    """
    line = logging.line()
    let_go = _attend(request, answer, line)
    with ExitStack() as held:
        held.callback(let_go)
        answer.begin(first_event_wait_s)
        body = _frames(answer, encoder, heartbeat_s, line)
        response = Response(body, mimetype="text/event-stream")
        response.headers.update(STREAM_HEADERS)
        response.headers.update(headers)
        response.call_on_close(let_go)
        held.pop_all()
    return response


def whole(
    request: Request, answer: Answer, encoder: Encoder, *, headers: Mapping[str, str]
) -> Response:
    """The answer as one JSON body.

    Raises:
        PoeflaskError: the answer failed, wherever.
    """
    return json_body(encoder.whole(all_events(request, answer)), headers=headers)


def all_events(request: Request, answer: Answer) -> list[ReplyEvent]:
    """All events of the answer, once it is complete; it is let go of, and the client watched.

    Raises:
        PoeflaskError: the answer failed, wherever.
    """
    let_go = _attend(request, answer, logging.line())
    try:
        return _all_events(answer)
    finally:
        let_go()


def json_body(body: Mapping[str, Any], *, headers: Mapping[str, str]) -> Response:
    """A response of one JSON object."""
    response = Response(json_text.write(body), mimetype="application/json")
    response.headers.update(headers)
    return response


def _attend(request: Request, answer: Answer, line: Line) -> Callable[[], None]:
    """Let the answer end when its client leaves or the worker stops; give what lets go of it."""
    stop_watching = watch(request.environ, lambda: answer.cancel(_gone()))
    drain = draining.drain()
    drain.add(answer)

    def let_go() -> None:
        stop_watching()
        drain.discard(answer)
        if not answer.is_over() and line.outcome == "ok":
            # The server stopped asking for more: the last write did not reach the client.
            line.outcome = ErrorKind.CLIENT_GONE.value
        answer.close()

    return let_go


def _frames(answer: Answer, encoder: Encoder, heartbeat_s: float, line: Line) -> Iterator[str]:
    """One piece of the body for each batch of events; made of values, not of the request."""
    said_s = time.monotonic()
    while not answer.is_over():
        text = _next(answer, encoder, heartbeat_s, line)
        now_s = time.monotonic()
        # Events may come and say nothing in this dialect, such as thoughts that are not shown.
        if not text and heartbeat_s and now_s - said_s >= heartbeat_s:
            text = encoder.heartbeat()
        if text:
            said_s = now_s
            yield text


def _next(answer: Answer, encoder: Encoder, heartbeat_s: float, line: Line) -> str:
    """What the next events, or their absence, make the dialect say."""
    batch = answer.next(heartbeat_s or None)
    if batch is None:
        return encoder.heartbeat()
    _note(batch, line)
    try:
        text = encoder.feed(batch)
        return text + encoder.close() if answer.is_over() else text
    except Exception as cause:  # noqa: BLE001 - the status is sent: nobody else can tell the client
        answer.close()
        broken: list[ReplyEvent] = [Failure(errors.bug(cause, line.request_id))]
        _note(broken, line)
        return encoder.feed(broken) + encoder.close()


def _note(batch: Sequence[ReplyEvent], line: Line) -> None:
    """Keep for the log how the answer failed, if it did."""
    if batch and isinstance(batch[-1], Failure):
        errors.note(batch[-1].error, line)


def _all_events(answer: Answer) -> list[ReplyEvent]:
    events: list[ReplyEvent] = []
    while not answer.is_over():
        batch = answer.next()
        events += batch or ()
        if batch and isinstance(batch[-1], Failure):
            raise batch[-1].error
    return events


def _gone() -> ClientError:
    return ClientError(ErrorKind.CLIENT_GONE, "The client closed its connection.")
