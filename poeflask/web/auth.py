"""Who asks: the key that a request brings, where its API's clients put it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.web.current import current_request, kept
from poeflask.web.services import services

_KEY = re.compile(r"[\x21-\x7e]{1,512}")


def caller_of(headers: Headers) -> Caller:
    """Whoever sent these headers; see `key_of`."""
    return caller_with(key_of(headers))


def caller_for_google(headers: Headers, query: Mapping[str, str]) -> Caller:
    """Whoever sent this as Google's clients do; see `key_for_google`."""
    return caller_with(key_for_google(headers, query))


def caller_or_local(headers: Headers, local_key: str) -> Caller:
    """Whoever sent these headers, or the owner of `local_key`; see `key_or_local`."""
    return caller_with(key_or_local(headers, local_key))


def caller_with(key: str) -> Caller:
    """The caller that a key stands for; the current request remembers whose it is."""
    caller = services().doorkeeper.caller(key, current_request().remote_addr or "")
    kept().caller = caller
    return caller


def key_of(headers: Headers) -> str:
    """The key of `Authorization: Bearer <key>`, `x-api-key: <key>` or `xi-api-key: <key>`.

    The first of them that is there wins.

    Raises:
        ClientError: kind UNAUTHENTICATED, if there is none or it cannot be a key.
    """
    scheme, _, bearer = headers.get("Authorization", "").strip().partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise _refused("The Authorization header names another scheme than Bearer.")
    others = (headers.get(name, "").strip() for name in ("x-api-key", "xi-api-key"))
    key = bearer.strip() or next(filter(None, others), "")
    if not key:
        raise _refused("You did not send an API key.")
    return _checked(key)


def key_for_google(headers: Headers, query: Mapping[str, str]) -> str:
    """The key where Google's clients put it, `x-goog-api-key` or `?key=`; else as in `key_of`.

    Raises:
        ClientError: kind UNAUTHENTICATED, if there is none or it cannot be a key.
    """
    key = headers.get("x-goog-api-key", "").strip() or query.get("key", "").strip()
    return _checked(key) if key else key_of(headers)


def key_or_local(headers: Headers, local_key: str) -> str:
    """The key of the request as in `key_of`, or `local_key` if it brings none.

    A page of a foreign origin gets no key that it does not bring itself: else every page that a
    person opens could spend the points of that person.

    Raises:
        ClientError: kind UNAUTHENTICATED, if there is none or it cannot be a key.
    """
    # Programs with an empty field for a key send the scheme alone.
    said = headers.get("Authorization", "").strip().lower()
    if said not in ("", "bearer") or headers.get("x-api-key", "").strip():
        return key_of(headers)
    if not local_key:
        raise _refused("You did not send an API key, and no POEFLASK_LOCAL_KEY stands in for it.")
    if not _is_local(headers.get("Origin", "")):
        raise _refused("Pages of other origins must send an API key of their own.")
    return local_key


_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_APP_SCHEMES = frozenset({"app", "file", "tauri", "vscode-webview", "vscode-file"})
"""Programs that show pages of their own; Ollama trusts the same ones."""


def _is_local(origin: str) -> bool:
    """Whether no page asks, or one of this machine."""
    if not origin:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.hostname in _LOCAL_HOSTS or parts.scheme in _APP_SCHEMES


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise _refused("The API key holds characters that no key has, or is too long.")
    return key


def _refused(sentence: str) -> ClientError:
    right = (
        "Send your Poe key (https://poe.com/api_key), or one that you were given for this server, "
        "as 'Authorization: Bearer <key>'."
    )
    return ClientError(ErrorKind.UNAUTHENTICATED, f"{sentence} {right}")
