"""The tools of a request and the choice among them; and under which names a bot knows them.

Tools may stand in namespaces; a bot sees one flat list. `Naming` leads from there and back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from poeflask.core.prompt import Tool, ToolChoice
from poeflask.endpoints.responses import local_tools
from poeflask.endpoints.responses.local_tools import LocalTool
from poeflask.endpoints.responses.schema import MAX_TOOLS
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
_WEB_SEARCH = "web_search"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the names that a bot uses read in the client's words.

    Attributes:
        spaced: (namespace, name) of each tool that stands in a namespace, by its flat name.
        local: the tools that the client runs as items of their own kind, by name.
    """

    spaced: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    local: Mapping[str, LocalTool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """What a request says of tools.

    Attributes:
        web_search: a tool of the server's own for searching the web was among them.
        left_out: the paths of the tools that no bot of Poe's can be given.
    """

    tools: tuple[Tool, ...]
    choice: ToolChoice
    naming: Naming
    web_search: bool
    left_out: tuple[str, ...]


def flat_name(namespace: str, name: str) -> str:
    """The name by which a bot knows a tool that stands in a namespace."""
    return f"{_NOT_IN_NAMES.sub('_', namespace)}__{name}" if namespace else name


def read_tools(
    lists: Sequence[tuple[Sequence[Any], str]], choice: object, *, parallel: bool
) -> Toolbox:
    """The tools and the tool choice of a request.

    Args:
        lists: arrays of tools, each with its path; later ones add to earlier ones.
        choice: what `tool_choice` says, or None.
        parallel: what `parallel_tool_calls` says.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    reader = _Reader()
    for values, at in lists:
        reader.read(values, at, "")
    return Toolbox(
        tools=tuple(reader.tools.values()),
        choice=_Chooser(reader, parallel=parallel).choose(choice),
        naming=Naming(spaced=reader.spaced, local=reader.local),
        web_search=reader.web_search,
        left_out=tuple(reader.left_out),
    )


class _Reader:
    """Reads arrays of tools; a later tool of the same name takes the place of an earlier one."""

    def __init__(self) -> None:
        self.tools: dict[str, Tool] = {}
        self.spaced: dict[str, tuple[str, str]] = {}
        self.local: dict[str, LocalTool] = {}
        self.left_out: list[str] = []
        self.web_search = False

    def read(self, values: Sequence[Any], at: str, namespace: str) -> None:
        for index, value in enumerate(values):
            path = f"{at}[{index}]"
            fields = an_object(value, path)
            self._take(a_text(fields.get("type"), f"{path}.type"), fields, path, namespace)

    def _take(self, kind: str, fields: Mapping[str, Any], at: str, namespace: str) -> None:
        match kind:
            case "function":
                self._add(_function(_inner(fields, "function"), at), namespace)
            case "custom":
                self._add(_custom(_inner(fields, "custom"), at), namespace)
            case "namespace" if not namespace:
                inner = an_array(fields.get("tools"), f"{at}.tools", MAX_TOOLS)
                self.read(inner, f"{at}.tools", a_name(fields.get("name"), f"{at}.name"))
            case _ if kind.startswith(_WEB_SEARCH):
                self.web_search = True
            case _ if kind in local_tools.BY_NAME:
                tool = local_tools.BY_NAME[kind]
                self.local[kind] = tool
                self.tools[kind] = tool.as_function()
            case _:
                self.left_out.append(at)

    def _add(self, tool: Tool, namespace: str) -> None:
        name = flat_name(namespace, tool.name)
        if namespace:
            self.spaced[name] = namespace, tool.name
        self.local.pop(name, None)
        self.tools[name] = Tool(
            name=name,
            description=tool.description,
            schema=tool.schema,
            kind=tool.kind,
            strict=tool.strict,
            format=tool.format,
        )


def _inner(fields: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The description of a tool; some clients write it as in chat completions, one level deeper."""
    nested = fields.get(kind)
    return nested if isinstance(nested, dict) and "name" not in fields else fields


def _function(fields: Mapping[str, Any], at: str) -> Tool:
    strict, schema = fields.get("strict"), fields.get("parameters")
    return Tool(
        name=a_name(fields.get("name"), f"{at}.name"),
        description=_optional_text(fields.get("description"), f"{at}.description"),
        schema={} if schema is None else handed_on(schema, f"{at}.parameters"),
        strict=strict is not None and a_flag(strict, f"{at}.strict"),
    )


def _custom(fields: Mapping[str, Any], at: str) -> Tool:
    format_ = fields.get("format")
    return Tool(
        name=a_name(fields.get("name"), f"{at}.name"),
        description=_optional_text(fields.get("description"), f"{at}.description"),
        kind="custom",
        format=None if format_ is None else handed_on(format_, f"{at}.format"),
    )


def _optional_text(value: object, at: str) -> str:
    return "" if value is None else a_text(value, at)


class _Chooser:
    """Reads `tool_choice` against the tools that the request offers."""

    def __init__(self, offered: _Reader, *, parallel: bool) -> None:
        self._offered = offered
        self._parallel = parallel

    def choose(self, choice: object) -> ToolChoice:
        match choice:
            case None:
                return self._mode("auto")
            case str() if choice in _MODES:
                return self._mode(_MODES[choice])
            case str():
                expected = f"must be {one_of(_MODES)} or an object that names a tool"
                raise wrong("tool_choice", f"{expected}, not {shown(choice)}.")
            case dict() if choice.get("type") == "allowed_tools":
                return self._allowed(choice)
            case dict():
                return self._forced(choice, a_text(choice.get("type"), "tool_choice.type"))
        raise wrong("tool_choice", f"must be a string or an object, not {kind_of(choice)}.")

    def _mode(self, mode: Literal["auto", "none", "required"]) -> ToolChoice:
        if mode == "required" and not self._offered.tools:
            if self._offered.web_search:
                return ToolChoice(parallel=self._parallel)
            raise wrong(
                "tool_choice",
                "demands a tool call, but the request offers no tools that a bot of Poe can call.",
            )
        return ToolChoice(mode=mode, parallel=self._parallel)

    def _forced(self, choice: Mapping[str, Any], kind: str) -> ToolChoice:
        if kind.startswith(_WEB_SEARCH) and self._offered.web_search:
            return ToolChoice(parallel=self._parallel)
        names = list(self._names(choice, "tool_choice"))
        if not names:
            raise wrong(
                "tool_choice.type",
                f"demands {shown(kind)}, which Poe does not have; it can be 'function', 'custom', "
                "'allowed_tools' or a tool that the client runs.",
            )
        return ToolChoice(mode="required", names=tuple(names), parallel=self._parallel)

    def _allowed(self, choice: Mapping[str, Any]) -> ToolChoice:
        mode = choice.get("mode", "auto")
        if mode not in ("auto", "required"):
            raise wrong("tool_choice.mode", f"must be 'auto' or 'required', not {shown(mode)}.")
        names: list[str] = []
        tools = an_array(choice.get("tools"), "tool_choice.tools", MAX_TOOLS)
        for index, tool in enumerate(tools):
            at = f"tool_choice.tools[{index}]"
            names.extend(self._names(an_object(tool, at), at))
        if not names:
            return ToolChoice(mode="none", parallel=self._parallel)
        return ToolChoice(mode=mode, names=tuple(names), parallel=self._parallel)

    def _names(self, tool: Mapping[str, Any], at: str) -> Iterable[str]:
        """The flat names that a choice means; none for a tool of the server's own."""
        match tool.get("type"):
            case "function" | "custom" as kind:
                yield self._offered_name(_inner(tool, kind), at)
            case "namespace":
                yield from self._all_of(a_name(tool.get("name"), f"{at}.name"))
            case str() as kind if kind in self._offered.local:
                yield kind
            case _:
                return

    def _all_of(self, namespace: str) -> Iterator[str]:
        return (flat for flat, (space, _) in self._offered.spaced.items() if space == namespace)

    def _offered_name(self, tool: Mapping[str, Any], at: str) -> str:
        name = a_name(tool.get("name"), f"{at}.name")
        namespace = tool.get("namespace")
        flat = flat_name(namespace, name) if isinstance(namespace, str) else name
        if flat in self._offered.tools:
            return flat
        meant = (full for full, (_, short) in self._offered.spaced.items() if short == name)
        if (found := next(meant, None)) is not None:
            return found
        raise wrong(at, f"names the tool {shown(name)}, which the request does not offer.")
