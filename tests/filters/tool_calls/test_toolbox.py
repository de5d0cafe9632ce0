"""Tools found by what bots call them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError
from poeflask.filters.tool_calls.toolbox import Toolbox, calls_in

TOOL = Tool(name="t")


def test_names_are_found() -> None:
    """Exact names come first; a near miss counts only if there is one."""
    box = Toolbox([Tool(name="get_it"), Tool(name="get-It"), Tool(name="run.fast"), TOOL])
    found = [box.find(name) for name in ("get_it", "GET_IT", "Run.Fast", "functions.t:2", 3, "")]

    assert [tool and tool.name for tool in found] == ["get_it", None, "run.fast", "t", None, None]


def test_a_broken_text_names_its_tool() -> None:
    """The tool is found in what cannot be read, if arguments were to follow."""
    box = Toolbox([TOOL])
    texts = ["{'name': 't', arguments: {", '{"name": "t", "x": 1', '{"name": "u", "arguments": {']
    found = [box.named_in(text) for text in texts]

    assert [TOOL, None, None] == found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "t", "arguments": {"a": 1}}, [{"a": 1}]),
        ([{"tool": "t", "input": 1}, {"function": {"name": "t", "arguments": "{}"}}], [1, "{}"]),
        ({"tool_calls": [{"name": "t", "parameters": {}}]}, [{}]),
        ({"function_call": {"name": "t", "args": {}}}, [{}]),
        ([], []),
    ],
)
def test_calls_are_found_in_json(value: Any, expected: list[Any]) -> None:
    """Every spelling of a call, alone or in a list, gives its tool and its arguments."""
    assert [(TOOL, given) for given in expected] == list(calls_in(value, Toolbox([TOOL])))


def test_json_that_calls_nothing_is_refused() -> None:
    """Anything else is no call; a known tool without arguments is a broken one."""
    box = Toolbox([TOOL])
    for value in (1, {"name": "u", "arguments": {}}, [{"name": "t", "arguments": {}}, "x"]):
        with pytest.raises(NotACallError):
            list(calls_in(value, box))
    with pytest.raises(BrokenCallError, match=r"the call of 't' has no \"arguments\"\."):
        list(calls_in({"name": "t"}, box))
