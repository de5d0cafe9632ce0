"""Tests of reply events and their sum."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import (
    END,
    OUTPUT,
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    Replace,
    Reply,
    TextDelta,
    ToolCallDelta,
    ToolCallDone,
    Usage,
    gather,
    gather_all,
    renumbered,
)

FILE = FileEvent(url="u", content_type="c", name="n")
ERROR = PoeError(ErrorKind.POE_FAILED, "no")
ONE_OF_EACH = [
    TextDelta("a"),
    ReasoningDelta("r"),
    ToolCallDelta(position=0, call_id="1", name="f"),
    FILE,
    Replace("b"),
    Note("meta", {}),
    Usage(),
    Pause(),
    Finish(),
    Failure(ERROR),
]


def test_an_answer_is_the_sum_of_its_events():
    """Texts are joined, calls put together, the rest kept in order."""
    got = gather(
        [
            Note("meta", {}),
            ReasoningDelta("h"),
            Pause(),
            ReasoningDelta("m"),
            TextDelta("a"),
            ToolCallDelta(position=1, call_id="2", name="g", kind="custom"),
            ToolCallDelta(position=0, call_id="1", name="f", arguments="{", extra={"x": 1}),
            FILE,
            ToolCallDelta(position=0, arguments="}"),
            TextDelta("b"),
            Usage(prompt_tokens=1),
            Finish("length"),
        ]
    )

    assert got == Reply(
        text="ab",
        reasoning="hm",
        tool_calls=(
            ToolCallDone(call_id="1", name="f", arguments="{}", extra={"x": 1}),
            ToolCallDone(call_id="2", name="g", arguments="", kind="custom"),
        ),
        files=(FILE,),
        notes=(Note("meta", {}),),
        usage=Usage(prompt_tokens=1),
        end=Finish("length"),
    )


def test_a_replacement_voids_the_text_alone():
    """Files, calls and reasoning stay; later text is added."""
    got = gather([TextDelta("a"), FILE, ReasoningDelta("r"), Replace("b"), TextDelta("c")])

    assert Reply(text="bc", reasoning="r", files=(FILE,)) == got


def test_an_answer_that_broke_off_keeps_what_was_said():
    """The failure stands beside it."""
    assert Reply(text="a", end=Failure(ERROR)) == gather([TextDelta("a"), Failure(ERROR)])


def test_parallel_answers_are_told_apart():
    """In the order of their numbers, whichever spoke first; a pause belongs to none."""
    got = gather_all([Pause(), TextDelta("b", 2), TextDelta("a"), TextDelta("c", 2), Finish()])

    assert (Reply(text="a", end=Finish()), Reply(text="bc", index=2)) == got


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_events_are_values(event):
    """They compare by content, cannot be changed, and can be given another number."""
    other = renumbered(event, 3)

    assert event == dataclasses.replace(event)
    assert isinstance(event, Pause) or (other.index, renumbered(other, 0)) == (3, event)
    for field in dataclasses.fields(event):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, field.name, None)


def test_every_event_has_its_place():
    """What clients see, what ends an answer, and the rest: ten in all."""
    kinds = {type(event) for event in ONE_OF_EACH}

    assert len(kinds) == 10
    assert {*OUTPUT, *END} < kinds
    assert not {*OUTPUT} & {*END}


@settings(deadline=None)
@given(st.text(), st.integers(1, 5))
def test_cuts_do_not_matter(text, size):
    """However a text is cut into events, their sum is the text."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    assert text == gather(TextDelta(piece) for piece in pieces).text


def test_usages_are_added():
    """What two answers cost together is exact only if both parts are."""
    total = Usage(prompt_tokens=1, completion_tokens=2, exact=True) + Usage(
        prompt_tokens=10, reasoning_tokens=5, cached_tokens=3
    )

    assert total == Usage(
        prompt_tokens=11, completion_tokens=2, reasoning_tokens=5, cached_tokens=3
    )
