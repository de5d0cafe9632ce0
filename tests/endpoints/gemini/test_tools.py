"""The tools of a Gemini request and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.gemini.tools import Toolbox, read_tools
from tests.endpoints.gemini.bad_requests import FUNCTION

TOOLS = [{"functionDeclarations": [FUNCTION]}]


def test_functions_of_all_tools_are_gathered():
    """In either kind of schema and either spelling; without a schema too."""
    sent = [
        {"function_declarations": [{"name": "a", "parameters": {"type": "OBJECT"}}]},
        {
            "functionDeclarations": [
                {"name": "b", "parameters_json_schema": {"type": "object"}, "description": "B."},
                {"name": "c", "parameters": None},
            ]
        },
    ]

    assert (
        Tool(name="a", schema={"type": "object"}),
        Tool(name="b", schema={"type": "object"}, description="B."),
        Tool(name="c"),
    ) == read_tools(sent, {}).tools


@pytest.mark.parametrize("name", ["googleSearch", "google_search", "googleSearchRetrieval"])
def test_google_s_search_is_a_wish_to_search(name: str):
    """The bot may have a way of its own."""
    got = read_tools([{name: {}}], {})

    assert Toolbox(tools=(), choice=ToolChoice(), web_search=True) == got


def test_google_s_other_tools_are_left_out_and_named():
    """No bot can be given them."""
    got = read_tools([*TOOLS, {"codeExecution": {}, "urlContext": {}, "googleMaps": None}], {})

    assert ("tools[1].codeExecution", "tools[1].urlContext") == got.left_out
    assert ["f"] == [tool.name for tool in got.tools]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ToolChoice()),
        ({"mode": "AUTO"}, ToolChoice()),
        ({"mode": "VALIDATED"}, ToolChoice()),
        ({"mode": "MODE_UNSPECIFIED"}, ToolChoice()),
        ({"mode": "NONE"}, ToolChoice(mode="none")),
        ({"mode": "NONE", "allowed_function_names": ["f"]}, ToolChoice(mode="none")),
        ({"mode": "ANY"}, ToolChoice(mode="required")),
        (
            {"mode": "ANY", "allowed_function_names": ["f"]},
            ToolChoice(mode="required", names=("f",)),
        ),
    ],
)
def test_the_choice(config: dict[str, Any], expected: ToolChoice):
    """Google's modes in our words."""
    assert expected == read_tools(TOOLS, config).choice
