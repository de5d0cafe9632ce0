"""The spellings of a path that clients use for the same route."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SLASHES = re.compile(r"/{2,}")
_DOUBLED = re.compile(r"^(/v1){2,}(?=/|$)")
_BEHIND_VERSION = re.compile(r"/v1/[^/]")


def canonical(path: str, versioned: frozenset[str]) -> str:
    """The path as the routes spell it.

    Clients double slashes, double `/v1` when their base address has one already, leave it out when
    it has none, and put a slash at the end.

    Args:
        path: the path of the request.
        versioned: the first words of all routes under /v1, such as "chat" and "models".
    """
    path = _SLASHES.sub("/", path)
    path = _DOUBLED.sub("/v1", path)
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    path = f"/v1{path}" if first in versioned else path
    return path.rstrip("/") if _BEHIND_VERSION.match(path) else path


def google_path(path: str, environ: Mapping[str, Any]) -> str:
    """The path under /v1beta for a client of Google's that asks for models under /v1.

    Google's API and OpenAI's have /v1/models in common; where and how a client says its key tells
    whose it is.
    """
    shared = path == "/v1/models" or path.startswith("/v1/models/")
    if not shared or not (_GOOGLE_HEADERS & environ.keys() or _has_key(environ)):
        return path
    return f"/v1beta{path.removeprefix('/v1')}"


_GOOGLE_HEADERS = frozenset({"HTTP_X_GOOG_API_KEY", "HTTP_X_GOOG_API_CLIENT"})


def _has_key(environ: Mapping[str, Any]) -> bool:
    return "&key=" in f"&{environ.get('QUERY_STRING', '')}"


class CanonicalPaths:
    """WSGI middleware that rewrites the path before it is routed."""

    def __init__(self, app: WSGIApplication, versioned: Iterable[str]) -> None:
        self._app = app
        self._versioned = frozenset(versioned)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = canonical(environ.get("PATH_INFO", ""), self._versioned)
        environ["PATH_INFO"] = google_path(path, environ)
        return self._app(environ, start_response)


def versioned_words(rules: Iterable[str]) -> frozenset[str]:
    """The first words behind /v1 of all these URL rules."""
    return frozenset(rule.split("/")[2] for rule in rules if rule.startswith("/v1/"))
