"""Log lines are events with fields: one for each request, none for each event of a stream."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from flask import Flask, Response

from poeflask.log_lines import structlog
from poeflask.web.current import current_request, kept
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

    Tracebacks show no local variables in either form: keys are among them. The journal of systemd
    is told the level of each line, so that it can be asked for those that warn.
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
            _for_journal(renderer) if _is_journal() else renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _is_journal() -> bool:
    """Whether standard error is what systemd reads for the journal."""
    about = os.fstat(_STANDARD_ERROR)
    return os.environ.get("JOURNAL_STREAM") == f"{about.st_dev}:{about.st_ino}"


def _for_journal(renderer: structlog.typing.Processor) -> structlog.typing.Processor:
    """As the renderer, with the level in front of each line, as sd-daemon(3) has it."""

    def render(logger: Any, name: str, event: structlog.typing.EventDict) -> str:
        mark = _JOURNAL_MARKS.get(name, "<6>")
        return mark + str(renderer(logger, name, event)).replace("\n", f"\n{mark}")

    return render


_STANDARD_ERROR = 2
_JOURNAL_MARKS = {"debug": "<7>", "warning": "<4>", "error": "<3>", "critical": "<2>"}
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
        given = current_request().environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_id("req_")
        now = kept()
        now.request_id = request_id
        now.line = Line(request_id)
        now.began = clock()

    def finish(response: Response) -> Response:
        request, now = current_request(), kept()
        response.headers["x-request-id"] = now.request_id
        if speaks_anthropic(request):
            response.headers["request-id"] = now.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        dialect, said, began = request.blueprint, now.line, now.began
        method, path, model = request.method, request.path, now.get("model", "")
        status = response.status_code

        def write() -> None:
            count(dialect or "none", said.outcome)
            log = _log.bind()
            # All that stands in the line takes longer than to see that nobody wants it.
            if log.is_enabled_for(logging.INFO):
                log.info(
                    "request",
                    request_id=said.request_id,
                    method=method,
                    path=shown(path),
                    status=status,
                    dialect=dialect,
                    model=shown(model) or None,
                    **said.facts(),
                    outcome=said.outcome,
                    seconds=round(clock() - began, 3),
                )
            # Who tells the facts knows this line: each would keep the other, and what was asked.
            said.facts = dict

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
    return cast("Line", kept().line)


def shown(text: str) -> str:
    """A client's words, short, on one line, and without what a terminal would obey."""
    short = text[:_SHOWN_CHARS]
    return short if short.isprintable() else short.encode("unicode_escape").decode()
