"""The tools of a Messages request and the choice among them.

Tools that Anthropic only names, because its models know them by heart and the client runs them, are
given to a bot with the description and the schema that Anthropic documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from poeflask.core.errors import ClientError
from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.shapes import (
    a_flag,
    a_name,
    a_text,
    an_object,
    handed_on,
    kind_of,
    one_of,
    shown,
    wrong,
)

_PLACEHOLDER = "DeferredToolPlaceholder"
"""A tool that Claude Code sends and nobody may call; it switches a feature of Anthropic's on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What a request says of tools. `web_search`: the server's own search was among them."""

    tools: tuple[Tool, ...]
    choice: ToolChoice
    web_search: bool = False


def read_tools(envelope: Mapping[str, Any]) -> Toolbox:
    """The tools and the tool choice of a request whose envelope has been checked.

    Tools whose loading may be deferred are given at once: there is no search for tools here.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong, also for a tool that
            only Anthropic's servers can run.
    """
    tools: list[Tool] = []
    served: set[str] = set()
    for index, value in enumerate(envelope.get("tools", ())):
        at = f"tools[{index}]"
        fields = an_object(value, at)
        kind = a_text(fields.get("type") or "custom", f"{at}.type")
        if kind.startswith(_SERVED):
            served.add(str(fields.get("name") or kind))
        elif fields.get("name") != _PLACEHOLDER:
            tools.append(_reader(kind, at)(fields, at))
    searches = any(name.startswith("web_search") for name in served)
    choice = _choice(envelope.get("tool_choice"), tools, served)
    return Toolbox(tools=tuple(tools), choice=choice, web_search=searches)


_SERVED = ("web_search", "tool_search_tool")
"""Tools of the server's own that need no call: search is a switch, all tools are given anyway."""


def _reader(kind: str, at: str) -> Callable[[Mapping[str, Any], str], Tool]:
    if kind == "custom":
        return _client_tool
    for beginning, reader in _KNOWN_TOOLS.items():
        if kind.startswith(beginning):
            return reader
    raise _only_anthropics(kind, at)


def _only_anthropics(kind: str, at: str) -> ClientError:
    known = ", ".join(f"{beginning}*" for beginning in _KNOWN_TOOLS)
    return wrong(
        f"{at}.type",
        f"is {shown(kind)}, a tool that runs on Anthropic's servers and is not offered here. "
        f"Send tools with an input_schema, web_search_*, or one of {known}.",
    )


def _client_tool(fields: Mapping[str, Any], at: str) -> Tool:
    strict, schema = fields.get("strict"), fields.get("input_schema")
    description = fields.get("description")
    return Tool(
        name=a_name(fields.get("name"), f"{at}.name"),
        description="" if description is None else a_text(description, f"{at}.description"),
        schema=handed_on(schema, f"{at}.input_schema"),
        strict=strict is not None and a_flag(strict, f"{at}.strict"),
    )


def _object_schema(
    required: Sequence[str], properties: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_TEXT = {"type": "string"}
_LINE = {"type": "integer"}
_PLACE = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}

_BASH = _object_schema(
    (),
    {
        "command": {**_TEXT, "description": "The command to run; needed unless restart is true."},
        "restart": {"type": "boolean", "description": "Restart the shell instead."},
    },
)

_EDIT_PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "path": {**_TEXT, "description": "The absolute path of the file or directory."},
    "file_text": {**_TEXT, "description": "For create: the content of the new file."},
    "old_str": {**_TEXT, "description": "For str_replace: the text to replace; must be unique."},
    "new_str": {**_TEXT, "description": "For str_replace: the text to put there."},
    "insert_line": {**_LINE, "description": "For insert: the line after which to insert."},
    "insert_text": {**_TEXT, "description": "For insert: the text to insert."},
    "view_range": {**_PLACE, "description": "For view: the first and the last line; -1: the end."},
}


def _editing(commands: Sequence[str], **more: Mapping[str, Any]) -> Mapping[str, Any]:
    command = {**_TEXT, "enum": list(commands)}
    return _object_schema(("command",), {"command": command, **_EDIT_PROPERTIES, **more})


_EDITS = ("view", "create", "str_replace", "insert")

_MEMORY = _editing(
    (*_EDITS, "delete", "rename"),
    old_path={**_TEXT, "description": "For rename: the path now."},
    new_path={**_TEXT, "description": "For rename: the path from then on."},
)

