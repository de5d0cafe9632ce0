"""What Poe says when it fails, as a PoeError: statuses, error bodies, error events, web pages.

What Poe names (a type or a code) counts first, then the HTTP status, then the sentence. A sentence
only decides where the rest says no more than "wrong request" or "failed". Poe's own sentence stays
the message, without control characters, cut to a length, and never with the key in it.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError

MAX_MESSAGE_CHARS = 1000
MAX_RETRY_AFTER_S = 24 * 3600.0
MIN_SECRET_CHARS = 8
"""What is shorter is no key, and might be a word of the message."""

_MAX_STRANGE_CHARS = 200

TYPES: dict[str, ErrorKind] = {
    # `error_type` of the protocol's error event
    "user_message_too_long": ErrorKind.CONTEXT_TOO_LONG,
    "insufficient_fund": ErrorKind.NO_POINTS,
    "user_caused_error": ErrorKind.BOT_REJECTED,
    "privacy_authorization_error": ErrorKind.REFUSED,
    # `type` and `code` of the gateway's error bodies
    "invalid_request_error": ErrorKind.BOT_REJECTED,
    "authentication_error": ErrorKind.BAD_KEY,
    "invalid_api_key": ErrorKind.BAD_KEY,
    "insufficient_credits": ErrorKind.NO_POINTS,
    "insufficient_quota": ErrorKind.NO_POINTS,
    "moderation_error": ErrorKind.REFUSED,
    "permission_error": ErrorKind.REFUSED,
    "not_found_error": ErrorKind.UNKNOWN_MODEL,
    "model_not_found": ErrorKind.UNKNOWN_MODEL,
    "timeout_error": ErrorKind.POE_TIMEOUT,
    "request_too_large": ErrorKind.CONTEXT_TOO_LONG,
    "context_length_exceeded": ErrorKind.CONTEXT_TOO_LONG,
    "rate_limit_error": ErrorKind.RATE_LIMITED,
    "rate_limit_exceeded": ErrorKind.RATE_LIMITED,
    "overloaded_error": ErrorKind.OVERLOADED,
    "provider_error": ErrorKind.POE_FAILED,
    "upstream_error": ErrorKind.POE_FAILED,
}

STATUSES: dict[int, ErrorKind] = {
    400: ErrorKind.BOT_REJECTED,
    401: ErrorKind.BAD_KEY,
    402: ErrorKind.NO_POINTS,
    403: ErrorKind.REFUSED,
    404: ErrorKind.UNKNOWN_MODEL,
    408: ErrorKind.POE_TIMEOUT,
    413: ErrorKind.CONTEXT_TOO_LONG,
    422: ErrorKind.BOT_REJECTED,
    429: ErrorKind.RATE_LIMITED,
    500: ErrorKind.POE_FAILED,
    502: ErrorKind.POE_UNREACHABLE,
    503: ErrorKind.POE_UNAVAILABLE,
    504: ErrorKind.POE_TIMEOUT,
    # Cloudflare's own: it could not reach Poe, or Poe did not answer it in time.
    520: ErrorKind.POE_UNAVAILABLE,
    521: ErrorKind.POE_UNAVAILABLE,
    522: ErrorKind.POE_TIMEOUT,
    523: ErrorKind.POE_UNAVAILABLE,
    524: ErrorKind.POE_TIMEOUT,
    529: ErrorKind.OVERLOADED,
}

PHRASES: tuple[tuple[str, ErrorKind], ...] = (
    ("rate limit", ErrorKind.RATE_LIMITED),
    ("too many requests", ErrorKind.RATE_LIMITED),
    ("needs more points", ErrorKind.NO_POINTS),
    ("not have enough points", ErrorKind.NO_POINTS),
    ("insufficient points", ErrorKind.NO_POINTS),
    ("insufficient fund", ErrorKind.NO_POINTS),
    ("out of points", ErrorKind.NO_POINTS),
    ("bot does not exist", ErrorKind.UNKNOWN_MODEL),
    ("bot not found", ErrorKind.UNKNOWN_MODEL),
    ("unknown bot", ErrorKind.UNKNOWN_MODEL),
    ("model does not exist", ErrorKind.UNKNOWN_MODEL),
    ("model not found", ErrorKind.UNKNOWN_MODEL),
    ("invalid token", ErrorKind.BAD_KEY),
    ("invalid api key", ErrorKind.BAD_KEY),
    ("unauthorized", ErrorKind.BAD_KEY),
    ("context length", ErrorKind.CONTEXT_TOO_LONG),
    ("context window", ErrorKind.CONTEXT_TOO_LONG),
    ("prompt is too long", ErrorKind.CONTEXT_TOO_LONG),
    ("message is too long", ErrorKind.CONTEXT_TOO_LONG),
    ("message too long", ErrorKind.CONTEXT_TOO_LONG),
    ("input is too long", ErrorKind.CONTEXT_TOO_LONG),
    ("overloaded", ErrorKind.OVERLOADED),
    ("timed out", ErrorKind.POE_TIMEOUT),
    ("not support tool", ErrorKind.BOT_REJECTED),
    ("not support function", ErrorKind.BOT_REJECTED),
)
"""Lower-case words of Poe's sentences; the first that is found decides."""

