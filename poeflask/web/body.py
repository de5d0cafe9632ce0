"""The request's body: read once, within limits, as JSON."""

from __future__ import annotations

from typing import Any

import gevent
from flask import Flask, Request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from poeflask.core import json_text
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.web.current import current_request

_READ_S = 120.0
"""A body must have come after this long, if the app says nothing else; nginx, in front, buffers it
and is stricter."""

_PIECE_BYTES = 1024 * 1024
"""As much as gunicorn takes from the socket at once."""

_LIMIT_S = "poeflask.body_timeout_s"


def install(app: Flask, timeout_s: float) -> None:
    """Let the bodies of this app's requests take so long."""

    def allow() -> None:
        current_request().environ[_LIMIT_S] = timeout_s

    app.before_request(allow)


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object that the request's body is.

    What the content type says matters only if the body is no JSON: `curl -d` and many clients name
    a wrong one or none.

    Raises:
        ClientError: the body is compressed, not JSON, not an object, cut off or too slow.
    """
    try:
        value = json_text.read(content(request))
    except json_text.NotJsonError as error:
        if request.mimetype and not request.is_json:
            raise ClientError(
                ErrorKind.UNSUPPORTED_MEDIA_TYPE,
                f"The body is sent as {request.mimetype[:60]!r} and is no JSON; "
                "send JSON as 'application/json'.",
            ) from error
        raise ClientError(
            ErrorKind.INVALID_REQUEST, f"The body could not be read as JSON: {error}."
        ) from error
    if not isinstance(value, dict):
        raise ClientError(ErrorKind.INVALID_REQUEST, "The body must be a JSON object ({…}).")
    return value


def _all_bytes(request: Request) -> bytes | bytearray:
    """The whole body and no less: werkzeug takes a part of it for all in two cases."""
    length, stream = request.content_length, request.stream
    if length is None:
        body = stream.read()
        # What comes in chunks it cuts off at the limit; only the next read finds that out.
        stream.read(1)
        return body
    # werkzeug reads pieces so small that the server copies each byte of a large body ten times.
    piece = stream.read(min(_PIECE_BYTES, length))
    if len(piece) == length:
        return piece
    # Room for all is made only for whoever sends more than a promise.
    whole, came = bytearray(length), 0
    while piece:
        whole[came : came + len(piece)] = piece
        came += len(piece)
        if came == length:
            return whole
        piece = stream.read(min(_PIECE_BYTES, length - came))
    raise ClientDisconnected


def content(request: Request) -> bytes | bytearray:
    """The request's body as it came.

    Raises:
        ClientError: the body is compressed, cut off or too slow.
    """
    encoding = request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ClientError(
            ErrorKind.UNSUPPORTED_MEDIA_TYPE,
            f"The body is sent with Content-Encoding {encoding[:40]!r}; send it uncompressed.",
        )
    # Not a TimeoutError: werkzeug would take that for a client that left.
    limit_s = request.environ.get(_LIMIT_S, _READ_S)
    deadline = gevent.Timeout(limit_s)
    try:
        with deadline:
            return _all_bytes(request)
    except gevent.Timeout as late:
        if late is not deadline:
            raise
        raise ClientError(
            ErrorKind.REQUEST_TIMEOUT, f"The body did not arrive within {limit_s:g} seconds."
        ) from late
    except (ParseException, ClientDisconnected, OSError) as error:
        raise ClientError(
            ErrorKind.INVALID_REQUEST, "The body broke off or its framing is wrong."
        ) from error
