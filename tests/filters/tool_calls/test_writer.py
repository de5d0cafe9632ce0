"""One call, held and then streamed."""

from __future__ import annotations

import json

import pytest

from poeflask.core.prompt import Tool
from poeflask.core.reply import ToolCallDelta
from poeflask.filters.tool_calls.writer import CallWriter
from tests.filters.tool_calls.steps import PATCH, WRITE


def _written(tool: Tool, hold_chars: int) -> list[ToolCallDelta]:
    writer = CallWriter(tool, "id", 0, hold_chars)
    deltas = []
    if tool is WRITE:
        writer.merge({"path": "a"})
    writer.begin("text")
    for piece in ('one "', "\n", "two"):
        writer.text(piece)
        deltas += writer.take() if writer.sent else []
    writer.end()
    return [*deltas, *writer.close()]


@pytest.mark.parametrize("hold_chars", [0, 5, 2048])
def test_held_or_streamed_it_is_the_same_call(hold_chars: int) -> None:
    """The pieces joined are one JSON object, and only the first of them has a name."""
    deltas = _written(WRITE, hold_chars)
    names = [delta.name for delta in deltas]
    arguments = "".join(delta.arguments for delta in deltas)

    assert {"path": "a", "text": 'one "\ntwo'} == json.loads(arguments)
    assert names == ["write", *[""] * (len(names) - 1)]


def test_a_short_call_is_one_delta() -> None:
    """Nothing is let go before the end of what can be held."""
    assert 1 == len(_written(WRITE, 2048)) < len(_written(WRITE, 0))


def test_a_custom_text_goes_as_it_is() -> None:
    """It is not escaped, held or streamed."""
    for hold_chars in (0, 2048):
        deltas = _written(PATCH, hold_chars)

        assert 'one "\ntwo' == "".join(delta.arguments for delta in deltas)


def test_a_value_that_may_change_is_held() -> None:
    """A text that stands for a number waits for its end, however long it is."""
    tool = Tool(name="t", schema={"properties": {"n": {"type": "integer"}}})
    writer = CallWriter(tool, "id", 0, 0)
    writer.begin("n")
    writer.text("12")
    writer.end()

    assert not writer.sent
    assert '{"n":12}' == writer.close()[0].arguments
