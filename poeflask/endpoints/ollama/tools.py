"""The tools of an Ollama request. There is no choice among them: the bot decides."""

from __future__ import annotations

from typing import Any

from poeflask.core.prompt import Tool
from poeflask.endpoints.shapes import a_name, a_text, an_object, handed_on, shown, wrong


def read_tools(tools: list[Any]) -> tuple[Tool, ...]:
    """The functions that the request offers.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    return tuple(_tool(value, f"tools[{index}]") for index, value in enumerate(tools))


def _tool(value: object, at: str) -> Tool:
    fields = an_object(value, at)
    kind = fields.get("type", "function")
    if kind != "function":
        raise wrong(f"{at}.type", f"must be 'function', not {shown(kind)}.")
    function = an_object(fields.get("function"), f"{at}.function")
    description, schema = function.get("description"), function.get("parameters")
    return Tool(
        name=a_name(function.get("name"), f"{at}.function.name"),
        description=a_text(description, f"{at}.function.description") if description else "",
        schema={} if schema is None else handed_on(schema, f"{at}.function.parameters"),
    )
