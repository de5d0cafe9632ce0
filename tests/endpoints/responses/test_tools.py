"""Tools and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.responses import local_tools
from poeflask.endpoints.responses.tools import Toolbox, flat_name, read_tools

F = {"type": "function", "name": "f", "description": "Does f", "parameters": {"type": "object"}}
SPACE = {"type": "namespace", "name": "agents", "tools": [F, {"type": "custom", "name": "say"}]}


def read(*tools: Any, choice: Any = None, parallel: bool = True) -> Toolbox:
    """The tools of a request."""
    return read_tools([(tools, "tools")], choice, parallel=parallel)


def test_functions_and_free_text() -> None:
    """Written flat, or one level deeper as in chat completions."""
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    box = read(
        {**F, "strict": True, "defer_loading": True},
        {"type": "custom", "name": "patch", "format": grammar},
        {"type": "function", "function": {"name": "deep"}},
    )

    assert box.tools == (
        Tool(name="f", description="Does f", schema={"type": "object"}, strict=True),
        Tool(name="patch", kind="custom", format=grammar),
        Tool(name="deep"),
    )


def test_a_namespace_is_flattened_and_remembered() -> None:
    """The bot sees one list; the client's names come back with its calls."""
    box = read(F, SPACE)

    assert ["f", "agents__f", "agents__say"] == [tool.name for tool in box.tools]
    assert {"agents__f": ("agents", "f"), "agents__say": ("agents", "say")} == box.naming.spaced


@pytest.mark.parametrize(
    ("namespace", "flat"), [("", "f"), ("mcp.git hub", "mcp_git_hub__f"), ("a-b_c", "a-b_c__f")]
)
def test_flat_names_hold_only_what_names_may(namespace: str, flat: str) -> None:
    """Providers refuse other letters."""
    assert flat == flat_name(namespace, "f")


@pytest.mark.parametrize("name", sorted(local_tools.BY_NAME))
def test_tools_that_the_client_runs_are_functions(name: str) -> None:
    """Unless the client offers a function of that name itself."""
    box = read({"type": name, "environment": {"type": "local"}})
    own = read({"type": name}, {**F, "name": name})

    assert (local_tools.BY_NAME[name].as_function(),) == box.tools
    assert {name: local_tools.BY_NAME[name]} == box.naming.local
    assert ({}, "Does f") == (own.naming.local, own.tools[0].description)


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview", "web_search_2025_08_26"])
def test_a_web_search_is_the_bots_own(kind: str) -> None:
    """It is asked for, not offered as a tool."""
    box = read({"type": kind})

    assert ((), True, ()) == (box.tools, box.web_search, box.left_out)


@pytest.mark.parametrize(
    "kind",
    [
        *("file_search", "computer", "computer_use_preview", "code_interpreter"),
        *("image_generation", "mcp", "tool_search", "programmatic_tool_calling", "teleport"),
    ],
)
def test_tools_that_poe_lacks_are_left_out_and_named(kind: str) -> None:
    """Agents offer them with every request, whether they need them or not."""
    box = read(F, {"type": kind})

    assert ("tools[1]",) == box.left_out
    assert ["f"] == [tool.name for tool in box.tools]


def test_later_lists_add_to_earlier_ones() -> None:
    """A tool that was loaded later takes the place of one of its name."""
    box = read_tools(
        [([F], "tools"), ([{**F, "description": "new"}, {**F, "name": "g"}], "x")],
        None,
        parallel=True,
    )

    assert [("f", "new"), ("g", "Does f")] == [(tool.name, tool.description) for tool in box.tools]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice()),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        ({"type": "function", "name": "f"}, ToolChoice(mode="required", names=("f",))),
        (
            {"type": "function", "function": {"name": "f"}},
            ToolChoice(mode="required", names=("f",)),
        ),
        ({"type": "custom", "name": "say"}, ToolChoice(mode="required", names=("agents__say",))),
        (
            {"type": "function", "name": "f", "namespace": "agents"},
            ToolChoice(mode="required", names=("agents__f",)),
        ),
        ({"type": "shell"}, ToolChoice(mode="required", names=("shell",))),
        ({"type": "web_search"}, ToolChoice()),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "mcp"}],
            },
            ToolChoice(mode="required", names=("f",)),
        ),
        (
            {"type": "allowed_tools", "tools": [{"type": "namespace", "name": "agents"}]},
            ToolChoice(names=("agents__f", "agents__say")),
        ),
        ({"type": "allowed_tools", "tools": []}, ToolChoice(mode="none")),
    ],
)
def test_choices(choice: Any, expected: ToolChoice) -> None:
    """Every form that the API has, among tools of every sort."""
    box = read(F, SPACE, {"type": "shell"}, {"type": "web_search"}, choice=choice)

    assert expected == box.choice


def test_one_call_at_a_time() -> None:
    """`parallel_tool_calls` stays with the choice."""
    assert ToolChoice(parallel=False) == read(F, parallel=False).choice


def test_a_demand_that_the_web_search_alone_can_meet() -> None:
    """It is left to the bot."""
    assert ToolChoice() == read({"type": "web_search"}, choice="required").choice
