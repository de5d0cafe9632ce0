"""Thoughts in front of an answer are set apart, and nothing else is taken for a thought."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import Finish, Pause, ReasoningDelta, TextDelta, ToolCallDelta
from poeflask.filters.reasoning import ReasoningFilter
from tests.filters.laws import (
    broken,
    check_laws,
    every_cut,
    joined,
    letters,
    reasoning_of,
    recut,
    settle,
    settle_batches,
    strangers,
    streams,
    text_of,
)

MARKS = (
    "*Thinking...*",
    "_Thinking…_",
    "**Thinking...**",
    "Thinking...",
    "Thought for 12 seconds",
    "*Thought for 1.5s*",
)
PIECES = (
    *MARKS,
    "\n",
    "\n\n",
    "> ",
    ">",
    "a",
    " ",
    "\r\n",
    "<think>",
    "</think>",
    "<thinking>",
    "*",
)
POE = """*Thinking...*

> **Checking the data**
>\x20
> First I look.
>
> **Next**

The answer.

> with a quote"""
THOUGHTS = "**Checking the data**\n\nFirst I look.\n\n**Next**"
ANSWER = "The answer.\n\n> with a quote"
call = ToolCallDelta(position=0, call_id="call_1", name="f")


def split(text, marks="any"):
    """The reasoning and the answer of a whole text."""
    got = settle(ReasoningFilter(marks), [TextDelta(text), Finish()])
    return reasoning_of(got), text_of(got)


@given(st.data(), st.sampled_from(("quote", "tags", "any", "none")))
def test_laws(data, marks):
    """One end, cuts mean nothing, others pass in order."""
    stream = data.draw(streams(PIECES))
    got = check_laws(lambda: ReasoningFilter(marks), stream, data.draw(recut(stream)))

    assert strangers(stream) == strangers(got)


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_word_is_lost(text):
    """Only marks, quote signs and blanks between are left out."""
    reasoning, answer = split(text)

    assert text.count("a") <= (reasoning + answer).count("a")
    if not reasoning and answer[:1].strip():
        assert text.endswith(answer)


@given(st.data())
def test_an_answer_without_marks_is_untouched(data):
    """Quotes and tags inside an answer stay."""
    stream = data.draw(streams(("a", "> ", "\n", " ")))

    assert joined(stream) == joined(settle(ReasoningFilter("any"), stream))


def test_poes_quote_block_is_reasoning():
    """As GPT-5.5 was recorded; cut at every place, and letter by letter."""
    for pieces in every_cut(POE):
        assert [ReasoningDelta(THOUGHTS), TextDelta(ANSWER), Finish()] == joined(
            settle_batches(ReasoningFilter("quote"), [[event] for event in [*pieces, Finish()]])
        )
    got = settle_batches(ReasoningFilter("any"), letters([TextDelta(POE), broken]))

    assert [ReasoningDelta(THOUGHTS), TextDelta(ANSWER), broken] == joined(got)


@pytest.mark.parametrize("mark", MARKS)
def test_every_variant_of_the_mark_counts(mark):
    """Italic, bold or plain, three dots or one sign."""
    for pieces in every_cut(f"\n{mark}\r\n\r\n> hm\r\n> so\n\nYes"):
        got = settle_batches(ReasoningFilter("any"), [[piece] for piece in [*pieces, Finish()]])

        assert [ReasoningDelta("hm\r\nso"), TextDelta("Yes"), Finish()] == joined(got)


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("*Thinking...*\n\n> a\n\n> b", "a", "> b"),
        ("*Thinking...*\n\n> a\nb", "a", "b"),
        ("*Thinking...*\n\n>a\n>\n>b", "a\n\nb", ""),
        ("*Thinking...*\n\n> a\n\n    code", "a", "    code"),
        ("*Thinking...*\n> a\n\n\nb\n\nc", "a", "b\n\nc"),
        ("<think>\na\n\nb\n</think>\n\nc", "a\n\nb", "c"),
        ("<thinking>a</think>b</thinking>c", "a</think>b", "c"),
        (" <think></think>\nc", "", "c"),
        ("<think>a", "a", ""),
        ("<think>a</thi", "a</thi", ""),
    ],
)
def test_where_reasoning_ends(text, reasoning, answer):
    """At the first line that is no quote, or at the closing tag."""
    assert (reasoning, answer) == split(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thinking...",
        "*Thinking...*\n\n",
        "*Thinking...*\n\nNo quote.",
        "> a\n\nb",
        "So: *Thinking...*\n\n> a",
        "a <think>b</think>",
        "<thinker>a",
        "\n\n*Thinking... hard*\n\n> a",
        "Thought for food\n> a",
    ],
)
def test_other_text_is_answer(text):
    """A mark without a quote behind it, or anywhere but at the start, means nothing."""
    assert ("", text) == split(text)


@pytest.mark.parametrize(
    ("marks", "text"),
    [("tags", POE), ("quote", "<think>a</think>b"), ("none", POE), ("none", "<think>a</think>b")],
)
def test_only_the_profiles_marks_count(marks, text):
    """A bot that does not think in tags may write about them."""
    assert ("", text) == split(text, marks)


def test_thoughts_and_text_flow_at_once():
    """Only a mark, a quote sign and line breaks are held."""
    filter_ = ReasoningFilter("any")

    assert [] == filter_.feed([TextDelta("*Thin")])
    assert [ReasoningDelta("a b")] == filter_.feed([TextDelta("king...*\n\n> a b")])
    assert [Pause()] == filter_.feed([TextDelta("\n"), Pause()])
    assert [TextDelta("c")] == filter_.feed([TextDelta("\nc")])
    assert [TextDelta(" *")] == filter_.feed([TextDelta(" *")])


def test_held_text_goes_before_any_other_event():
    """What looked like a mark was none if something else comes."""
    stream = [TextDelta("<thi"), call, TextDelta("nk>a"), Finish()]

    assert stream == settle(ReasoningFilter("any"), stream)
    assert [
        ReasoningDelta("a"),
        ReasoningDelta("</th"),
        call,
        ReasoningDelta("b"),
        Finish(),
    ] == settle(ReasoningFilter("any"), [TextDelta("<think>a</th"), call, TextDelta("b"), Finish()])
