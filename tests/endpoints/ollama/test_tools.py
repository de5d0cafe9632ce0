"""The tools of an Ollama request."""

from __future__ import annotations

from poeflask.core.prompt import Tool
from poeflask.endpoints.ollama.tools import read_tools


def test_a_tool_is_read_whole():
    """Its schema is handed on as it is."""
    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    function = {"name": "look", "description": "Look.", "parameters": schema}

    assert (Tool(name="look", description="Look.", schema=schema),) == read_tools(
        [{"type": "function", "function": function}]
    )


def test_a_tool_may_be_a_name_alone():
    """Type, description and parameters may be missing or null."""
    sent = [{"function": {"name": "now", "description": None, "parameters": None}}]

    assert (Tool(name="now"),) == read_tools(sent)
