"""Runs a reader over a text that comes in pieces, as the parser would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from poeflask.core.json_text import repaired
from poeflask.core.prompt import Tool
from poeflask.core.reply import ReplyEvent
from poeflask.filters.joining import joined
from poeflask.filters.tool_calls.reading import Output, Reading
from poeflask.filters.tool_calls.source import Source, Steps
from poeflask.filters.tool_calls.toolbox import Toolbox

T = TypeVar("T")
MARK = "k3f9x2"
STRING = {"type": "string"}
WRITE = Tool(
    name="write",
    schema={"properties": {"path": STRING, "text": STRING}, "required": ["path"]},
)
PATCH = Tool(name="patch", kind="custom")


def new_reading(*, hold_chars: int = 2048) -> Reading:
    """An answer of which nothing has come, with two tools to call."""
    numbers = iter(range(100))
    return Reading(
        source=Source(),
        output=Output(new_call_id=lambda: f"call_{next(numbers)}", hold_chars=hold_chars),
        toolbox=Toolbox([WRITE, PATCH]),
        mark=MARK,
        repair=repaired,
    )


def run(source: Source, steps: Steps[T], pieces: Iterable[str]) -> T:
    """What a reader returns that is fed these pieces and then the end."""
    try:
        for piece in pieces:
            source.feed(piece)
            next(steps)
        source.ended = True
        next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    raise AssertionError("the reader waits for more after the end")


def both(make: Callable[[Source], Steps[T]], text: str) -> T:
    """What a reader returns, the same for the whole text and for one character after another."""
    whole, cut = Source(), Source()
    got = run(whole, make(whole), [text])

    assert got == run(cut, make(cut), text)
    return got


def events(make: Callable[[Reading], Steps[object]], text: str) -> list[ReplyEvent]:
    """The events that a reader adds, the same for the whole text and for each of its characters."""
    whole, cut = new_reading(), new_reading()
    run(whole.source, make(whole), [text])
    run(cut.source, make(cut), text)
    got = joined(whole.output.take())

    assert got == joined(cut.output.take())
    return got
