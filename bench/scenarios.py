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
_PIECE_WORDS = 64


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
            "timed" that each event tells when it was sent, "calling" that it calls a tool and
            each event is a piece of the arguments.
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
    def calls(self) -> bool:
        """Whether it calls a tool instead of saying something."""
        return self.style == "calling"

    @property
    def text(self) -> str:
        """The whole text, or the whole arguments of the call."""
        return "".join(self.pieces())

    def pieces(self) -> list[str]:
        """What each event brings; the pieces of a call are JSON when they are joined."""
        if not self.calls:
            return [word(number) for number in range(self.events)]
        pieces = [word(number) * _PIECE_WORDS for number in range(self.events)]
        return ['{"text": "' + pieces[0], *pieces[1:-1], pieces[-1] + '"}']


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to measure.

    Attributes:
        name: what the table calls it.
        unit: what its cost is divided by: "request" or "event".
        clients: how many ask at once.
        requests: how many requests all of them make together in one round.
        prompt: what is asked, as fields of a chat completion; None asks for the list of models.
        stream: whether the answer is streamed.
        leave: whether each client hangs up at the first text.
        leave_after_s: when each client hangs up, in seconds after it asked; 0: not by the clock.
        ramp_s: how long the clients take to begin, one after the other.
        curve: the curve that it is a point of, in the words of `CURVES`; "" if of none.
        by: where on the curve it stands.
        over_tls: whether the upstream is asked over TLS.
        goal: the part of the cost of poe-api-bridge that is the goal; 0 if none is set.
        weighed: whether it is asked once more of a fresh poeflask, to see the memory it takes.
    """

    name: str
    unit: str
    answer: Answer
    clients: int
    requests: int
    prompt: Callable[[], dict[str, Any]] | None
    stream: bool = True
    leave: bool = False
    leave_after_s: float = 0.0
    ramp_s: float = 0.0
    curve: str = ""
    by: int = 0
    over_tls: bool = False
    goal: float = 0.0
    weighed: bool = False

    @property
    def servers(self) -> tuple[str, ...]:
        """Which servers are compared; the floor knows nothing but streams."""
        if self.unit == "event" and not self.over_tls:
            return ("nginx", "floor", "poeflask")
        return ("nginx", "poeflask")

    @property
    def leaves(self) -> bool:
        """Whether its clients hang up before the answer is over."""
        return self.leave or self.leave_after_s > 0

    def body(self) -> bytes:
        """The request's body; nothing if it asks for the list of models."""
        if self.prompt is None:
            return b""
        fields = {"model": self.answer.name, "stream": self.stream, **self.prompt()}
        if self.stream:
            fields["stream_options"] = {"include_usage": True}
        return json.dumps(fields).encode()

    def units(self, requests: int) -> int:
        """What the cost of so many requests is divided by."""
        return requests * (self.answer.events if self.unit == "event" else 1)


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


def _writing() -> dict[str, Any]:
    """A question to which the answer is a call of the one tool."""
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    tool = {"name": "write", "description": "Write a file.", "parameters": schema}
    return {**_short(), "tools": [{"type": "function", "function": tool}]}


def _whole(
    name: str, prompt: Callable[[], dict[str, Any]] | None, requests: int, **fields: Any
) -> Scenario:
    """Short whole answers to one prompt, one client after the other."""
    return Scenario(
        name=name,
        unit="request",
        answer=Answer(events=20),
        clients=1,
        requests=requests,
        prompt=prompt,
        stream=False,
        **fields,
    )


def _flat(name: str, events: int, requests: int, **fields: Any) -> Scenario:
    """Streams whose events are all there at once."""
    return Scenario(
        name=name,
        unit="event",
        answer=Answer(events=events),
        clients=min(4, requests),
        requests=requests,
        prompt=_short,
        **fields,
    )


def _paced(name: str, streams: int, events: int, **fields: Any) -> Scenario:
    """Streams of twenty events a second, begun within one second."""
    return Scenario(
        name=name,
        unit="event",
        answer=Answer(style="timed", events=events, gap_ms=50),
        clients=streams,
        requests=streams,
        prompt=_short,
        ramp_s=1.0,
        **fields,
    )


def _agents(style: str, **fields: Any) -> Scenario:
    return Scenario(
        name=f"agent, {style} tools",
        unit="request",
        answer=Answer(style=style, events=300),
        clients=2,
        requests=30,
        prompt=_agent,
        **fields,
    )


def _leaving(name: str, style: str = "plain", **fields: Any) -> Scenario:
    """Fifty clients that hang up before the answer is over, twenty-five at once."""
    return Scenario(
        name=name,
        unit="request",
        answer=Answer(style=style, events=500, gap_ms=20),
        clients=25,
        requests=50,
        prompt=_short,
        **fields,
    )


CURVES = {
    "prompt": "a request, by KB of prompt",
    "reply": "an event, by events of a reply",
    "streams": "an event, by streams at once",
}

SCENARIOS = (
    _whole("short", _short, 150, goal=1 / 20),
    _flat("flat out", 2000, 40, goal=1 / 30),
    _paced("100 streams", 100, 80, curve="streams", by=100),
    _paced("500 streams", 500, 200, curve="streams", by=500, weighed=True),
    _paced("2000 streams", 2000, 200, curve="streams", by=2000),
    _agents("native", goal=1 / 100),
    _agents("prompted"),
    Scenario(
        name="1 MB of arguments",
        unit="request",
        answer=Answer(style="calling", events=1000),
        clients=1,
        requests=6,
        prompt=_writing,
    ),
    Scenario(
        name="held, 200 KB prompt",
        unit="request",
        answer=Answer(events=16, gap_ms=500),
        clients=100,
        requests=100,
        prompt=_book,
        ramp_s=4.0,
        weighed=True,
    ),
    _leaving("leave", leave=True),
    _leaving("leave in silence", "silent", leave=True),
    _leaving("leave while whole", stream=False, leave_after_s=2.0),
    _whole("10 MB picture", _picture, 4, goal=0.75, weighed=True),
    _whole("list of models", None, 300, goal=1 / 2.2),
    _whole("short, over TLS", _short, 100, over_tls=True),
    _paced("200 streams, over TLS", 200, 80, over_tls=True),
    *(
        _whole(f"prompt of {kb} KB", partial(_book, kb * 1000), requests, curve="prompt", by=kb)
        for kb, requests in ((1, 40), (10, 40), (100, 30), (1000, 10))
    ),
    *(
        _flat(f"{events} events", events, requests, curve="reply", by=events)
        for events, requests in ((1000, 20), (5000, 8), (10_000, 4), (50_000, 2))
    ),
)
