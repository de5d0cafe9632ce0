"""Which filter a prompt needs for its tools."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.profile import Profile
from poeflask.core.prompt import Message, ToolCall, ToolResult
from poeflask.core.reply import (
    Failure,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.filters.native_tools import NativeTools
from poeflask.filters.prompted_tools import PromptedTools
from poeflask.filters.tools import ToolMode, tools_filter
from tests.filters.laws import Answered, Stranger, check_laws, parted, recut, streams, text_of
from tests.filters.tool_filters import (
    BOT,
    BROKEN,
    CALL,
    NATIVE,
    PROMPT,
    USER,
    choosing,
    first,
    made,
)


def test_no_filter_without_tools() -> None:
    """A prompt that has to do with no tools needs no filter."""
    got = tools_filter(replace(PROMPT, tools=()), BOT, new_call_id=str)

    assert got is None


def test_without_leave_nothing_is_a_call() -> None:
    """With tool choice none there is no instruction and no reading, but the history stays."""
    history = (
        USER,
        Message("assistant", (ToolCall(call_id="c", name="get_time", arguments="{}"),)),
        Message("tool", (ToolResult(call_id="c", text="noon"),)),
    )
    prompt = replace(choosing(mode="none"), messages=history)
    filter_, asked = made(prompt, NATIVE)
    got = filter_.feed([TextDelta(CALL), Finish("stop")])

    assert asked.tools == ()
    assert [message.role for message in asked.messages] == ["user", "assistant", "user"]
    assert 'name="get_time"' in asked.messages[1].text
    assert "noon" in asked.messages[2].text
    assert got == [TextDelta(CALL), Finish("stop")]


def test_the_profile_chooses_unless_it_is_overruled() -> None:
    """A bot that takes tools gets them, any other gets words, and the mode has the last word."""
    asked: list[tuple[Profile, ToolMode]] = [
        (NATIVE, "auto"),
        (BOT, "auto"),
        (NATIVE, "prompted"),
        (BOT, "native"),
    ]
    made_for = [
        type(tools_filter(PROMPT, profile, mode, new_call_id=str)) for profile, mode in asked
    ]

    assert [NativeTools, PromptedTools, PromptedTools, NativeTools] == made_for


PIECES = (
    "<tool_call>",
    '{"name": "get_time", "arguments": {}}',
    "</tool_call>",
    "</tool_",
    CALL,
    BROKEN,
    "```",
    "`",
    "\n",
    "<think",
)
SIDE_EVENTS = st.one_of(
    st.builds(Stranger, st.integers(0, 9)),
    st.builds(ReasoningDelta, st.sampled_from(("Hm.", CALL))),
    st.builds(Usage, prompt_tokens=st.integers(1, 9), completion_tokens=st.integers(1, 9)),
)
NATIVE_CALLS = st.builds(
    first,
    st.sampled_from(("get_time", "unknown", "")),
    st.sampled_from(("", "{}", '{"zone"')),
    st.integers(0, 2),
)


@pytest.mark.parametrize("profile", [BOT, NATIVE], ids=["prompted", "native"])
@pytest.mark.parametrize("mode", ["auto", "required"])
@given(data=st.data())
def test_laws(data: st.DataObject, profile: Profile, mode: str) -> None:
    """One end, every cut alike, nothing lost, strangers pass; also with a second answer."""
    native = profile.native_tools
    side = st.one_of(SIDE_EVENTS, NATIVE_CALLS) if native else SIDE_EVENTS
    stream = data.draw(streams(PIECES, side))
    second = data.draw(streams(PIECES, SIDE_EVENTS))

    def make() -> Answered:
        return Answered(made(choosing(mode=mode), profile)[0], second)

    got = check_laws(make, stream, data.draw(recut(stream)), parted)
    no_call = not any(isinstance(event, ToolCallDelta) for event in got)
    if no_call and mode == "auto" and not isinstance(got[-1], Failure):
        strangers = [event for event in stream if isinstance(event, Stranger)]
        assert strangers == [e for e in got if isinstance(e, Stranger)][: len(strangers)]
        assert text_of(stream) == text_of(got)[: len(text_of(stream))]
