"""Which filter a prompt needs for its tools."""

from __future__ import annotations

from dataclasses import replace

from poeflask.core.profile import Profile
from poeflask.core.prompt import Message, ToolCall, ToolResult
from poeflask.core.reply import (
    Finish,
    TextDelta,
)
from poeflask.filters.native_tools import NativeTools
from poeflask.filters.prompted_tools import PromptedTools
from poeflask.filters.tools import ToolMode, tools_maker
from tests.filters.tool_filters import (
    BOT,
    CALL,
    NATIVE,
    PROMPT,
    USER,
    choosing,
    made,
)


def test_no_filter_without_tools() -> None:
    """A prompt that has to do with no tools needs no filter."""
    got = tools_maker(replace(PROMPT, tools=()), BOT, new_call_id=str)

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
    makers = [tools_maker(PROMPT, profile, mode, new_call_id=str) for profile, mode in asked]
    made_for = [type(make()) for make in makers if make is not None]

    assert [NativeTools, PromptedTools, PromptedTools, NativeTools] == made_for
