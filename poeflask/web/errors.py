"""Every error leaves through here: in the shape of the API that was asked."""

from __future__ import annotations

from typing import cast

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from poeflask.core import json_text
from poeflask.core.dialect import ErrorShape, anthropic_error, openai_error
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeflaskError
from poeflask.log_lines import get_logger
from poeflask.web import logging
from poeflask.web.family import speaks_anthropic
from poeflask.web.logging import Line

_SHAPES = "poeflask.error_shapes"

_log = get_logger("poeflask")

_HTTP: dict[int, tuple[ErrorKind, str]] = {
    404: (
        ErrorKind.UNKNOWN_ROUTE,
        "There is no {method} {path} here. GET / lists what there is.",
    ),
    405: (ErrorKind.METHOD_NOT_ALLOWED, "{path} does not take {method}."),
    408: (ErrorKind.REQUEST_TIMEOUT, "The request did not arrive in time."),
    413: (ErrorKind.BODY_TOO_LARGE, "The request is larger than the {limit} bytes allowed here."),
    415: (ErrorKind.UNSUPPORTED_MEDIA_TYPE, "The body's content type is not one of ours."),
}


def install(app: Flask, shapes: dict[str, ErrorShape]) -> None:
    """Make the app answer errors.

    Args:
        app: the app.
        shapes: the error shape of each blueprint that speaks neither OpenAI's nor Anthropic's, and
            of the first words of its paths, for where there is no route.
    """
    app.extensions[_SHAPES] = shapes
    app.register_error_handler(PoeflaskError, answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)


def answer(error: PoeflaskError) -> Response:
    """The error as the client's API says it."""
    form = shape()(error, g.request_id)
    note(error, logging.line())
    body = json_text.write(form.body)
    response = Response(body, form.status, mimetype="application/json")
    response.headers.update(form.headers)
    return response


def bug(cause: BaseException, request_id: str) -> OwnError:
    """The error that a fault of our own is to a client; what it is, only the log says."""
    sentence = f"poeflask failed on this request; its log says more under {request_id}."
    error = OwnError(ErrorKind.INTERNAL, sentence)
    error.__cause__ = cause
    return error


def note(error: PoeflaskError, line: Line) -> None:
    """Keep an error for the log: its kind, and of a fault of our own the whole story."""
    line.outcome = error.kind.value
    if error.kind is ErrorKind.INTERNAL and error.__cause__ is not None:
        _log.error("bug", request_id=line.request_id, exc_info=error.__cause__)


def shape() -> ErrorShape:
    """The error shape of the API that the current request speaks."""
    if speaks_anthropic(request):
        return anthropic_error
    shapes = cast("dict[str, ErrorShape]", current_app.extensions[_SHAPES])
    first_word = request.path.split("/", 2)[1]
    return shapes.get(request.blueprint or first_word, openai_error)


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return cast("Response", error.get_response())
    if status >= 500:
        return _answer_bug(error)
    kind, sentence = _HTTP.get(status, (ErrorKind.INVALID_REQUEST, "{description}"))
    message = sentence.format(
        method=request.method,
        path=request.path[:200],
        limit=request.max_content_length,
        description=error.description or error.name,
    )
    response = answer(ClientError(kind, message))
    allowed = error.get_response().headers.get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def _answer_bug(error: Exception) -> Response:
    return answer(bug(error, g.request_id))
