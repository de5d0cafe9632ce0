"""The request's body: read once, within limits, as JSON."""

from __future__ import annotations

from typing import Any

import gevent
from flask import Request
from gunicorn.http.errors import ParseException

from poeflask.core import json_text
from poeflask.core.errors import ClientError, ErrorKind

_READ_S = 120.0
"""A body must have come after this long; nginx, in front, buffers it and is stricter."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object that the request's body is.

    Any content type is taken as JSON but a form's, since many clients name none or a wrong one.

    Raises:
        ClientError: the body is compressed, a form, not JSON, not an object, cut off or too slow.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ClientError(
            ErrorKind.UNSUPPORTED_MEDIA_TYPE,
            f"The body is sent with Content-Encoding {encoding[:40]!r}; send it uncompressed.",
        )
    if request.mimetype in _FORMS:
        raise ClientError(
            ErrorKind.UNSUPPORTED_MEDIA_TYPE,
            f"The body is sent as {request.mimetype!r}; send JSON as 'application/json'.",
        )
    try:
        value = json_text.read(_bytes(request))
    except json_text.NotJsonError as error:
        raise ClientError(
            ErrorKind.INVALID_REQUEST, f"The body could not be read as JSON: {error}."
        ) from error
    if not isinstance(value, dict):
        raise ClientError(ErrorKind.INVALID_REQUEST, "The body must be a JSON object ({…}).")
    return value


def _bytes(request: Request) -> bytes:
    try:
        with gevent.Timeout(_READ_S, TimeoutError()):
            return request.get_data(cache=False)
    except TimeoutError as error:
        raise ClientError(
            ErrorKind.REQUEST_TIMEOUT, f"The body did not arrive within {_READ_S:g} seconds."
        ) from error
    except (ParseException, OSError) as error:
        raise ClientError(
            ErrorKind.INVALID_REQUEST, "The body broke off or its framing is wrong."
        ) from error
