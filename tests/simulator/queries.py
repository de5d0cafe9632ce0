"""Shorthand for queries and for what bots say."""

from __future__ import annotations

from typing import Any

from poeflask.core import json_text
from poeflask.simulator.query import Query, read_query
from poeflask.simulator.steps import Event, Step, Steps


def user(content: str, **more: Any) -> dict[str, Any]:
    """A user's message."""
    return {"role": "user", "content": content, **more}


def query(*messages: dict[str, Any], **fields: Any) -> Query:
    """A query of these messages."""
    return read_query({"version": "1.2", "type": "query", "query": list(messages), **fields})


def tool(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    """A tool as a query offers it; all its properties are required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


def called(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """A bot's message with these calls."""
    listed = [
        {"id": "c", "type": "function", "function": {"name": n, "arguments": json_text.write(a)}}
        for n, a in calls
    ]
    return {
        "role": "bot",
        "message_type": "function_call",
        "content": json_text.write(listed),
    }


def gave(*results: str) -> dict[str, Any]:
    """A tool's message with these results."""
    listed = [{"role": "tool", "name": "t", "tool_call_id": "c", "content": r} for r in results]
    return {"role": "tool", "content": json_text.write(listed)}


def said(steps: Steps) -> str:
    """The text that a reader would see in the end."""
    text = ""
    for step in steps:
        match step:
            case Event("text", {"text": str(piece)}):
                text += piece
            case Event("replace_response", {"text": str(whole)}):
                text = whole
            case Event("json", {"choices": [{"delta": {"content": str(piece)}}]}):
                text += piece
    return text


def native_calls(steps: Steps) -> list[tuple[str, Any]]:
    """The calls that json events make, put together."""
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for delta in _call_deltas(list(steps)):
        index = delta["index"]
        names.setdefault(index, delta["function"].get("name", ""))
        arguments[index] = arguments.get(index, "") + delta["function"]["arguments"]
    return [(names[index], json_text.read(arguments[index])) for index in names]


def _call_deltas(steps: list[Step]) -> list[Any]:
    chunks = [step.data for step in steps if isinstance(step, Event) and step.name == "json"]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return [call for delta in deltas for call in delta.get("tool_calls", ())]