_ACTIONS = (
    *("key", "type", "mouse_move", "left_click", "left_click_drag", "right_click", "middle_click"),
    *("double_click", "triple_click", "left_mouse_down", "left_mouse_up", "scroll", "hold_key"),
    *("wait", "screenshot", "cursor_position", "zoom"),
)

_COMPUTER = _object_schema(
    ("action",),
    {
        "action": {**_TEXT, "enum": list(_ACTIONS)},
        "coordinate": {**_PLACE, "description": "x and y in pixels from the top left."},
        "start_coordinate": {**_PLACE, "description": "For left_click_drag: where to begin."},
        "text": {**_TEXT, "description": "What to type, or the keys to press."},
        "duration": {"type": "number", "description": "For wait and hold_key: seconds."},
        "scroll_direction": {**_TEXT, "enum": ["up", "down", "left", "right"]},
        "scroll_amount": {**_LINE, "description": "For scroll: how many clicks of the wheel."},
        "region": {
            "type": "array",
            "items": _LINE,
            "description": "For zoom: x and y of the top left and of the bottom right.",
        },
    },
)


def _known_tool(
    name: str, description: str, schema: Mapping[str, Any]
) -> Callable[[Mapping[str, Any], str], Tool]:
    """A reader of tools that the request only names."""

    def read(fields: Mapping[str, Any], at: str) -> Tool:
        called = fields.get("name")
        called = name if called is None else a_name(called, f"{at}.name")
        width, height = fields.get("display_width_px"), fields.get("display_height_px")
        screen = f" The screen is {width}x{height} pixels." if isinstance(width, int) else ""
        return Tool(name=called, description=description + screen, schema=schema)

    return read


_EDITOR = "View, create and edit text files."

_KNOWN_TOOLS: dict[str, Callable[[Mapping[str, Any], str], Tool]] = {
    "bash_": _known_tool("bash", "Run a command in a bash shell that stays open.", _BASH),
    "text_editor_20241022": _known_tool(
        "str_replace_editor", _EDITOR, _editing((*_EDITS, "undo_edit"))
    ),
    "text_editor_20250124": _known_tool(
        "str_replace_editor", _EDITOR, _editing((*_EDITS, "undo_edit"))
    ),
    "text_editor_": _known_tool("str_replace_based_edit_tool", _EDITOR, _editing(_EDITS)),
    "memory_": _known_tool(
        "memory",
        "Keep notes for later conversations as files under /memories. Look there before you begin.",
        _MEMORY,
    ),
    "computer_2": _known_tool(
        "computer", "Look at a screen and use its mouse and keyboard.", _COMPUTER
    ),
}
"""Readers by the beginning of the type; the date behind it is the tool's version."""


_Mode = Literal["auto", "none", "required"]

_MODES: dict[str, _Mode] = {"auto": "auto", "any": "required", "none": "none", "tool": "required"}


def _choice(value: object, tools: Sequence[Tool], served: set[str]) -> ToolChoice:
    if value is None:
        return ToolChoice()
    if not isinstance(value, dict):
        raise wrong("tool_choice", f"must be an object with a 'type', not {kind_of(value)}.")
    kind = value.get("type")
    mode = _MODES.get(kind) if isinstance(kind, str) else None
    if mode is None:
        raise wrong("tool_choice.type", f"must be {one_of(_MODES)}, not {shown(kind)}.")
    single = value.get("disable_parallel_tool_use")
    at = "tool_choice.disable_parallel_tool_use"
    parallel = single is None or not a_flag(single, at)
    names: tuple[str, ...] = ()
    if kind == "tool":
        name = a_name(value.get("name"), "tool_choice.name")
        if name in served:
            return ToolChoice(parallel=parallel)
        names = (name,)
    _check(mode, names, tools, served)
    if mode == "required" and not tools:
        mode = "auto"
    return ToolChoice(mode=mode, names=names, parallel=parallel)


def _check(mode: _Mode, names: Sequence[str], tools: Sequence[Tool], served: set[str]) -> None:
    """Refuse a choice that the request's tools do not allow."""
    offered = {tool.name for tool in tools}
    for name in names:
        if name not in offered:
            what = f"names the tool {shown(name)}, which the request does not offer."
            raise wrong("tool_choice.name", what)
    if mode == "required" and not offered and not served:
        raise wrong("tool_choice", "demands a tool call, but the request offers no tools.")
