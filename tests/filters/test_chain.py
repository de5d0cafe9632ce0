"""The chain: filters in series, follow-ups, parallel answers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.json_text import repaired
from poeflask.core.profile import Profile
from poeflask.core.prompt import Limits, OutputFormat, Prompt, Tool, ToolChoice
from poeflask.core.reply import (
    Failure,
    Finish,
    Pause,
    Replace,
    ReplyEvent,
    TextDelta,
    Usage,
)
from poeflask.filters.base import Filter
from poeflask.filters.chain import Aids, Chain, Wants, chain_for
from poeflask.filters.reply_side import ReplySide
from tests.filters.laws import Answered, check_laws, parted, recut, side_events, streams

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


TOOL = Tool(name="get_time", schema={"type": "object"})
ASKED = {
    "plain": PROMPT,
    "limits": replace(PROMPT, limits=Limits(stop=("STOP",), max_tokens=5)),
    "tools": replace(PROMPT, tools=(TOOL,)),
    "required": replace(PROMPT, tools=(TOOL,), tool_choice=ToolChoice(mode="required")),
    "structured": replace(PROMPT, output_format=OutputFormat(kind="json_object")),
    "all": replace(
        PROMPT,
        tools=(TOOL,),
        output_format=OutputFormat(kind="json_object"),
        limits=Limits(stop=("STOP",), max_tokens=5),
    ),
}
PIECES = (
    "Hello ",
    "STOP",
    "*Thinking...*\n\n> why\n\n",
    "<think>",
    "</think>",
    '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>',
    "{}",
    "```",
    "![a][ref]",
)
MORE = st.one_of(side_events, st.builds(Replace, st.sampled_from(("", "Hello", "{}"))))


def real_chain(prompt: Prompt, native: bool) -> Chain:
    """The chain that the house makes for this prompt, with aids that need nobody else."""
    numbers = itertools.count()
    aids = Aids(
        count=lambda text: len(text.split()),
        count_prompt=lambda prompt: lambda: 1,
        repair=repaired,
        new_call_id=lambda: f"call_{next(numbers)}",
    )
    chain = chain_for(prompt, Profile(bot="b", native_tools=native), Wants(), aids)
    chain.on_prompt(prompt)
    return chain


@pytest.mark.parametrize("native", [True, False], ids=["native", "prompted"])
@pytest.mark.parametrize("prompt", ASKED.values(), ids=ASKED)
@settings(max_examples=50)
@given(data=st.data())
def test_the_whole_chain_keeps_the_laws(data: st.DataObject, prompt: Prompt, native: bool) -> None:
    """One end, at every cut the same; nothing but what clients may see, usage before a Finish."""
    stream = data.draw(streams(PIECES, MORE))
    second = data.draw(streams(PIECES, side_events))

    def make() -> Answered:
        return Answered(real_chain(prompt, native), second)

    got = check_laws(make, stream, data.draw(recut(stream)), parted)
    assert not any(isinstance(event, Replace) for event in got)
    counted = [place for place, event in enumerate(got) if isinstance(event, Usage)]
    if isinstance(got[-1], Finish):
        assert [len(got) - 2] == counted


TEXT: list[ReplyEvent] = [TextDelta("plain"), Pause()]


def made(prompt: Prompt = PROMPT, **profile: Any) -> Chain:
    """The chain for a prompt."""
    aids = Aids(
        count=len, count_prompt=lambda prompt: lambda: 7, repair=repaired, new_call_id=lambda: "c"
    )
    chain = chain_for(prompt, Profile(bot="b", **profile), Wants(), aids)
    chain.on_prompt(prompt)
    return chain


def test_a_plain_text_passes_once_the_answer_has_begun() -> None:
    """Before that it might be progress or thoughts; nothing else ever passes."""
    chain = made()
    at_first = chain.passes("plain")
    chain.feed(TEXT)

    assert (False, True) == (at_first, chain.passes("plain"))
    assert not chain.passes("an image: ![a][b]")


def test_nothing_passes_beside_a_parallel_answer_or_behind_the_end() -> None:
    """There the texts of one answer are not all that there is."""
    parallel, ended = made(), made()
    for chain in (parallel, ended):
        chain.feed(TEXT)
    parallel.feed([TextDelta("other", 1), Pause()])
    ended.feed([Finish("stop")])

    assert (False, False) == (parallel.passes("plain"), ended.passes("plain"))


def test_a_batch_that_holds_more_than_a_text_goes_through_the_filters() -> None:
    """Also if each part of it would pass alone."""
    chain = made()
    chain.feed(TEXT)

    assert [] == chain.feed([])
    assert [Pause()] == chain.feed([Pause()])
    several = [TextDelta("a"), TextDelta("b"), Pause()]
    assert several == chain.feed(several)
    assert [TextDelta("c", 1), Pause()] == chain.feed([TextDelta("c", 1), Pause()])


def test_no_filter_hears_twice_of_a_text_that_does_not_pass() -> None:
    """Those that it had passed are not fed it: the count would say so."""
    chain = made(replace(PROMPT, limits=Limits(stop=("END",))))
    chain.feed(TEXT)

    assert not chain.passes("E")
    assert [Pause()] == chain.feed([TextDelta("E"), Pause()])
    assert [TextDelta("Ende"), Usage(prompt_tokens=7, completion_tokens=9), Finish("stop")] == (
        chain.feed([TextDelta("nde"), Finish("stop")])
    )


@pytest.mark.parametrize("tokens", [1, 5000])
def test_a_short_text_far_from_the_limit_passes(tokens: int) -> None:
    """So that the usual limits of clients cost nothing."""
    chain = made(replace(PROMPT, limits=Limits(max_tokens=tokens)))
    chain.feed(TEXT)

    assert (tokens == 5000) == chain.passes("plain")


class Notes(ReplySide):
    """Lets every text pass, or none, and notes what it was asked about and what it was fed."""

    def __init__(self, *, lets_pass: bool) -> None:
        self.lets_pass = lets_pass
        self.noted: list[str] = []

    def passes(self, text: str) -> bool:
        self.noted += [text] if self.lets_pass else []
        return self.lets_pass

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        self.noted += [event.text] if isinstance(event, TextDelta) else []
        given.append(event)


def test_a_filter_notes_each_text_once() -> None:
    """A text that a later filter wants is fed to that one, not to those that it has passed."""
    filters = [Notes(lets_pass=True), Notes(lets_pass=False), Notes(lets_pass=True)]
    chain = Chain(lambda: list(filters), list)
    assert [TextDelta("a"), Pause()] == chain.feed([TextDelta("a"), Pause()])
    chain.feed([TextDelta("b")])

    assert [["a", "b"]] * 3 == [one.noted for one in filters]


def test_a_filter_that_has_settled_is_not_asked_any_more() -> None:
    """From the batch behind the one in which it settled."""
    notes = Notes(lets_pass=True)
    chain = Chain(lambda: [notes], list)
    notes.settled = True
    chain.feed([TextDelta("a")])
    asked = list(notes.noted)

    assert chain.passes("b")
    assert asked == notes.noted
