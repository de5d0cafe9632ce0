"""Which family of APIs a request speaks, told before and without any route."""

from __future__ import annotations

from flask import Request

_ANTHROPIC_PATHS = ("/v1/messages", "/v1/messages/")


def speaks_anthropic(request: Request) -> bool:
    """Whether the answer must have Anthropic's shape.

    So it is for Anthropic's own paths, also where there is no route, and for whoever names a
    version of Anthropic's API on a path that several families share.
    """
    path = request.path
    own = path == _ANTHROPIC_PATHS[0] or path.startswith(_ANTHROPIC_PATHS[1])
    return own or "HTTP_ANTHROPIC_VERSION" in request.environ
