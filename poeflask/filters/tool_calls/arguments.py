"""A call's arguments as its tool wants them: unwrapped, fitted to its schema, written as JSON."""

from __future__ import annotations

from typing import Any

from poeflask.core import json_text
from poeflask.core.coerce import closed, coerce, has_types, properties, required
from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.lenient_json import Repair, mend_json, read_json
from poeflask.filters.tool_calls.source import BrokenCallError
from poeflask.filters.tool_text import CUSTOM_KEY, escaped


def arguments_of(tool: Tool, value: Any, repair: Repair) -> Any:
    """The arguments as a dict, or as a text for a custom tool, whatever they were wrapped in.

    Raises:
        BrokenCallError: they are neither.
    """
    if tool.kind == "custom":
        return custom_text(value)
    if value is None or value == "":
        return {}
    for _ in range(2):
        if not isinstance(value, str):
            break
        value = _decoded(value, repair)
    if isinstance(value, dict):
        return value
    raise BrokenCallError('the arguments are no JSON object such as {"key": "value"}.')


def _decoded(text: str, repair: Repair) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        first = error
    try:
        return mend_json(text, repair)
    except ValueError as error:
        raise BrokenCallError(f"the arguments are not JSON: {first}.") from error


def custom_text(value: Any) -> str:
    """The free text that a custom tool was called with."""
    if isinstance(value, dict) and isinstance(value.get(CUSTOM_KEY), str):
        return str(value[CUSTOM_KEY])
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value if isinstance(value, str) else json_text.write(value)


def fits(tool: Tool, value: Any) -> bool:
    """Whether mended arguments are believable: one that invents or loses keys is wrong."""
    if tool.kind == "custom":
        return True
    if not isinstance(value, dict):
        return False
    made = coerce(value, tool.schema)
    keys = set(made)
    if not keys.issuperset(required(tool.schema)) or not has_types(made, tool.schema):
        return False
    named = properties(tool.schema)
    open_on_purpose = "additionalProperties" in tool.schema and not closed(tool.schema)
    return open_on_purpose or not named or keys.issubset(named)


def written(tool: Tool, value: Any) -> str:
    """The arguments as they are sent: JSON that fits the tool's schema, or the custom text."""
    if tool.kind == "custom":
        return custom_text(value)
    made = coerce(value, tool.schema)
    items = (f"{key_written(key)}{value_written(item)}" for key, item in made.items())
    return "{" + ",".join(items) + "}"


def key_written(key: str) -> str:
    """An argument's name as it stands in a JSON object, with its colon."""
    return f'"{escaped(key)}":'


def value_written(value: Any) -> str:
    """An argument's value as JSON, a text letter for letter as its pieces would be."""
    return f'"{escaped(value)}"' if isinstance(value, str) else json_text.write(value)
