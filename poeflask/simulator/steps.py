"""What a simulated bot does, as values: the steps of one answer, and their bytes.

A bot is a function from a query to an iterator of steps. The steps before the first one that is
seen on the wire decide how the HTTP answer begins; all others follow in its body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core import json_text
from poeflask.simulator.media import Media


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event, written as Poe writes it; data becomes JSON."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes of the stream as they are, sent by themselves."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Silence, in seconds; it ends early only if the client goes away."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Open:
    """The headers of the stream are sent now, before there is anything to say."""


@dataclass(frozen=True, slots=True)
class Publish:
    """From now on the file can be fetched under `media.path`."""

    media: Media


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks here, without the stream's proper end; by RST if `reset`."""

    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole HTTP answer in place of a stream; nothing may follow it."""

    status: int
    body: str
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Step = Event | Raw | Wait | Open | Publish | Cut | Answer
Steps = Iterator[Step]

DONE = Event("done", {})

FOREVER = Wait(24 * 60 * 60.0)
"""Longer than any client waits."""


def event_bytes(event: Event) -> bytes:
    """The event as Poe sends it, with CRLF line ends."""
    data = json_text.write(event.data)
    return f"event: {event.name}\r\ndata: {data}\r\n\r\n".encode()


def text(piece: str) -> Event:
    """A piece of the answer."""
    return Event("text", {"text": piece})


def replacement(whole: str) -> Event:
    """All text so far is void; this is the answer so far."""
    return Event("replace_response", {"text": whole})


def error(message: str, *, allow_retry: bool = True, error_type: str | None = None) -> Event:
    """The error event that ends an answer."""
    data: dict[str, Any] = {"allow_retry": allow_retry, "text": message}
    if error_type is not None:
        data["error_type"] = error_type
    return Event("error", data)


def file_event(url: str, media: Media, inline_ref: str | None = None) -> Event:
    """A file of the answer; `inline_ref` is the name by which the text cites it."""
    data = {"url": url, "content_type": media.content_type, "name": media.name}
    return Event("file", {**data, "inline_ref": inline_ref})


def words(message: str) -> list[str]:
    """The message cut behind each word's white space; joined, they are the message."""
    return re.findall(r"\s*\S+\s*|\s+", message)


def spoken(message: str) -> Iterator[Event]:
    """The message, one text event for each word."""
    return map(text, words(message))


def error_body(message: str, kind: str, **more: object) -> str:
    """The JSON body of an HTTP error in the shape in which Poe's were recorded."""
    return json_text.write({"error": {"message": message, "type": kind, **more}})