_VAGUE = frozenset({ErrorKind.BOT_REJECTED, ErrorKind.POE_FAILED, ErrorKind.POE_BROKEN})
_FIREWALL = frozenset({400, 401, 403})
_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_TITLE = re.compile(r"<title[^>]*>([^<]{0,300})", re.IGNORECASE)
_HTML = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)


def from_status(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    content_type: str,
    *,
    now: float,
    secret: str = "",
) -> PoeError:
    """The error that an HTTP answer stands for.

    Args:
        status: the HTTP status; 200 stands for an answer of the wrong kind.
        headers: the answer's headers, their names in any case.
        body: the body or its beginning.
        content_type: the Content-Type header, or empty.
        now: seconds since 1970, for a Retry-After that is a date.
        secret: what must not appear in the message (the key).
    """
    text = body.decode("utf-8", "replace")
    retry_after_s = _retry_after(headers, now)
    if "html" in content_type.lower() or _HTML.match(text):
        return _from_page(status, text, retry_after_s)
    said = _said(text)
    reason = said.sentence or f"Poe answered with status {status} and gave no reason."
    if status < 400:
        shown = content_type or "no content type"
        strange = reason[:_MAX_STRANGE_CHARS]
        reason = f"Poe answered with status {status} and {shown}, not as it should: {strange}"
    return PoeError(
        _kind(said, _of_status(status)),
        _clean(reason, secret),
        param=said.param,
        code=said.code,
        retry_after_s=retry_after_s,
        allow_retry=said.allow_retry,
    )


def from_event(data: Mapping[str, Any], *, secret: str = "") -> PoeError:
    """The error that an `error` event stands for.

    Args:
        data: the event's JSON object; every field may be missing.
        secret: what must not appear in the message (the key).
    """
    said = _Said(data)
    reason = said.sentence or "The bot failed and gave no reason."
    return PoeError(
        _kind(said, ErrorKind.POE_FAILED),
        _clean(reason, secret),
        param=said.param,
        code=said.code,
        allow_retry=said.allow_retry,
    )


class _Said:
    """What an error body says, in whichever of its shapes."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        fields = dict(body)
        for name in ("detail", "error"):
            inner = fields.get(name)
            fields |= inner if isinstance(inner, dict) else {}
        self.sentence = _sentence(fields)
        self.names = [fields.get(name) for name in ("error_type", "code", "type")]
        self.code = _known_code(fields.get("code"))
        self.param = _string(fields.get("param")) or None
        self.allow_retry = fields.get("allow_retry") is not False


def _said(text: str) -> _Said:
    try:
        body = json_text.read(text)
    except json_text.NotJsonError:
        return _Said({"message": text})
    return _Said(body if isinstance(body, dict) else {"message": _string(body)})


def _sentence(fields: Mapping[str, Any]) -> str:
    for name in ("message", "text", "detail", "error"):
        value = fields.get(name)
        sentence = _validation(value) if isinstance(value, list) else _string(value)
        if sentence := _CONTROL.sub(" ", sentence).strip():
            return sentence
    return ""


def _validation(entries: list[Any]) -> str:
    """FastAPI's list of what is wrong with a request, as one sentence."""
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        loc = entry.get("loc")
        where = ".".join(str(step) for step in loc) if isinstance(loc, list) else ""
        found.append(f"{where}: {_string(entry.get('msg'))}".removeprefix(": "))
    return "; ".join(found)


def _known_code(code: Any) -> str | None:
    """A code worth passing on: one that says more than the kind of error does."""
    if isinstance(code, str) and _CODE.fullmatch(code) and code not in TYPES:
        return code
    return None


def _kind(said: _Said, otherwise: ErrorKind) -> ErrorKind:
    """The kind by Poe's own names, else the given one; the sentence sharpens a vague one."""
    kinds = [TYPES[name] for name in said.names if isinstance(name, str) and name in TYPES]
    exact = [kind for kind in (*kinds, otherwise) if kind not in _VAGUE]
    if exact:
        return exact[0]
    sentence = said.sentence.lower()
    vague = kinds[0] if kinds else otherwise
    return next((kind for phrase, kind in PHRASES if phrase in sentence), vague)


def _of_status(status: int) -> ErrorKind:
    if status in STATUSES:
        return STATUSES[status]
    if status < 400:
        return ErrorKind.POE_BROKEN
    return ErrorKind.BOT_REJECTED if status < 500 else ErrorKind.POE_FAILED


def _from_page(status: int, page: str, retry_after_s: float | None) -> PoeError:
    """The error that a web page stands for: somebody between here and the bot wrote it."""
    kind = ErrorKind.POE_UNAVAILABLE if status in _FIREWALL else _of_status(status)
    found = _TITLE.search(page)
    title = _clean(html.unescape(found[1])).strip() if found else ""
    titled = f' with the title "{title}"' if title else ""
    message = (
        f"An HTML page{titled} came instead of an answer (status {status}): "
        "a proxy or firewall in front of Poe wrote it, not the bot."
    )
    return PoeError(kind, message, retry_after_s=retry_after_s)


def _clean(text: str, secret: str = "") -> str:
    if len(secret) >= MIN_SECRET_CHARS:
        text = text.replace(secret, "[key]")
    text = _CONTROL.sub(" ", text)
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    lower = {name.lower(): value for name, value in headers.items()}
    value = (lower.get("retry-after") or lower.get("x-ratelimit-reset-requests", "")).strip()
    seconds = _seconds(value)
    if seconds is None and value:
        seconds = _until(value, now)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(date: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
