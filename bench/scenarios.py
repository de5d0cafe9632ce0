"""What is measured: how many clients ask for what, and what the answer must be."""

from __future__ import annotations

import base64
import json
import pydoc_data.topics
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

WORD_BYTES = 16


def word(number: int) -> str:
    """The text of one event of an answer."""
    return f"{number:>{WORD_BYTES}x}"


def stamp(at_ns: int) -> str:
    """The text of an event that tells when it was sent, by the system's monotonic clock."""
    return f"{at_ns:0{WORD_BYTES}x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the upstream says. Its `name` is the bot's name, from which the upstream reads it back.

    Attributes:
        style: the first word of the name; "silent" means that it stops after its first event,
            "timed" that each event tells when it was sent.
        events: how many pieces of text it has.
        gap_ms: the time between two events; 0 means all at once.
    """

    style: str = "plain"
    events: int
    gap_ms: int = 0

    @property
    def name(self) -> str:
        """How the bot is called."""
        return f"{self.style}-{self.events}-{self.gap_ms}"

    @classmethod
    def of(cls, name: str) -> Answer:
        """The answer that a bot of this name gives."""
        style, events, gap_ms = name.split("-")
        return cls(style=style, events=int(events), gap_ms=int(gap_ms))

    @property
    def timed(self) -> bool:
        """Whether the words are not known before they are said."""
        return self.style == "timed"

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(map(word, range(self.events)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to measure.

    Attributes:
        name: what the table calls it.
        unit: what its cost is divided by: "request" or "event".
        clients: how many ask at once.
        requests: how many requests all of them make together in one round.
        prompt: what is asked, as fields of a chat completion.
        stream: whether the answer is streamed.
        leave: whether each client hangs up at the first text.
        ramp_s: how long the clients take to begin, one after the other.
        by: what its events or requests are counted by in a curve; 0 if it stands in none.
    """

    name: str
    unit: str
    answer: Answer
    clients: int
    requests: int
    prompt: Callable[[], dict[str, Any]]
    stream: bool = True
    leave: bool = False
    ramp_s: float = 0.0
    by: int = 0

    def body(self) -> bytes:
        """The request's body."""
        fields = {"model": self.answer.name, "stream": self.stream, **self.prompt()}
        if self.stream:
            fields["stream_options"] = {"include_usage": True}
        return json.dumps(fields).encode()

    def units(self) -> int:
        """What the cost of one round is divided by."""
        return self.requests * (self.answer.events if self.unit == "event" else 1)


def _short() -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Write a haiku about servers."}]}


@cache
def _prose() -> str:
    return "\n".join(pydoc_data.topics.topics.values())


def _excerpt(at: int, letters: int) -> str:
    return (_prose()[at : at + letters] or "x").ljust(letters, ".")


def _agent() -> dict[str, Any]:
    """A coding agent in the middle of its work: 200 KB of conversation and 20 tools."""
    said = [
        {"role": ("user", "assistant")[turn % 2], "content": _excerpt(3000 * turn, 2500)}
        for turn in range(59)
    ]
    properties = {f"field{n}": {"type": "string", "description": "x" * 60} for n in range(4)}
    schema = {"type": "object", "properties": properties, "required": ["field0"]}
    tools = [
        {"name": f"tool_{n}", "description": _excerpt(900 * n, 300), "parameters": schema}
        for n in range(20)
    ]
    system = {"role": "system", "content": _excerpt(0, 50_000)}
    return {
        "messages": [system, *said],
        "tools": [{"type": "function", "function": tool} for tool in tools],
    }


def _book(letters: int = 200_000) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": (_prose() * 3)[:letters]}]}


def _picture() -> dict[str, Any]:
    link = f"data:image/png;base64,{base64.b64encode(bytes(10_000_000)).decode()}"
    shown = {"type": "image_url", "image_url": {"url": link}}
    words = {"type": "text", "text": "What is this?"}
    return {"messages": [{"role": "user", "content": [words, shown]}]}


def _whole(name: str, prompt: Callable[[], dict[str, Any]], requests: int, by: int = 0) -> Scenario:
    """Short whole answers to one prompt, one client after the other."""
    return Scenario(
        name=name,
        unit="request",
        answer=Answer(events=20),
        clients=1,
        requests=requests,
        prompt=prompt,
        stream=False,
        by=by,
    )


def _flat(name: str, events: int, requests: int, by: int = 0) -> Scenario:
    """Streams whose events are all there at once."""
    return Scenario(
        name=name,
        unit="event",
        answer=Answer(events=events),
        clients=min(4, requests),
        requests=requests,
        prompt=_short,
        by=by,
    )


def _paced(name: str, streams: int, events: int) -> Scenario:
    """Streams of twenty events a second, begun within one second."""
    return Scenario(
        name=name,
        unit="event",
        answer=Answer(style="timed", events=events, gap_ms=50),
        clients=streams,
        requests=streams,
        prompt=_short,
        ramp_s=1.0,
    )


SCENARIOS = (
    _whole("short", _short, 150),
    _flat("flat out", 2000, 40),
    _paced("500 streams", 500, 120),
    _paced("2000 streams", 2000, 60),
    Scenario(
        name="agent, native tools",
        unit="request",
        answer=Answer(style="native", events=300),
        clients=2,
        requests=30,
        prompt=_agent,
    ),
    Scenario(
        name="agent, prompted tools",
        unit="request",
        answer=Answer(style="prompted", events=300),
        clients=2,
        requests=30,
        prompt=_agent,
    ),
    Scenario(
        name="held, 200 KB prompt",
        unit="request",
        answer=Answer(events=6, gap_ms=500),
        clients=100,
        requests=100,
        prompt=_book,
    ),
    Scenario(
        name="leave",
        unit="request",
        answer=Answer(events=500, gap_ms=20),
        clients=25,
        requests=50,
        prompt=_short,
        leave=True,
    ),
    Scenario(
        name="leave in silence",
        unit="request",
        answer=Answer(style="silent", events=500, gap_ms=20),
        clients=25,
        requests=50,
        prompt=_short,
        leave=True,
    ),
    _whole("10 MB picture", _picture, 4),
    *(
        _whole(f"prompt of {kb} KB", partial(_book, kb * 1000), requests, by=kb)
        for kb, requests in ((1, 40), (10, 40), (100, 30), (1000, 10))
    ),
    *(
        _flat(f"{events} events", events, requests, by=events)
        for events, requests in ((1000, 20), (5000, 8), (10_000, 4), (50_000, 2))
    ),
)
