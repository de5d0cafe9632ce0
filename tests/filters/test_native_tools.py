"""Tools through the protocol, and from there to words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import (
    Failure,
    Finish,
    Pause,
    TextDelta,
    ToolCallDelta,
    gather,
)
from tests.filters.test_tool_corpus import TOOLS
from tests.filters.tool_filters import (
    CALL,
    DEAD,
    NATIVE,
    PROMPT,
    choosing,
    counted,
    first,
    made,
)


def test_native_calls_pass() -> None:
    """A native call goes on piece by piece, under its declared name, and ends as calls do."""
    filter_, asked = made(PROMPT, NATIVE)
    got = filter_.feed(
        [first("functions.run", '{"comm'), ToolCallDelta(position=0, arguments='and":"x"}')]
    )
    got += filter_.feed([first("get-time", position=4), Finish("stop")])

    assert [tool.name for tool in asked.tools] == [tool.name for tool in TOOLS]
    assert got == [
        first("run", '{"command":"x"}'),
        replace(first("get_time", "{}", position=4), position=1),
        Finish("tool_calls"),
    ]


def test_one_native_call_may_be_the_limit() -> None:
    """Where calls may not be parallel, the second native call ends the answer."""
    filter_, _ = made(choosing(parallel=False), NATIVE)
    got = filter_.feed([first("get_time", "{}"), first("run", "{}", position=1), Finish("stop")])

    assert got == [first("get_time", "{}"), Finish("tool_calls")]


def test_a_native_bot_may_write_its_call() -> None:
    """A bot that was given tools and writes a call as text is understood."""
    filter_, _ = made(PROMPT, NATIVE)
    got = filter_.feed([TextDelta(CALL), Finish("stop")])

    assert [call.name for call in gather(got).tool_calls] == ["get_time"]
    assert got[-1] == Finish("tool_calls")


def test_text_after_a_native_call_is_left_alone() -> None:
    """Once a call came properly, text is text."""
    filter_, _ = made(PROMPT, NATIVE)
    got = filter_.feed([first("get_time", "{}"), TextDelta(CALL), Finish("tool_calls")])

    assert gather(got).text == CALL


REFUSALS: list[Failure | Finish] = [
    Failure(PoeError(ErrorKind.BOT_REJECTED, "No.", code="unsupported_feature_for_model")),
    Failure(PoeError(ErrorKind.BOT_REJECTED, "Bot does not support tool calling.")),
    Finish("stop"),
]


@pytest.mark.parametrize("end", REFUSALS)
def test_a_bot_that_takes_no_tools_is_asked_in_words(end: Failure | Finish) -> None:
    """A refusal or silence before any output turns into the same prompt in words."""
    filter_, _ = made(PROMPT, NATIVE)
    got = filter_.feed([Pause(), end])
    follow_up = filter_.follow_up
    got += filter_.feed([TextDelta(CALL), Finish("stop")])

    assert follow_up == made(PROMPT)[1]
    assert got[0] == Pause()
    assert [call.name for call in gather(got).tool_calls] == ["get_time"]


def test_other_failures_stay() -> None:
    """A failure that says nothing of tools, or comes after output, is the client's."""
    filter_, _ = made(PROMPT, NATIVE)
    other, _ = made(PROMPT, NATIVE)

    assert filter_.feed([DEAD]) == [DEAD]
    assert other.feed([TextDelta("Hi"), REFUSALS[0]]) == [TextDelta("Hi"), REFUSALS[0]]
    assert (filter_.follow_up, other.follow_up) == (None, None)


def test_a_demanded_native_call_is_asked_for_in_words() -> None:
    """A native bot that does not call where it must is asked once more, in words."""
    filter_, asked = made(choosing(mode="required", names=("run",)), NATIVE)
    got = filter_.feed([TextDelta("Hello."), Finish("stop")])
    follow_up = filter_.follow_up
    got += filter_.feed(
        [TextDelta('<tool_call>{"name":"run","arguments":{"command":"x"}}'), Finish()]
    )

    assert [tool.name for tool in asked.tools] == ["run"]
    assert asked.messages[-1].text.endswith('the tool "run" now.')
    assert follow_up is not None
    assert follow_up.tools == ()
    assert [call.arguments for call in gather(got).tool_calls] == ['{"command":"x"}']
    assert got[-1] == Finish("tool_calls")


def test_custom_tools_travel_as_functions() -> None:
    """A native bot sees a custom tool as a function of one text; the client gets the text."""
    filter_, asked = made(PROMPT, NATIVE)
    patch = next(tool for tool in asked.tools if tool.name == "apply_patch")
    got = gather(filter_.feed([first("apply_patch", '{"input": "a\\nb"}'), Finish("stop")]))

    assert (patch.kind, list(patch.schema["properties"])) == ("function", ["input"])
    assert [(call.kind, call.arguments) for call in got.tool_calls] == [("custom", "a\nb")]


def test_many_calls_beside_a_long_one_cost_what_each_costs() -> None:
    """A call that is not whole is read once, however many others begin before more of it comes."""
    filter_, _ = made(PROMPT, NATIVE)
    begun = [first("run", '{"command": "' + "x" * 1000)]
    others = [first("run", '{"command": "y"}', position) for position in range(1, 50)]
    end = [ToolCallDelta(position=0, arguments='"}'), Finish("stop")]
    with counted(json_text.read) as reads:
        got = [event for one in [*begun, *others, *end] for event in filter_.feed([one])]

    assert 50 == len(gather(got).tool_calls)
    assert 1 == len(reads)


def test_calls_one_after_the_other_are_read_once_each() -> None:
    """A call that was told as whole is not looked at again."""
    filter_, _ = made(PROMPT, NATIVE)
    calls = [first("run", '{"command": "y"}', position) for position in range(50)]
    with counted(json_text.read) as reads:
        got = [event for one in [*calls, Finish("stop")] for event in filter_.feed([one])]

    assert 50 == len(gather(got).tool_calls)
    assert 49 == len(reads)
