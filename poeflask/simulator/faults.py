"""Bots that fail, one for each way in which Poe, a bot or the network does; named after it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from poeflask.core import json_text
from poeflask.simulator.bot import Act, Bot
from poeflask.simulator.query import Query
from poeflask.simulator.steps import (
    DONE,
    FOREVER,
    Answer,
    Cut,
    Event,
    Open,
    Raw,
    Step,
    Steps,
    Wait,
    error,
    error_body,
    event_bytes,
    spoken,
    text,
)

GREETING = "Hello, wörld! 🙂"
"""What fault bots say if they get to say something."""

INTERNAL = "Internal server error (error_id: 0f4b8a52-6c1d-4f0e-9d0a-3c7e5b1a2d84)"

NO_POINTS = error(
    "You do not have enough points to message this bot.",
    allow_retry=False,
    error_type="insufficient_fund",
)

CLOUDFLARE = """<!DOCTYPE html>
<html><head><title>{status} {phrase}</title></head>
<body><center><h1>{status} {phrase}</h1></center><hr><center>cloudflare</center></body></html>
"""


def scripted(description: str, steps: Iterable[Step]) -> Act:
    """A bot that does the same whatever it is asked."""
    script = tuple(steps)

    def act(query: Query) -> Steps:
        return iter(script)

    act.__doc__ = description
    return act


def fail_once(query: Query) -> Steps:
    """Fails with an internal error at every first try, answers at every second."""
    if query.attempt % 2:
        yield error(INTERNAL)
        return
    yield from spoken(f"{GREETING} This was try {query.attempt}.")
    yield DONE


def fail_once_http(query: Query) -> Steps:
    """Fails with HTTP 500 at every first try, answers at every second."""
    if query.attempt % 2:
        yield Answer(status=500, body=error_body("Internal server error", "provider_error"))
        return
    yield from spoken(f"{GREETING} This was try {query.attempt}.")
    yield DONE


def cut_once(query: Query) -> Steps:
    """Breaks the connection before anything was sent at every first try, answers at the second."""
    if query.attempt % 2:
        yield Cut(reset=True)
        return
    yield from spoken(f"{GREETING} This was try {query.attempt}.")
    yield DONE


def retry_after(query: Query) -> Steps:
    """Answers 429 with the header Retry-After; parameter retry_after is its value, else 1."""
    given = str(query.parameters.get("retry_after", "1"))
    value = "".join(letter for letter in given if letter.isascii() and letter.isprintable())
    body = error_body("Rate limit exceeded.", "rate_limit_error")
    yield Answer(status=429, body=body, headers={"Retry-After": value})


def slow_headers(query: Query) -> Steps:
    """Sends the headers late, after parameter first_ms, else 1000; then answers."""
    yield Wait(query.number("first_ms", 1000, most=600_000) / 1000)
    yield Open()
    yield from spoken(GREETING)
    yield DONE


def huge_event(query: Query) -> Steps:
    """Says it all in one event of as many letters as parameter letters says, else 2,000,000."""
    yield text("x" * int(query.number("letters", 2_000_000, most=64_000_000)))
    yield DONE


def flood(query: Query) -> Steps:
    """Says as many words as parameter words says, else 10,000, as fast as they are taken."""
    for number in range(int(query.number("words", 10_000, most=10_000_000))):
        yield text(f"{number} ")
    yield DONE


def _wire(*events: Event) -> bytes:
    return b"".join(map(event_bytes, events))


_GARBAGE = bytes(range(256)) * 4 + b"\r\n\r\n"

_SAID = (text("Hello, "), text("wörld! "), text("🙂"))
_STREAM = _wire(*_SAID, DONE)


def _lines(end: bytes) -> tuple[Raw, ...]:
    return tuple(Raw(event_bytes(event).replace(b"\r\n", end)) for event in (*_SAID, DONE))


def _error_type(kind: str, message: str) -> tuple[Step, ...]:
    return (error(message, allow_retry=False, error_type=kind),)


SCRIPTS: Mapping[str, tuple[str, tuple[Step, ...]]] = {
    "Too-Long": (
        "Says that the message is too long (error_type user_message_too_long).",
        _error_type("user_message_too_long", "The message is too long for this bot."),
    ),
    "No-Points": ("Says that there are not enough points (insufficient_fund).", (NO_POINTS,)),
    "Needs-Points": (
        "Says that it needs more points, without an error_type.",
        (error("This bot needs more points to answer your request.", allow_retry=False),),
    ),
    "User-Error": (
        "Says that the user did something wrong (user_caused_error).",
        _error_type("user_caused_error", "Parameter 'aspect' must be one of 1:1, 16:9."),
    ),
    "Privacy-Error": (
        "Says that it may not do this (privacy_authorization_error).",
        _error_type("privacy_authorization_error", "You must accept this bot's privacy terms."),
    ),
    "Error-Retry": ("Fails and allows a retry.", (error("The bot hiccuped."),)),
    "Error-No-Retry": (
        "Fails and forbids a retry.",
        (error("The bot gave up.", allow_retry=False),),
    ),
    "Error-Bare": ("Fails without a word: the error event is empty.", (Event("error", {}),)),
    "Internal-Error": ("Always fails with Poe's internal error.", (error(INTERNAL),)),
    "Rate-Limited": (
        "Says that the rate limit is exceeded, as Poe says it in the stream.",
        (
            error(
                "You have exceeded rate limit to query bot using User API Key. Try again later.",
                allow_retry=False,
            ),
        ),
    ),
    "No-Such-Bot": (
        "Says in the stream that the bot does not exist.",
        (error("Bot does not exist", allow_retry=False),),
    ),
    "Bad-Token": (
        "Says in the stream that the key is wrong.",
        (error("Invalid token", allow_retry=False),),
    ),
    "Error-Late": ("Fails after some text.", (*_SAID, error("The bot broke off."))),
    "No-Done": ("Ends without a done event.", _SAID),
    "Error-Then-Done": ("Fails, then says done.", (error("The bot hiccuped."), DONE)),
    "Bad-Json": (
        "Sends an event whose data is no JSON.",
        (text("Hello"), Raw(b'event: text\r\ndata: {"text": "wor\r\n\r\n'), DONE),
    ),
    "Bad-Json-First": (
        "Sends as its first event one whose data is no JSON.",
        (Raw(b"event: text\r\ndata: oops\r\n\r\n"), DONE),
    ),
    "Garbage": ("Sends bytes that are no stream of events.", (Raw(_GARBAGE), DONE)),
    "Garbage-Late": ("Sends such bytes after some text.", (*_SAID, Raw(_GARBAGE), DONE)),
    "No-Text-Field": (
        "Sends a text event without text.",
        (text("Hello"), Event("text", {"words": "world"}), DONE),
    ),
    "Wrong-Text-Type": ("Sends a text that is a number.", (Event("text", {"text": 42}), DONE)),
    "Empty-Text": ("Sends text events of nothing, then some.", (text(""), text("Hello"), DONE)),
    "Silent-Before": ("Is silent before the headers.", (FOREVER,)),
    "Silent-Start": ("Sends headers and is silent.", (Open(), FOREVER)),
    "Silent-Middle": ("Says something and is silent.", (*_SAID, FOREVER)),
    "Silent-In-Event": (
        "Says something and is silent inside an event.",
        (*_SAID, Raw(b'event: text\r\ndata: {"text": ", wor'), FOREVER),
    ),
    "Silent-End": ("Says all, then is silent in place of done.", (*_SAID, FOREVER, DONE)),
    "Empty": ("Says nothing but done.", (DONE,)),
    "Empty-Body": ("Sends headers and ends.", (Open(),)),
    "Blank": ("Answers with white space only.", (text(" \n"), DONE)),
    "Cut-At-Once": ("Breaks the connection before the headers.", (Cut(),)),
    "Cut-After-Headers": ("Breaks the connection behind the headers.", (Open(), Cut())),
    "Reset-At-Once": (
        "Breaks the connection by a TCP reset before the headers.",
        (Cut(reset=True),),
    ),
    "Reset-After-Headers": (
        "Breaks the connection by a TCP reset behind the headers.",
        (Open(), Wait(0.05), Cut(reset=True)),
    ),
    "Cut-Between": ("Breaks the connection between two events.", (*_SAID, Cut())),
    "Cut-In-Event": (
        "Breaks the connection inside an event.",
        (text("Hello"), Raw(b'event: text\r\ndata: {"text": ", wor'), Cut()),
    ),
    "Cut-In-Letter": (
        "Breaks the connection inside a letter of several bytes.",
        (text("Hello"), Raw('event: text\r\ndata: {"text": "🙂'.encode()[:-2]), Cut()),
    ),
    "Cut-Reset": (
        "Breaks the connection by a TCP reset.",
        (*_SAID, Wait(0.05), Cut(reset=True)),
    ),
    "Comments": (
        "Sends comments and pings in between.",
        (
            Raw(b": ping - 2026-01-01 00:00:00\r\n\r\n"),
            text("Hello, "),
            Event("ping", {}),
            Raw(b":\r\n\r\n"),
            text("wörld! "),
            Raw(b": comment\r\n" + event_bytes(text("🙂"))),
            DONE,
        ),
    ),
    "Lf-Lines": ("Ends its lines with LF.", _lines(b"\n")),
    "Cr-Lines": ("Ends its lines with CR.", _lines(b"\r")),
    "No-Space": (
        "Writes no space behind the colons.",
        tuple(Raw(event_bytes(event).replace(b": ", b":", 1)) for event in (text("Hello"), DONE)),
    ),
    "Many-Lines": (
        "Spreads the data of an event over several lines.",
        (Raw(b'event: text\r\ndata: {"text":\r\ndata: "Hello"\r\ndata: }\r\n\r\n'), DONE),
    ),
    "Bom": ("Begins with a byte order mark.", (Raw(b"\xef\xbb\xbf" + _STREAM),)),
    "Strange-Events": (
        "Sends events that nobody knows.",
        (Event("sparkle", {"text": "no"}), text("Hello"), Event("message", {"x": 1}), DONE),
    ),
    "Late-Meta": (
        "Sends its meta event too late to count.",
        (text("Hello"), Event("meta", {"content_type": "text/plain"}), DONE),
    ),
    "After-Done": (
        "Goes on after done.",
        (text("Hello"), DONE, text(" and more"), error("too late"), DONE),
    ),
    "Half-Emoji": (
        "Cuts an emoji into its two halves, each in an event of its own.",
        (text("smile: \ud83d"), text("\ude42 done"), DONE),
    ),
    "Lone-Half": ("Sends half an emoji and never the rest.", (text("smile: \ud83d"), DONE)),
    "Strange-Index": (
        "Numbers its answer with something that is no number.",
        (Event("text", {"text": "Hello", "index": "zero"}), DONE),
    ),
    "Byte-Writer": (
        "Writes its stream one byte at a time.",
        tuple(Raw(bytes((byte,))) for byte in _STREAM),
    ),
    "One-Write": ("Writes its whole stream at once.", (Raw(_STREAM),)),
    "Plain-200": (
        "Answers 200 with a JSON error and no stream.",
        (Answer(status=200, body=error_body("Something went wrong.", "provider_error")),),
    ),
    "Html-200": (
        "Answers 200 with a web page.",
        (
            Answer(
                status=200,
                body=CLOUDFLARE.format(status=200, phrase="Just a moment..."),
                content_type="text/html; charset=UTF-8",
            ),
        ),
    ),
}
"""What fault bots do that do the same whatever they are asked: description and steps."""


def _shape(status: int, kind: str, message: str) -> str:
    return error_body(message, kind)


def _documented(status: int, kind: str, message: str) -> str:
    return error_body(message, kind, code=status, metadata={})


def _coded(code: str) -> Callable[[int, str, str], str]:
    def shape(status: int, kind: str, message: str) -> str:
        return error_body(message, kind, code=code)

    return shape


def _detail(status: int, kind: str, message: str) -> str:
    return json_text.write({"detail": message})


def _bare(status: int, kind: str, message: str) -> str:
    return json_text.write({"error": message})


STATUSES: Mapping[int, tuple[str, str, Callable[[int, str, str], str]]] = {
    400: ("invalid_request_error", "Unknown parameter: 'aspect'.", _shape),
    401: ("authentication_error", "Incorrect API key provided.", _coded("invalid_api_key")),
    402: ("insufficient_credits", "Your balance is used up.", _documented),
    403: ("moderation_error", "This bot is private.", _documented),
    404: ("not_found_error", "Bot does not exist.", _coded("model_not_found")),
    408: ("timeout_error", "The model did not start in time.", _documented),
    413: ("request_too_large", "The request exceeds the context window.", _documented),
    429: ("rate_limit_error", "Rate limit exceeded.", _shape),
    500: ("provider_error", "Internal server error", _detail),
    502: ("upstream_error", "The provider could not be reached.", _bare),
    503: ("provider_error", "Service unavailable.", _shape),
    529: ("overloaded_error", "The provider is overloaded.", _documented),
}
"""HTTP errors: type, message, and which of Poe's several shapes the body has."""


