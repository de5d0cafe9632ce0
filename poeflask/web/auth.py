"""Who asks: the key that a request brings, in the header of whichever family of APIs."""

from __future__ import annotations

import re
from hashlib import sha256

from werkzeug.datastructures import Headers

from poeflask.core.errors import ClientError, ErrorKind

_KEY = re.compile(r"[\x21-\x7e]{1,512}")


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
    if not _KEY.fullmatch(key):
        raise _refused("The API key holds characters that no key has, or is too long.")
    return key


def owner_of(key: str) -> str:
    """The name under which what belongs to a key is kept; it does not lead back to the key."""
    return sha256(b"poeflask owner\n" + key.encode()).hexdigest()[:32]


def _refused(sentence: str) -> ClientError:
    right = "Send your Poe key (https://poe.com/api_key) as 'Authorization: Bearer <key>'."
    return ClientError(ErrorKind.UNAUTHENTICATED, f"{sentence} {right}")
