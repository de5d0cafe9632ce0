"""The tools of a chat request and the choice among them, old spelling and new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.chat.schema import MAX_TOOLS
from poeflask.endpoints.shapes import (
    a_flag,
    a_name,
    a_text,
    an_array,
    an_object,
    handed_on,
    kind_of,
    one_of,
    shown,
    wrong,
)

_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What a request says of tools.

    Attributes:
        web_search: a tool of the server's own for searching the web was among them.
        left_out: the paths of the tools that no bot of Poe's can be given.
    """

    tools: tuple[Tool, ...]
    choice: ToolChoice
    web_search: bool = False
    left_out: tuple[str, ...] = ()


def read_tools(envelope: Mapping[str, Any], *, parallel: bool) -> Toolbox:
    """The tools and the tool choice of a request whose envelope has been checked.

    Args:
        envelope: the request's fields.
        parallel: what `parallel_tool_calls` says.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    tools: list[Tool] = []
    left_out: list[str] = []
    searches = False
    for index, value in enumerate(envelope.get("tools", ())):
        at = f"tools[{index}]"
        fields = an_object(value, at)
        kind = a_text(fields.get("type"), f"{at}.type")
        if kind in _TOOLS:
            tools.append(_TOOLS[kind](fields, at))
        elif kind.startswith("web_search"):
            searches = True
        else:
            left_out.append(at)
    functions = enumerate(envelope.get("functions", ()))
    tools.extend(_function(value, f"functions[{index}]") for index, value in functions)
    return Toolbox(
        tools=tuple(tools),
        choice=_choice(envelope, tools, parallel=parallel),
        web_search=searches,
        left_out=tuple(left_out),
    )


def _function_tool(fields: Mapping[str, Any], at: str) -> Tool:
    """A function; its description stands under "function", or flat as in the Responses API."""
    if "function" not in fields and "name" in fields:
        return _function(fields, at)
    return _function(fields.get("function"), f"{at}.function")


def _function(value: object, at: str) -> Tool:
    fields = an_object(value, at)
    strict, schema = fields.get("strict"), fields.get("parameters")
    return Tool(
        name=a_name(fields.get("name"), f"{at}.name"),
        description=_optional_text(fields.get("description"), f"{at}.description"),
        schema={} if schema is None else handed_on(schema, f"{at}.parameters"),
        strict=strict is not None and a_flag(strict, f"{at}.strict"),
    )


def _custom_tool(fields: Mapping[str, Any], at: str) -> Tool:
    nested = "custom" in fields or "name" not in fields
    path = f"{at}.custom" if nested else at
    custom = an_object(fields.get("custom"), path) if nested else fields
    format_ = custom.get("format")
    return Tool(
        name=a_name(custom.get("name"), f"{path}.name"),
        description=_optional_text(custom.get("description"), f"{path}.description"),
        kind="custom",
        format=None if format_ is None else handed_on(format_, f"{path}.format"),
    )


_TOOLS = {"function": _function_tool, "custom": _custom_tool}


def _optional_text(value: object, at: str) -> str:
    return "" if value is None else a_text(value, at)


def _choice(envelope: Mapping[str, Any], tools: Sequence[Tool], *, parallel: bool) -> ToolChoice:
    names = frozenset(tool.name for tool in tools)
    if (choice := envelope.get("tool_choice")) is not None:
        return _checked(_tool_choice(choice, parallel=parallel), names, "tool_choice")
    if (choice := envelope.get("function_call")) is not None:
        return _checked(_function_choice(choice, parallel=parallel), names, "function_call")
    return ToolChoice(parallel=parallel)


def _checked(choice: ToolChoice, names: frozenset[str], at: str) -> ToolChoice:
    """The choice, if the request's tools allow it."""
    if choice.mode == "required" and not names:
        raise wrong(at, "demands a tool call, but the request offers no tools.")
    for name in choice.names:
        if name not in names:
            raise wrong(at, f"names the tool {shown(name)}, which the request does not offer.")
    return choice


def _tool_choice(choice: Any, *, parallel: bool) -> ToolChoice:
    match choice:
        case str() if choice in _MODES:
            return ToolChoice(mode=_MODES[choice], parallel=parallel)
        case str():
            expected = f"must be {one_of(_MODES)} or an object that names a tool"
            raise wrong("tool_choice", f"{expected}, not {shown(choice)}.")
        case {"type": "allowed_tools"}:
            return _allowed(choice, parallel=parallel)
        case {"type": "function" | "custom"}:
            name = _named(choice, "tool_choice")
            return ToolChoice(mode="required", names=(name,), parallel=parallel)
        case dict():
            expected = "must be 'function', 'custom' or 'allowed_tools'"
            raise wrong("tool_choice.type", f"{expected}, not {shown(choice.get('type'))}.")
    raise wrong("tool_choice", f"must be a string or an object, not {kind_of(choice)}.")


def _named(choice: Mapping[str, Any], at: str) -> str:
    """The name in {"type": "function", "function": {"name": …}}, or in its flat form."""
    kind = str(choice["type"])
    if kind not in choice and "name" in choice:
        return a_name(choice["name"], f"{at}.name")
    inner = an_object(choice.get(kind), f"{at}.{kind}")
    return a_name(inner.get("name"), f"{at}.{kind}.name")


def _allowed(choice: Mapping[str, Any], *, parallel: bool) -> ToolChoice:
    at, fields = "tool_choice", choice
    if "allowed_tools" in choice:
        at = "tool_choice.allowed_tools"
        fields = an_object(choice["allowed_tools"], at)
    mode = fields.get("mode", "auto")
    if mode not in ("auto", "required"):
        raise wrong(f"{at}.mode", f"must be 'auto' or 'required', not {shown(mode)}.")
    names: list[str] = []
    for index, tool in enumerate(an_array(fields.get("tools"), f"{at}.tools", MAX_TOOLS)):
        names.extend(_allowed_name(tool, f"{at}.tools[{index}]"))
    if not names:
        return ToolChoice(mode="none", parallel=parallel)
    return ToolChoice(mode=mode, names=tuple(names), parallel=parallel)


def _allowed_name(tool: object, at: str) -> list[str]:
    """The name of an allowed tool; none for a tool of the server's own, such as web search."""
    fields = an_object(tool, at)
    if fields.get("type") not in _TOOLS:
        return []
    return [_named(fields, at)]


def _function_choice(choice: object, *, parallel: bool) -> ToolChoice:
    """The old `function_call` field: a word, or the name of the function to call."""
    match choice:
        case "auto" | "none":
            return ToolChoice(mode=_MODES[choice], parallel=parallel)
        case dict():
            name = a_name(choice.get("name"), "function_call.name")
            return ToolChoice(mode="required", names=(name,), parallel=parallel)
    expected = "must be 'auto', 'none' or an object with the function's name"
    raise wrong("function_call", f"{expected}, not {shown(choice)}.")
