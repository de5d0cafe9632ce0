"""What an API that clients speak must be able to write, and the shapes of its errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from poeflask.core.errors import PoeflaskError
from poeflask.core.reply import ReplyEvent


class Encoder(Protocol):
    """Writes one answer in one dialect, as a stream or whole. Pure: made of values only.

    A stream is `feed` for each batch and `close` once; what they give, joined, is the whole body.
    The first batch opens what must be opened; a Failure closes what is open and says the error.
    """

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The frames for the next events; may be empty."""

    def close(self) -> str:
        """The last frames, once every answer has ended."""

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The answer of a client that does not stream; the events end in Finish, not Failure."""

    def heartbeat(self) -> str:
        """What keeps a silent stream alive without meaning anything."""

    @property
    def text_frame(self) -> tuple[bytes, bytes] | None:
        """What `feed` would write around the JSON string of the next text of the first answer.

        None if it would write anything else, or takes note of what it writes.
        """


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """An error as one dialect says it: HTTP status, headers of its own, body."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class ErrorShape(Protocol):
    """How one family of APIs says an error."""

    def __call__(self, error: PoeflaskError, request_id: str) -> ErrorForm: ...


def openai_error(error: PoeflaskError, request_id: str) -> ErrorForm:
    """OpenAI's shape, and that of all that copy it."""
    kind, code = error.rule.openai
    body = {
        "error": {
            "message": error.message,
            "type": kind,
            "param": error.param,
            "code": error.code or code,
        }
    }
    return ErrorForm(error.rule.status, _headers(error), body)


def anthropic_error(error: PoeflaskError, request_id: str) -> ErrorForm:
    """Anthropic's shape; an error's own code stands among the details."""
    said: dict[str, Any] = {"type": error.rule.anthropic, "message": error.message}
    if error.code is not None:
        said["details"] = {"error_code": error.code}
    body = {"type": "error", "error": said, "request_id": request_id}
    status = error.rule.anthropic_status or error.rule.status
    return ErrorForm(status, _headers(error), body)


def ollama_error(error: PoeflaskError, request_id: str) -> ErrorForm:
    """Ollama's shape: a sentence."""
    return ErrorForm(error.rule.status, _headers(error), {"error": error.message})


_GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""google.rpc.Code by HTTP status; a client's other faults are invalid arguments."""


def google_error(error: PoeflaskError, request_id: str) -> ErrorForm:
    """Google's shape; its statuses have no 529, which is 503 there."""
    status = 503 if error.rule.status == 529 else error.rule.status
    said: dict[str, Any] = {
        "code": status,
        "message": error.message,
        "status": _GOOGLE_STATUS.get(status, "INVALID_ARGUMENT"),
    }
    details = _google_details(error)
    body = {"error": {**said, "details": details} if details else said}
    return ErrorForm(status, _headers(error), body)


def _google_details(error: PoeflaskError) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if error.param is not None:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": f"{_GOOGLE_TYPE}BadRequest", "fieldViolations": [violation]})
    if error.retry_after_s is not None:
        delay = f"{error.retry_after_s:g}s"
        details.append({"@type": f"{_GOOGLE_TYPE}RetryInfo", "retryDelay": delay})
    return details


_GOOGLE_TYPE = "type.googleapis.com/google.rpc."


def _headers(error: PoeflaskError) -> dict[str, str]:
    headers = {"x-should-retry": "true" if error.may_succeed_later else "false"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.rule.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="poeflask"'
    return headers
