"""What can go wrong, whose fault it is, and how each API says so: one table.

    PoeflaskError
        ClientError     the request cannot be served as it is
        PoeError        Poe, the bot or the way to it failed
        OwnError        poeflask itself failed or is full

Only the three leaves are raised. Each carries an `ErrorKind`, and `RULES` says everything that
follows from the kind: statuses, types, codes, and whether trying again makes sense. A message is a
sentence for the person who reads it, says what would be right, and never holds a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

Fault = Literal["client", "poe", "own"]


class ErrorKind(Enum):
    """What sort of fault it is; the key of `RULES`."""

    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    CONTEXT_TOO_LONG = "context_too_long"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    UNKNOWN_ROUTE = "unknown_route"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_MANY_REQUESTS = "too_many_requests"
    BUDGET_SPENT = "budget_spent"
    CLIENT_GONE = "client_gone"
    BAD_KEY = "bad_key"
    NO_POINTS = "no_points"
    REFUSED = "refused"
    UNKNOWN_MODEL = "unknown_model"
    BOT_REJECTED = "bot_rejected"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    POE_UNAVAILABLE = "poe_unavailable"
    POE_TIMEOUT = "poe_timeout"
    POE_UNREACHABLE = "poe_unreachable"
    POE_BROKEN = "poe_broken"
    POE_FAILED = "poe_failed"
    EMPTY_REPLY = "empty_reply"
    WRONG_SHAPE = "wrong_shape"
    BUSY = "busy"
    DRAINING = "draining"
    STOPPED = "stopped"
    NOT_OFFERED = "not_offered"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What follows from an error's kind.

    Attributes:
        fault: whose fault it is.
        status: the HTTP status in every dialect that does not name another.
        openai: (type, code) in OpenAI's error body.
        anthropic: type in Anthropic's error body.
        anthropic_status: the HTTP status there, if it differs.
        again: whether the same request may succeed later; sent as `x-should-retry`.
    """

    fault: Fault
    status: int
    openai: tuple[str, str | None]
    anthropic: str
    anthropic_status: int | None = None
    again: bool


def _client(status: int, code: str | None, anthropic: str, *, again: bool = False) -> Rule:
    openai = ("invalid_request_error", code)
    return Rule(fault="client", status=status, openai=openai, anthropic=anthropic, again=again)


def _poe(status: int, openai: tuple[str, str | None], anthropic: str, *, again: bool) -> Rule:
    return Rule(fault="poe", status=status, openai=openai, anthropic=anthropic, again=again)


def _own(status: int, code: str, *, again: bool, anthropic: str = "api_error") -> Rule:
    openai = ("server_error", code)
    return Rule(fault="own", status=status, openai=openai, anthropic=anthropic, again=again)


_INVALID = "invalid_request_error"

