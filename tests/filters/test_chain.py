"""The chain: filters in series, follow-ups, parallel answers."""

from __future__ import annotations

from collections.abc import Sequence

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import Prompt
from poeflask.core.reply import (
    Failure,
    Finish,
    Pause,
    ReplyEvent,
    TextDelta,
)
from poeflask.filters.base import Filter
from poeflask.filters.chain import Chain

PROMPT = Prompt(bot="b", messages=())


class Mark:
    """Writes its letter behind every text and into the bot's name."""

    follow_up = None

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def on_prompt(self, prompt: Prompt) -> Prompt:
        return Prompt(bot=prompt.bot + self.letter, messages=prompt.messages)

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        return [
            TextDelta(event.text + self.letter) if isinstance(event, TextDelta) else event
            for event in events
        ]


class EndEarly(Mark):
    """Ends the answer after the first text, and goes on talking."""

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        given = super().feed(events)
        if any(isinstance(event, TextDelta) for event in given):
            return [given[0], Finish("stop"), TextDelta("too late")]
        return given


class AskOnce(Mark):
    """Swallows the first end and asks again."""

    follow_up: Prompt | None = None  # type: ignore[assignment]

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        given = super().feed(events)
        if isinstance(given[-1], Finish) and self.follow_up is None:
            self.follow_up = Prompt(bot="again", messages=())
            return given[:-1]
        self.follow_up = None
        return given


def chain(*filters: Filter) -> Chain:
    """A chain of these filters; parallel answers pass a Mark of their own."""
    return Chain(lambda: list(filters), lambda: [Mark("p")])


def test_replies_run_down_and_prompts_run_up() -> None:
    """The first filter is nearest to Poe."""
    marks = chain(Mark("1"), Mark("2"))

    assert "b21" == marks.on_prompt(PROMPT).bot
    assert [TextDelta("x12"), Finish("stop")] == marks.feed([TextDelta("x"), Finish("stop")])
    assert marks.ended


def test_nothing_follows_an_end() -> None:
    """What comes after the end of an answer is dropped."""
    marks = chain(Mark("1"))
    marks.feed([Finish("stop")])

    assert marks.feed([TextDelta("x")]) == []
    assert marks.follow_up() is None


def test_a_filter_may_end_the_answer_early() -> None:
    """Filters behind it see the end, and nothing else comes."""
    marks = chain(EndEarly("1"), Mark("2"))

    assert [TextDelta("x12"), Finish("stop")] == marks.feed([TextDelta("x"), TextDelta("y")])
    assert marks.ended


def test_a_follow_up_goes_through_fresh_filters_before_it() -> None:
    """The second reply is treated by those filters as a first one."""
    made: list[Filter] = []

    def make() -> list[Filter]:
        made.append(Mark("1"))
        return [made[-1], AskOnce("2"), Mark("3")]

    asking = Chain(make, list)

    assert [TextDelta("x123")] == asking.feed([TextDelta("x"), Finish("stop")])
    asked = asking.follow_up()
    assert asked is not None
    assert "again1" == asked.bot
    assert 2 == len(made)
    assert [TextDelta("y123"), Finish("stop")] == asking.feed([TextDelta("y"), Finish("stop")])


def test_parallel_answers_have_chains_of_their_own() -> None:
    """Each index has its own filters and exactly one end; the first ends last."""
    got = chain(Mark("1")).feed(
        [TextDelta("a"), TextDelta("b", index=1), Pause(), TextDelta("c"), Finish("stop")]
    )

    assert [
        TextDelta("a1"),
        TextDelta("bp", index=1),
        Pause(),
        TextDelta("c1"),
        Finish("stop", index=1),
        Finish("stop"),
    ] == got


def test_a_failure_ends_parallel_answers_too() -> None:
    """An error belongs to all of them."""
    failure = Failure(PoeError(ErrorKind.POE_FAILED, "No."))
    marks = chain(Mark("1"))
    marks.feed([TextDelta("b", index=1)])
    got = marks.feed([failure])

    assert [Failure(failure.error, index=1), failure] == got


def test_an_early_end_ends_parallel_answers_too() -> None:
    """A limit on the first answer leaves no other one open."""
    marks = chain(EndEarly("1"))
    marks.feed([TextDelta("b", index=1)])
    got = marks.feed([TextDelta("a"), TextDelta("more")])

    assert [Finish("stop", index=1), TextDelta("a1"), Finish("stop")] == got
