"""Browser clients of other origins: allowed by setting, never with credentials."""

from __future__ import annotations

import re
from collections.abc import Collection

from flask import Flask, Response

from poeflask.web.current import current_request

_METHODS = "GET, POST, DELETE, OPTIONS"
_MAX_AGE_S = 86_400
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~, \t-]+", re.ASCII)
"""Names of headers with commas between: what a client sends is not sent back unread."""


def install(app: Flask, origins: Collection[str], *, closed: Collection[str] = ()) -> None:
    """Answer pre-flights and mark answers.

    A pre-flight is granted whatever headers it asks for: SDKs send many, and none of them gives a
    page of another origin more than it has, since keys are sent by hand and cookies never.

    Args:
        app: the app.
        origins: who may ask, such as "https://chat.example"; "*" for everybody.
        closed: first words of paths that are for pages of their own origin alone.
    """

    def is_closed(path: str) -> bool:
        return path.split("/", 2)[1] in closed

    def preflight() -> Response | None:
        request = current_request()
        if request.method != "OPTIONS" or is_closed(request.path):
            return None
        asks = "Access-Control-Request-Method" in request.headers
        return Response(status=204) if asks else None

    def mark(response: Response) -> Response:
        request = current_request()
        if is_closed(request.path):
            return response
        origin = request.environ.get("HTTP_ORIGIN")
        if origins and "*" not in origins:
            # Also where it is not allowed: a cache must not give one origin's answer to another.
            response.vary.add("Origin")
        if origin is None or not ("*" in origins or origin in origins):
            return response
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
        response.headers["Access-Control-Expose-Headers"] = "*"
        if request.method == "OPTIONS":
            wanted = request.headers.get("Access-Control-Request-Headers", "")
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_S)
            response.vary.add("Access-Control-Request-Headers")
            if _NAMES.fullmatch(wanted):
                response.headers["Access-Control-Allow-Headers"] = wanted
        return response

    app.before_request(preflight)
    app.after_request(mark)