RULES: dict[ErrorKind, Rule] = {
    ErrorKind.INVALID_REQUEST: _client(400, None, _INVALID),
    ErrorKind.UNSUPPORTED_PARAMETER: _client(400, "unsupported_parameter", _INVALID),
    ErrorKind.UNAUTHENTICATED: _client(401, "invalid_api_key", "authentication_error"),
    ErrorKind.FORBIDDEN: _client(403, "permission_denied", "permission_error"),
    ErrorKind.UNKNOWN_ROUTE: _client(404, "unknown_url", "not_found_error"),
    ErrorKind.NOT_FOUND: _client(404, "not_found", "not_found_error"),
    ErrorKind.METHOD_NOT_ALLOWED: _client(405, "method_not_allowed", _INVALID),
    ErrorKind.REQUEST_TIMEOUT: _client(408, "request_timeout", "timeout_error", again=True),
    ErrorKind.CONFLICT: _client(409, "conflict", "conflict_error"),
    ErrorKind.BODY_TOO_LARGE: _client(413, "request_too_large", "request_too_large"),
    ErrorKind.UNSUPPORTED_MEDIA_TYPE: _client(415, "unsupported_media_type", _INVALID),
    ErrorKind.CLIENT_GONE: _client(499, "client_closed_request", _INVALID),
    ErrorKind.TOO_MANY_REQUESTS: Rule(
        fault="client",
        status=429,
        openai=("requests", "rate_limit_exceeded"),
        anthropic="rate_limit_error",
        again=True,
    ),
    # As Poe's NO_POINTS, but the owner of this service has set the measure.
    ErrorKind.BUDGET_SPENT: Rule(
        fault="client",
        status=429,
        openai=("insufficient_quota", "insufficient_quota"),
        anthropic="billing_error",
        anthropic_status=402,
        again=False,
    ),
    # Poe's word about the request or its key, passed on in the client's shape.
    ErrorKind.BAD_KEY: _poe(
        401, (_INVALID, "invalid_api_key"), "authentication_error", again=False
    ),
    ErrorKind.NO_POINTS: Rule(
        fault="poe",
        status=429,
        openai=("insufficient_quota", "insufficient_quota"),
        anthropic="billing_error",
        anthropic_status=402,
        again=False,
    ),
    ErrorKind.REFUSED: _poe(403, (_INVALID, "content_policy"), "permission_error", again=False),
    ErrorKind.UNKNOWN_MODEL: _poe(
        404, (_INVALID, "model_not_found"), "not_found_error", again=False
    ),
    ErrorKind.CONTEXT_TOO_LONG: _poe(
        400, (_INVALID, "context_length_exceeded"), _INVALID, again=False
    ),
    ErrorKind.BOT_REJECTED: _poe(400, (_INVALID, None), _INVALID, again=False),
    ErrorKind.RATE_LIMITED: _poe(
        429, ("requests", "rate_limit_exceeded"), "rate_limit_error", again=True
    ),
    ErrorKind.OVERLOADED: _poe(529, ("server_error", "overloaded"), "overloaded_error", again=True),
    ErrorKind.POE_UNAVAILABLE: _poe(
        503, ("server_error", "service_unavailable"), "api_error", again=True
    ),
    ErrorKind.POE_TIMEOUT: _poe(504, ("server_error", "timeout"), "timeout_error", again=True),
    ErrorKind.POE_UNREACHABLE: _poe(
        502, ("server_error", "poe_unreachable"), "api_error", again=True
    ),
    ErrorKind.POE_BROKEN: _poe(502, ("server_error", "poe_broken"), "api_error", again=True),
    ErrorKind.POE_FAILED: _poe(500, ("server_error", "poe_error"), "api_error", again=True),
    ErrorKind.EMPTY_REPLY: _poe(502, ("server_error", "empty_reply"), "api_error", again=True),
    ErrorKind.WRONG_SHAPE: _poe(502, ("server_error", "wrong_shape"), "api_error", again=True),
    ErrorKind.BUSY: _own(503, "busy", again=True, anthropic="overloaded_error"),
    ErrorKind.DRAINING: _own(503, "restarting", again=True, anthropic="overloaded_error"),
    ErrorKind.STOPPED: _own(503, "stopped", again=False),
    ErrorKind.NOT_OFFERED: _own(501, "not_offered", again=False),
    ErrorKind.INTERNAL: _own(500, "internal_error", again=True),
}


class PoeflaskError(Exception):
    """The base of all errors that a client may be told of. Raise one of its leaves.

    Args:
        kind: the sort of fault; must be one of the leaf's own.
        message: a sentence for the client's person.
        param: the path of the request's field that is wrong, such as "messages[2].content".
        code: a more exact code for OpenAI's error body than the kind's own.
        retry_after_s: how long to wait before another try, if that is known.
        allow_retry: false if Poe forbids another try.

    Raises:
        TypeError: the kind is somebody else's fault.
    """

    fault: Fault

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        allow_retry: bool = True,
    ) -> None:
        super().__init__(message)
        if RULES[kind].fault != self.fault:
            raise TypeError(f"{kind} is the fault of {RULES[kind].fault}, not of {self.fault}")
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code
        self.retry_after_s = retry_after_s
        self.allow_retry = allow_retry

    @property
    def rule(self) -> Rule:
        """What follows from the error's kind."""
        return RULES[self.kind]

    @property
    def may_succeed_later(self) -> bool:
        """Whether the very same request is worth another try."""
        return self.allow_retry and self.rule.again

    def _content(self) -> tuple[Any, ...]:
        return (
            self.kind,
            self.message,
            self.param,
            self.code,
            self.retry_after_s,
            self.allow_retry,
        )

    def __eq__(self, other: object) -> bool:
        """Errors are values, as the events that carry them are."""
        if not isinstance(other, PoeflaskError):
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kind}, {self.message!r})"


class ClientError(PoeflaskError):
    """The request cannot be served as it is."""

    fault = "client"


class PoeError(PoeflaskError):
    """Poe, the bot or the way to it failed."""

    fault = "poe"


class OwnError(PoeflaskError):
    """poeflask itself failed or is full."""

    fault = "own"
