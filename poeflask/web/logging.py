"""Log lines are events with fields: one for each request, none for each event of a stream."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from flask import Flask, Response, g, request

from poeflask.log_lines import structlog
from poeflask.web.family import speaks_anthropic

_log = structlog.get_logger("poeflask")

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,128}")
_SHOWN_CHARS = 200


@dataclass(slots=True)
class Line:
    """What a request's log line says of how it went. Written when the answer is over.

    Whoever streams an answer keeps the line and sets the outcome: by then the request is gone.

    Attributes:
        request_id: the id that the answer bears.
        outcome: "ok" or the kind of the error that ended the answer.
        streamed: whether the answer is sent piece by piece.
        facts: what else is to be said of the answer, asked for when the line is written.
    """

    request_id: str
    outcome: str = "ok"
    streamed: bool = False
    facts: Callable[[], Mapping[str, object]] = dict


def configure(level: str, form: Literal["console", "json"]) -> None:
    """Send log events of at least this level to standard error, for people or for machines.

    Tracebacks show no local variables in either form: keys are among them.
    """
    for_machines = form == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if for_machines
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.ExceptionRenderer(_TRACEBACKS)
            if for_machines
            else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def install(
    app: Flask,
    *,
    clock: Callable[[], float],
    new_id: Callable[[str], str],
    count: Callable[[str, str], None] = lambda _dialect, _outcome: None,
) -> None:
    """Give every request an id, every answer its `x-request-id`, and both one log line.

    Anthropic's clients look for the id under `request-id`, so they find it there too.

    A client's own `x-request-id` is kept if it looks like one, so that nginx and poeflask can tell
    of the same request.

    Args:
        app: the app.
        clock: seconds since 1970.
        new_id: an id that cannot be guessed, behind the given prefix.
        count: told of each request's API and outcome when it is over.
    """

    def begin() -> None:
        given = request.headers.get("x-request-id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else new_id("req_")
        g.line = Line(g.request_id)
        g.began = clock()

    def finish(response: Response) -> Response:
        response.headers["x-request-id"] = g.request_id
        if speaks_anthropic(request):
            response.headers["request-id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        dialect = request.blueprint
        facts = {
            "request_id": g.request_id,
            "method": request.method,
            "path": shown(request.path),
            "status": response.status_code,
            "dialect": dialect,
            "model": shown(g.get("model", "")) or None,
        }
        said, began = line(), g.began

        def write() -> None:
            seconds = _since(began, clock)
            _log.info("request", **facts, **said.facts(), outcome=said.outcome, seconds=seconds)
            count(dialect or "none", said.outcome)

        # A file that is passed through is not closed by way of its response.
        if response.direct_passthrough:
            write()
        else:
            response.call_on_close(write)
        return response

    app.before_request(begin)
    app.after_request(finish)


def line() -> Line:
    """The log line of the current request."""
    return cast("Line", g.line)


def shown(text: str) -> str:
    """A client's words, short, on one line, and without what a terminal would obey."""
    short = text[:_SHOWN_CHARS]
    return short if short.isprintable() else short.encode("unicode_escape").decode()


def _since(began: float, clock: Callable[[], float]) -> float:
    return round(clock() - began, 3)
