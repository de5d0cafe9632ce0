"""The tools of a Gemini request and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.gemini.declared import json_schema
from poeflask.endpoints.gemini.schema import MAX_TOOLS, camel
from poeflask.endpoints.shapes import a_name, a_text, an_array, an_object, handed_on, shown, wrong

_SEARCHES = frozenset({"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch"})

_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "MODE_UNSPECIFIED": "auto",
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "required",
    "NONE": "none",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What a request says of tools.

    Attributes:
        web_search: a tool of Google's own for searching the web was among them.
        left_out: the paths of the tools that no bot of Poe's can be given.
    """

    tools: tuple[Tool, ...]
    choice: ToolChoice
    web_search: bool = False
    left_out: tuple[str, ...] = ()


def read_tools(tools: list[Any], config: Mapping[str, Any]) -> Toolbox:
    """The tools of a request and the choice among them.

    Args:
        tools: the request's `tools`.
        config: its `toolConfig.functionCallingConfig`, checked.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    read: list[Tool] = []
    left_out: list[str] = []
    searches = False
    for index, value in enumerate(tools):
        at = f"tools[{index}]"
        fields = camel(an_object(value, at))
        read.extend(_declared(fields.get("functionDeclarations"), f"{at}.functionDeclarations"))
        searches = searches or bool(_SEARCHES & fields.keys())
        others = fields.keys() - _SEARCHES - {"functionDeclarations"}
        left_out.extend(f"{at}.{name}" for name in sorted(others) if fields[name] is not None)
    return Toolbox(
        tools=tuple(read),
        choice=_choice(read, config),
        web_search=searches,
        left_out=tuple(left_out),
    )


def _declared(value: object, at: str) -> list[Tool]:
    if value is None:
        return []
    items = enumerate(an_array(value, at, MAX_TOOLS))
    return [_tool(one, f"{at}[{index}]") for index, one in items]


def _tool(value: object, at: str) -> Tool:
    fields = camel(an_object(value, at))
    description = fields.get("description")
    return Tool(
        name=a_name(fields.get("name"), f"{at}.name"),
        description=a_text(description, f"{at}.description") if description else "",
        schema=_schema(fields, at),
    )


def _schema(fields: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The arguments' schema, in JSON Schema's words or in Google's own."""
    if (schema := fields.get("parametersJsonSchema")) is not None:
        return handed_on(schema, f"{at}.parametersJsonSchema")
    if (schema := fields.get("parameters")) is not None:
        return json_schema(handed_on(schema, f"{at}.parameters"))
    return {}


def _choice(tools: Sequence[Tool], config: Mapping[str, Any]) -> ToolChoice:
    at = "toolConfig.functionCallingConfig"
    mode = _MODES[config.get("mode", "AUTO")]
    names = tuple(config.get("allowed_function_names", ()))
    if mode == "required" and not tools:
        raise wrong(f"{at}.mode", "demands a call, but the request declares no functions.")
    known = {tool.name for tool in tools}
    for name in names:
        if name not in known:
            sentence = f"names the function {shown(name)}, which the request does not declare."
            raise wrong(f"{at}.allowedFunctionNames", sentence)
    return ToolChoice(mode=mode, names=names if mode != "none" else ())
