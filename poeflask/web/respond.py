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
from poeflask.relay import Outlet, client_of
from poeflask.web import draining, errors, fallback, logging
from poeflask.web.hangup import watch
from poeflask.web.logging import Line
from poeflask.web.services import services

EVENT_STREAM = "text/event-stream"

STREAM_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


def given(
    request: Request,
    answer: Answer,
    encoder: Encoder,
    *,
    streamed: bool,
    headers: Mapping[str, str],
    mimetype: str = EVENT_STREAM,
) -> Response:
    """The answer as the client wants it: as a stream of this type, or as one JSON body.

    Raises:
        PoeflaskError: as `stream` and `whole` do.
    """
    if not streamed:
        return whole(request, answer, encoder, headers=headers)
    here = services()
    return stream(
        request,
        answer,
        encoder,
        first_event_wait_s=here.first_event_wait_s,
        heartbeat_s=here.heartbeat_s,
        headers=headers,
        mimetype=mimetype,
    )


def stream(
    request: Request,
    answer: Answer,
    encoder: Encoder,
    *,
    first_event_wait_s: float,
    heartbeat_s: float,
    headers: Mapping[str, str],
    mimetype: str = EVENT_STREAM,
) -> Response:
    """The answer as a stream: server-sent events, or whatever `mimetype` says the encoder writes.

    Waits for the answer's beginning first, so that a refusal has its true status; but no longer
    than `first_event_wait_s`: then the stream opens and heartbeats keep it alive.

    Raises:
        PoeflaskError: the answer failed before it began.
    """
    line = logging.line()
    line.streamed = True
    let_go = _attend(request, answer, line)
    with ExitStack() as held:
        held.callback(let_go)
        answer.begin(first_event_wait_s)
        fallback.note(answer)
        client = client_of(request.environ)
        outlet: Outlet | None = None
        if client is not None:
            outlet = Outlet(client, encoder, lambda: answer.cancel(_gone()), time.monotonic)
        body = _Frames(answer, encoder, heartbeat_s, line, outlet)
        response = Response(iter(body), mimetype=mimetype)
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
        fallback.note(answer)


def json_body(body: Mapping[str, Any], *, headers: Mapping[str, str]) -> Response:
    """A response of one JSON object."""
    response = Response(json_text.written(body), mimetype="application/json")
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


class _Frames:
    """The body of a streamed answer, a piece for each batch of events.

    The server asks for the pieces by iterating. From the second on, what comes while it waits is
    written straight to the client, if there is a way.
    """

    def __init__(
        self,
        answer: Answer,
        encoder: Encoder,
        heartbeat_s: float,
        line: Line,
        outlet: Outlet | None,
    ) -> None:
        self._answer = answer
        self._encoder = encoder
        self._heartbeat_s = heartbeat_s
        self._line = line
        self._outlet = outlet
        self._said_s = time.monotonic()

    def __iter__(self) -> Iterator[str]:
        outlet: Outlet | None = None
        while not self._answer.is_over():
            text = self._next(outlet)
            if outlet is not None and outlet.torn:
                outlet.hang_up()
                return
            if text:
                self._said_s = time.monotonic()
                yield text
                # Only now the server has written the head.
                outlet = self._outlet

    def _next(self, outlet: Outlet | None) -> str:
        """What the next events, or their absence, make the dialect say."""
        batch = self._answer.next(self._left_s(), outlet) or []
        _note(batch, self._line)
        try:
            text = self._encoder.feed(batch) if batch else ""
            if self._answer.is_over():
                text += self._encoder.close()
        except Exception as cause:  # noqa: BLE001 - the status is sent: nobody else can tell the client
            return self._broken(cause)
        # Events may come and say nothing in this dialect, such as thoughts that are not shown.
        return text or self._heartbeat_if_due()

    def _left_s(self) -> float | None:
        """Seconds until the client must hear something; None if it need not."""
        if not self._heartbeat_s:
            return None
        said_s = self._said_s if self._outlet is None else max(self._said_s, self._outlet.said_s)
        return max(0.0, said_s + self._heartbeat_s - time.monotonic())

    def _heartbeat_if_due(self) -> str:
        return self._encoder.heartbeat() if self._left_s() == 0.0 else ""

    def _broken(self, cause: Exception) -> str:
        self._answer.close()
        broken: list[ReplyEvent] = [Failure(errors.bug(cause, self._line.request_id))]
        _note(broken, self._line)
        return self._encoder.feed(broken) + self._encoder.close()


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
