"""Filters for tools, made for a prompt, and what they are fed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, FunctionType

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.prompt import Message, Prompt, Text, ToolChoice
from poeflask.core.reply import (
    Failure,
    FileEvent,
    ToolCallDelta,
)
from poeflask.filters.base import Filter
from poeflask.filters.tools import tools_maker
from tests.filters.test_tool_corpus import TOOLS

USER = Message("user", (Text("What is the weather in Paris?"),))
PROMPT = Prompt(bot="Bot", messages=(USER,), tools=TOOLS)
BOT = Profile(bot="Bot")
NATIVE = Profile(bot="Bot", native_tools=True)
FILE = FileEvent(url="https://x/y", content_type="image/png", name="y.png")
CALL = '<tool_call>{"name": "get_time", "arguments": {}}</tool_call>'
BROKEN = '<tool_call>{"name": "run", "arguments": {"command": "half'
DEAD = Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))


def made(prompt: Prompt, profile: Profile = BOT) -> tuple[Filter, Prompt]:
    """A filter that has seen its prompt, and what it made of it."""
    numbers = itertools.count()
    make = tools_maker(prompt, profile, new_call_id=lambda: f"call_{next(numbers)}")
    assert make is not None
    found = make()
    return found, found.on_prompt(prompt)


def choosing(**choice: object) -> Prompt:
    """The prompt with this tool choice."""
    return replace(PROMPT, tool_choice=ToolChoice(**choice))  # type: ignore[arg-type]


def first(name: str, arguments: str = "", position: int = 0) -> ToolCallDelta:
    """The first delta of a native call."""
    return ToolCallDelta(
        position=position, call_id=f"native_{position}", name=name, arguments=arguments
    )


@contextmanager
def counted(function: Callable[..., object]) -> Iterator[list[object]]:
    """One entry for each time that the function is called."""
    assert isinstance(function, FunctionType)
    code, calls = function.__code__, []

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is code:
            calls.append(None)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(before)
