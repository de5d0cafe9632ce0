"""Tools and the choice among them, in both spellings."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.chat.decode import ChatRequest, decode
from tests.endpoints.chat.bad_requests import GOOD

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
F = {"type": "function", "function": {"name": "f"}}
G = {"type": "function", "function": {"name": "g"}}
PATCH = {"type": "custom", "custom": {"name": "patch"}}


def decoded(**fields: Any) -> ChatRequest:
    """A good request with these fields, read."""
    return decode({**GOOD, **fields})


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (F, Tool(name="f")),
        (
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": SCHEMA,
                    "strict": True,
                },
            },
            Tool(name="f", description="d", schema=SCHEMA, strict=True),
        ),
        (
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": None,
                    "parameters": None,
                    "strict": None,
                },
            },
            Tool(name="f"),
        ),
        (
            {"type": "function", "name": "f", "parameters": SCHEMA},
            Tool(name="f", schema=SCHEMA),
        ),
        (PATCH, Tool(name="patch", kind="custom")),
        (
            {
                "type": "custom",
                "custom": {"name": "patch", "description": "d", "format": {"type": "text"}},
            },
            Tool(name="patch", description="d", kind="custom", format={"type": "text"}),
        ),
        ({"type": "custom", "name": "patch"}, Tool(name="patch", kind="custom")),
    ],
)
def test_tools_are_read(tool: dict[str, Any], expected: Tool):
    """Functions and custom tools, nested as in chat or flat as in the Responses API."""
    assert decoded(tools=[tool]).prompt.tools == (expected,)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice()),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        (F, ToolChoice(mode="required", names=("f",))),
        ({"type": "function", "name": "f"}, ToolChoice(mode="required", names=("f",))),
        (PATCH, ToolChoice(mode="required", names=("patch",))),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [F, G]}},
            ToolChoice(mode="required", names=("f", "g")),
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]},
            ToolChoice(names=("g",)),
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [F, {"type": "web_search"}]},
            },
            ToolChoice(names=("f",)),
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            ToolChoice(mode="none"),
        ),
    ],
)
def test_the_choice_is_read(choice: object, expected: ToolChoice):
    """A word, one tool, or some tools; no allowed tool at all means none."""
    got = decoded(tools=[F, G, PATCH], tool_choice=choice)

    assert expected == got.prompt.tool_choice


def test_one_call_at_a_time_is_carried():
    """parallel_tool_calls holds for every way to choose."""
    for choice in (None, "auto", F):
        got = decoded(tools=[F], tool_choice=choice, parallel_tool_calls=False)
        assert got.prompt.tool_choice.parallel is False


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice(parallel=False)),
        ("auto", ToolChoice(parallel=False)),
        ("none", ToolChoice(mode="none", parallel=False)),
        ({"name": "f"}, ToolChoice(mode="required", names=("f",), parallel=False)),
    ],
)
def test_old_functions_are_tools(choice: object, expected: ToolChoice):
    """A client of the old spelling has room for one call, and is answered in its spelling."""
    got = decoded(functions=[{"name": "f", "parameters": SCHEMA}], function_call=choice)

    assert got.legacy_functions
    assert got.prompt.tools == (Tool(name="f", schema=SCHEMA),)
    assert expected == got.prompt.tool_choice


def test_the_new_spelling_wins():
    """A client that sends both knows tool calls."""
    got = decoded(tools=[F], functions=[{"name": "g"}], tool_choice="none", function_call="auto")

    assert not got.legacy_functions
    assert got.prompt.tools == (Tool(name="f"), Tool(name="g"))
    assert got.prompt.tool_choice == ToolChoice(mode="none")
