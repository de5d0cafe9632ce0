"""The laws of filters as checks that every filter's tests can use.

A stream in these tests is a list of events that ends in Finish or Failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import Prompt
from poeflask.core.reply import (
    END,
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.filters.base import Filter


@dataclass(frozen=True)
class Stranger:
    """An event that no filter knows."""

    number: int
    index: int = 0


def settle(filter_: Filter, events: Iterable[Any]) -> list[Any]:
    """What a filter makes of a stream that comes in one batch."""
    return filter_.feed(list(events))


def settle_batches(filter_: Filter, batches: Iterable[Sequence[Any]]) -> list[Any]:
    """What a filter makes of a stream that comes in several batches, as one list."""
    return [event for batch in batches for event in filter_.feed(batch)]


def joined(events: Iterable[Any]) -> list[Any]:
    """The events with text and arguments joined and pauses gone: what is left after any cut."""
    whole: list[Any] = []
    for event in events:
        if isinstance(event, Pause):
            continue
        last = whole[-1] if whole else None
        if isinstance(event, TextDelta | ReasoningDelta) and type(last) is type(event):
            whole[-1] = replace(last, text=last.text + event.text)
        elif _goes_on(last, event):
            whole[-1] = replace(last, arguments=last.arguments + event.arguments)
        else:
            whole.append(event)
    return whole


def _goes_on(last: Any, event: Any) -> bool:
    """Whether the event is a further piece of the call that came last."""
    return (
        isinstance(last, ToolCallDelta)
        and isinstance(event, ToolCallDelta)
        and not event.name
        and last.position == event.position
    )


class Answered:
    """A filter that asks again, and the bot's answer to that, as one filter; silent once it ended.

    Args:
        filter_: the filter; it has seen its prompt.
        second: the stream that answers each of its follow-ups.
    """

    def __init__(self, filter_: Any, second: Sequence[Any]) -> None:
        self._filter = filter_
        self._second = second
        self._ended = False

    def on_prompt(self, prompt: Prompt) -> Prompt:
        """The prompt as it is."""
        return prompt

    @property
    def follow_up(self) -> Prompt | None:
        """None: every one is answered here."""
        return None

    def feed(self, events: Sequence[Any]) -> list[Any]:
        """The events of this answer and of those that follow it."""
        given: list[Any] = [] if self._ended else list(self._filter.feed(events))
        while self._follow_up() is not None:
            given += self._filter.feed(self._second)
        self._ended = self._ended or any(isinstance(event, END) for event in given)
        return given

    def _follow_up(self) -> Prompt | None:
        asked: Any = self._filter.follow_up
        found: Prompt | None = asked() if callable(asked) else asked
        return found


def text_of(events: Iterable[Any]) -> str:
    """All answer text of a list of events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasoning_of(events: Iterable[Any]) -> str:
    """All reasoning of a list of events."""
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def letters(events: Iterable[Any]) -> list[list[Any]]:
    """The stream with each letter of its text in a batch of its own, a Pause behind each."""
    batches: list[list[Any]] = []
    for event in events:
        if isinstance(event, TextDelta):
            batches += [[TextDelta(letter), Pause()] for letter in event.text]
        else:
            batches.append([event])
    return batches


def every_cut(text: str) -> list[list[TextDelta]]:
    """The text in two pieces, cut at every place."""
    return [
        [TextDelta(piece) for piece in (text[:place], text[place:]) if piece]
        for place in range(len(text) + 1)
    ]


@st.composite
def recut(draw: st.DrawFn, events: Sequence[Any]) -> list[list[Any]]:
    """The same stream with its text cut elsewhere, pauses put in, and batched at random."""
    batches: list[list[Any]] = [[]]
    for event in events:
        if isinstance(event, TextDelta):
            places = sorted(draw(st.sets(st.integers(1, max(1, len(event.text) - 1)), max_size=5)))
            edges = [0, *(place for place in places if place < len(event.text)), len(event.text)]
            pieces: list[Any] = [
                replace(event, text=event.text[start:end]) for start, end in pairwise(edges)
            ]
        else:
            pieces = [event]
        for piece in pieces:
            batches[-1].append(piece)
            between = draw(st.sampled_from(("nothing", "pause", "batch")))
            if between == "batch":
                batches.append([])
            elif between == "pause" and not isinstance(piece, END):
                batches[-1].append(Pause())
    return [batch for batch in batches if batch]


broken = Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))

ends = st.sampled_from((Finish(), Finish("length"), broken))

side_events = st.one_of(
    st.builds(Stranger, st.integers(0, 9)),
    st.builds(Note, st.just("suggested_reply"), st.just({"text": "More?"})),
    st.builds(ToolCallDelta, position=st.just(0), call_id=st.just("call_1"), name=st.just("f")),
    st.builds(
        FileEvent,
        url=st.sampled_from(
            ("https://pfst.cf2.poecdn.net/base/image/a", "https://x.example/b.mp3")
        ),
        content_type=st.sampled_from(("image/png", "audio/mpeg")),
        name=st.sampled_from(("a.png", "b.mp3")),
        inline_ref=st.sampled_from(("", "ref")),
    ),
    st.builds(Usage, prompt_tokens=st.integers(1, 9), completion_tokens=st.integers(1, 9)),
)


def streams(
    pieces: Sequence[str] = ("Hello", " ", "\n", "a"), more: st.SearchStrategy[Any] = side_events
) -> st.SearchStrategy[list[Any]]:
    """Streams of text made of `pieces` and letters of any kind, other events between."""
    text = st.lists(st.one_of(st.sampled_from(pieces), st.text(max_size=3)), max_size=8)
    deltas = text.map("".join).filter(bool).map(TextDelta)
    return st.builds(
        lambda body, end: [*body, end], st.lists(st.one_of(deltas, deltas, more), max_size=6), ends
    )


def parted(events: Sequence[Any]) -> list[list[Any]]:
    """The same, what is said and what comes beside it each for itself.

    For filters that hold text which may become a call: what comes meanwhile follows all of it.
    """
    said = (TextDelta, ToolCallDelta, *END)
    return [
        joined(event for event in events if isinstance(event, said)),
        joined(event for event in events if not isinstance(event, said)),
    ]


def check_laws(
    make: Callable[[], Filter],
    stream: Sequence[Any],
    batches: Any,
    seen: Callable[[Sequence[Any]], list[Any]] = joined,
) -> list[Any]:
    """Assert what holds for every filter and stream; give the events that came out.

    Args:
        make: makes the filter anew for each run.
        stream: the events in one batch.
        batches: the same events cut and batched in another way.
        seen: what must not depend on the cuts.
    """
    given = settle(make(), stream)

    assert isinstance(given[-1], END)
    assert not any(isinstance(event, END) for event in given[:-1])
    assert all(event.text for event in given if isinstance(event, TextDelta | ReasoningDelta))
    assert seen(given) == seen(settle_batches(make(), batches))
    return given


def strangers(events: Iterable[ReplyEvent]) -> list[Any]:
    """The events of a stream that no filter has a say in."""
    return [event for event in events if isinstance(event, Stranger | Note | ToolCallDelta)]
