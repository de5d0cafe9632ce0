"""An open answer as an HTTP response, streamed or whole, in any dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from flask import Request, Response

from poeflask.bridge import Answer
from poeflask.core import json_text
from poeflask.core.dialect import Encoder
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.reply import Failure, ReplyEvent
from poeflask.web.hangup import watch

_STREAM_HEADERS = {
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
    mimetype: str = "text/event-stream",
) -> Response:
    """The answer as a stream: server-sent events, or whatever `mimetype` says the encoder writes.

    Waits for the answer's beginning first, so that a refusal has its true status; but no longer
    than `first_event_wait_s`: then the stream opens and heartbeats keep it alive.

    Raises:
        PoeflaskError: the answer failed before it began.
    """
    stop_watching = watch(request.environ, lambda: answer.cancel(_gone()))

    def let_go() -> None:
        stop_watching()
        answer.close()

    _begin(answer, first_event_wait_s, let_go)
    response = Response(_frames(answer, encoder, heartbeat_s), mimetype=mimetype)
    response.headers.update(_STREAM_HEADERS)
    response.headers.update(headers)
    response.call_on_close(let_go)
    return response


def whole(
    request: Request, answer: Answer, encoder: Encoder, *, headers: Mapping[str, str]
) -> Response:
    """The answer as one JSON body.

    Raises:
        PoeflaskError: the answer failed, wherever.
    """
    stop_watching = watch(request.environ, lambda: answer.cancel(_gone()))
    try:
        events = _all_events(answer)
    finally:
        stop_watching()
        answer.close()
    body = json_text.write(encoder.whole(events))
    response = Response(body, mimetype="application/json")
    response.headers.update(headers)
    return response


def _begin(answer: Answer, wait_s: float, let_go: Callable[[], None]) -> None:
    begun = False
    try:
        answer.begin(wait_s)
        begun = True
    finally:
        if not begun:
            let_go()


def _frames(answer: Answer, encoder: Encoder, heartbeat_s: float) -> Iterator[str]:
    """One piece of the body for each batch of events; made of values, not of the request."""
    while not answer.is_over():
        batch = answer.next(heartbeat_s or None)
        if batch is None:
            yield encoder.heartbeat()
            continue
        text = encoder.feed(batch)
        if answer.is_over():
            text += encoder.close()
        if text:
            yield text


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
