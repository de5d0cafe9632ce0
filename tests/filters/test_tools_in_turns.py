"""Calls that a bot writes at once, in turns, reach the client whole and one after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.prompt import Message, Prompt, Text, Tool
from poeflask.core.reply import Failure, Finish, ReplyEvent, ToolCallDelta, gather
from poeflask.filters.base import Filter
from poeflask.filters.tools import tools_maker

TOOLS = (Tool(name="look"), Tool(name="see"), Tool(name="patch", kind="custom"))
TEXTS = ('{"at": 1}', '{"of": [2, 3]}', '{"input": "a\\nb"}')
BROKEN = Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))


def tools() -> Filter:
    """The filter, its prompt asked."""
    prompt = Prompt(bot="Bot", messages=(Message("user", (Text("Hi"),)),), tools=TOOLS)
    make = tools_maker(prompt, Profile(bot="Bot", native_tools=True), new_call_id=lambda: "call_x")
    assert make is not None
    made = make()
    made.on_prompt(prompt)
    return made


def opening(position: int) -> ToolCallDelta:
    """The first delta of a call."""
    return ToolCallDelta(position=position, call_id=f"c{position}", name=TOOLS[position].name)


def piece(position: int, arguments: str) -> ToolCallDelta:
    """A later delta of a call."""
    return ToolCallDelta(position=position, arguments=arguments)


@st.composite
def turns(draw: st.DrawFn) -> list[ReplyEvent]:
    """All letters of three calls, each call's in order, in any turns."""
    letters = [list(text) for text in TEXTS]
    events: list[ReplyEvent] = [opening(position) for position in range(3)]
    while any(letters):
        position = draw(st.sampled_from([place for place in range(3) if letters[place]]))
        events.append(piece(position, letters[position].pop(0)))
    return events


@given(turns())
def test_calls_in_turns_are_whole(events: list[ReplyEvent]) -> None:
    """No letter of any call is lost, and no call begins before the one before it has ended."""
    got = tools().feed([*events, Finish("tool_calls")])

    calls = gather(got).tool_calls
    assert [TEXTS[0], TEXTS[1], "a\nb"] == [call.arguments for call in calls]
    positions = [event.position for event in got if isinstance(event, ToolCallDelta)]
    assert sorted(positions) == positions


def test_a_call_behind_a_whole_one_does_not_wait() -> None:
    """Bots that write one call after the other are heard at once."""
    filter_ = tools()
    first = filter_.feed([opening(0), piece(0, TEXTS[0])])
    second = filter_.feed([opening(1)])

    assert [TEXTS[0]] == [call.arguments for call in gather(first).tool_calls]
    assert [opening(1)] == second


def test_what_waits_is_given_before_a_failure() -> None:
    """An answer that breaks off loses nothing that was said."""
    events = [opening(0), opening(1), piece(1, '{"of"'), BROKEN]

    assert gather(events) == gather(tools().feed(events))
