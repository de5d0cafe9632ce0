"""The tools of a request and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.messages.tools import Toolbox, read_tools
from tests.endpoints.messages.bad_requests import TOOL

F = Tool(name="f", description="Does f.", schema={"type": "object"})
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}


def read(*tools: Any, choice: Any = None) -> Toolbox:
    """What a request with these tools says."""
    return read_tools({"tools": list(tools), "tool_choice": choice})


def test_client_tools_are_functions():
    """With or without a type; strict is carried."""
    got = read(TOOL, {"type": "custom", "name": "g", "input_schema": {}, "strict": True})

    assert (F, Tool(name="g", strict=True)) == got.tools


def test_deferred_tools_are_given_at_once():
    """There is no search for tools; the placeholder that nobody may call is left out."""
    placeholder = {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True}
    search = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}

    assert Toolbox(tools=(F,), choice=ToolChoice()) == read(
        placeholder, search, {**TOOL, "defer_loading": True}
    )


def test_web_search_is_a_switch():
    """Whatever its version; it is no tool that could be called."""
    assert Toolbox(tools=(F,), choice=ToolChoice(), web_search=True) == read(SEARCH, TOOL)


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("bash_20250124", "bash", "restart"),
        ("text_editor_20250124", "str_replace_editor", "command"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "insert_text"),
        ("text_editor_29991231", "str_replace_based_edit_tool", "insert_text"),
        ("memory_20250818", "memory", "old_path"),
        ("computer_20250124", "computer", "coordinate"),
    ],
)
def test_tools_that_anthropic_only_names_get_their_schema(kind: str, name: str, field: str):
    """The client runs them, so any bot may call them."""
    (named,) = read({"type": kind, "name": name}).tools
    (nameless,) = read({"type": kind}).tools

    assert name == named.name
    assert field in named.schema["properties"]
    assert named.description.endswith(".")
    assert nameless == named


def test_old_editors_can_undo_and_new_ones_cannot():
    """As Anthropic documents it."""
    (old,) = read({"type": "text_editor_20241022", "name": "str_replace_editor"}).tools
    (new,) = read({"type": "text_editor_20250429", "name": "str_replace_based_edit_tool"}).tools

    assert "undo_edit" in old.schema["properties"]["command"]["enum"]
    assert "undo_edit" not in new.schema["properties"]["command"]["enum"]


def test_a_screen_has_a_size():
    """The bot must know which places there are."""
    screen = {"display_width_px": 1024, "display_height_px": 768}
    (tool,) = read({"type": "computer_20250124", "name": "computer", **screen}).tools

    assert "1024x768" in tool.description


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ({"type": "auto"}, ToolChoice()),
        ({"type": "none"}, ToolChoice(mode="none")),
        ({"type": "any"}, ToolChoice(mode="required")),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="required", names=("f",))),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice(parallel=False)),
        (
            {"type": "any", "disable_parallel_tool_use": False},
            ToolChoice(mode="required", parallel=True),
        ),
    ],
)
def test_choices(choice: Any, expected: ToolChoice):
    """Anthropic's words in ours."""
    assert expected == read(TOOL, choice=choice).choice


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "web_search"}])
def test_a_search_cannot_be_demanded(choice: Any):
    """It is switched on; whether it is used is left to the bot."""
    got = read(SEARCH, choice=choice)

    assert Toolbox(tools=(), choice=ToolChoice(), web_search=True) == got