def _http_bot(status: int) -> Bot:
    kind, message, shape = STATUSES[status]
    answer = Answer(status=status, body=shape(status, kind, message))
    description = f"Answers HTTP {status} ({kind})."
    return Bot(f"Http-{status}", scripted(description, [answer]), listed=False)


def _page_bot(status: int) -> Bot:
    body = CLOUDFLARE.format(status=status, phrase=HTTPStatus(status).phrase)
    answer = Answer(status=status, body=body, content_type="text/html; charset=UTF-8")
    description = f"Answers HTTP {status} with a web page."
    return Bot(f"Html-{status}", scripted(description, [answer]), listed=False)


_unlisted = functools.partial(Bot, listed=False)

FAULTS = (
    *(_unlisted(name, scripted(says, steps)) for name, (says, steps) in SCRIPTS.items()),
    *map(_http_bot, STATUSES),
    *map(_page_bot, (403, 429, 502)),
    _unlisted("Http-429-Retry-After", retry_after),
    _unlisted("Fail-Once", fail_once),
    _unlisted("Fail-Once-Http", fail_once_http),
    _unlisted("Cut-Once", cut_once),
    _unlisted("Slow-Headers", slow_headers),
    _unlisted("Huge-Event", huge_event),
    _unlisted("Flood", flood),
)
