"""Log lines are events with fields: one for each request, none for each event of a stream."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Literal

import structlog
from flask import Flask, Response, g, request

from poeflask.web.family import speaks_anthropic

_log = structlog.get_logger("poeflask")

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,128}")


def configure(level: str, form: Literal["console", "json"]) -> None:
    """Send log events of at least this level to standard error, for people or for machines."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.dict_tracebacks
            if form == "json"
            else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def install(app: Flask, *, clock: Callable[[], float], new_id: Callable[[str], str]) -> None:
    """Give every request an id, every answer its `x-request-id`, and both one log line.

    Anthropic's clients look for the id under `request-id`, so they find it there too.

    A client's own `x-request-id` is kept if it looks like one, so that nginx and poeflask can tell
    of the same request.
    """

    def begin() -> None:
        given = request.headers.get("x-request-id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else new_id("req_")
        g.began = clock()

    def finish(response: Response) -> Response:
        response.headers["x-request-id"] = g.request_id
        if speaks_anthropic(request):
            response.headers["request-id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        facts = {
            "request_id": g.request_id,
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "model": g.get("model"),
            "outcome": g.get("outcome", "ok"),
        }
        began = g.began
        response.call_on_close(lambda: _log.info("request", **facts, seconds=_since(began, clock)))
        return response

    app.before_request(begin)
    app.after_request(finish)


def _since(began: float, clock: Callable[[], float]) -> float:
    return round(clock() - began, 3)
