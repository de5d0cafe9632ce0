"""The tools that may be called, found by what bots call them, also inside of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from poeflask.core.coerce import plain
from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.lenient_json import MAX_REPAIR_CHARS
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError

NAME_KEYS = ("name", "tool", "tool_name", "function_name", "function", "recipient_name")
ARGUMENT_KEYS = ("arguments", "parameters", "input", "args", "params")

_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff]")
_PREFIX = re.compile(r"^(?:functions?|tools?|default_api|api)[.:/]", re.IGNORECASE)
_NUMBERED = re.compile(r":\d+$")
_QUOTED = "[\"'\u201c\u201d]"
_ARGUMENTS_GIVEN = re.compile(rf"{_QUOTED}?(?:{'|'.join(ARGUMENT_KEYS)}){_QUOTED}?\s*:")
_NAME_GIVEN = re.compile(
    rf"(?<!\w){_QUOTED}?(?:{'|'.join(NAME_KEYS)}){_QUOTED}?\s*:\s*{_QUOTED}?([\w.:/-]+)"
)


class Toolbox:
    """The tools that may be called.

    Attributes:
        tools: as they were offered.
        names: what they are called.
    """

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = tuple(tools)
        self._tools = {tool.name: tool for tool in self.tools}
        self.names = frozenset(self._tools)

    @cached_property
    def _plain(self) -> dict[str, list[Tool]]:
        """The tools by the letters of their names; few bots ever make it necessary."""
        by_letters: dict[str, list[Tool]] = {}
        for tool in self._tools.values():
            by_letters.setdefault(plain(tool.name), []).append(tool)
        return by_letters

    def find(self, name: object) -> Tool | None:
        """The tool that was meant: by its name, or by the only one that it nearly is."""
        if not isinstance(name, str):
            return None
        said = _INVISIBLE.sub("", name).strip().strip("\"'`")
        for form in (said, _NUMBERED.sub("", said)):
            for bare in (form, _PREFIX.sub("", form), form.rsplit(".", 1)[-1]):
                if bare in self._tools:
                    return self._tools[bare]
        near = self._plain.get(plain(_PREFIX.sub("", _NUMBERED.sub("", said))), [])
        return near[0] if len(near) == 1 else None

    def named_in(self, text: str) -> Tool | None:
        """The tool that a text which cannot be read was to call, if it also holds arguments."""
        if not _ARGUMENTS_GIVEN.search(text):
            return None
        named = (self.find(found[1]) for found in _NAME_GIVEN.finditer(text[:MAX_REPAIR_CHARS]))
        return next((tool for tool in named if tool is not None), None)


def calls_in(value: Any, toolbox: Toolbox) -> Iterator[tuple[Tool, Any]]:
    """The calls that a JSON value stands for, as tools and their arguments as they were written.

    Raises:
        NotACallError: something in it is no call of a known tool.
        BrokenCallError: it calls a known tool, but without arguments.
    """
    if isinstance(value, list):
        for item in value:
            yield from calls_in(item, toolbox)
        return
    if not isinstance(value, Mapping):
        raise NotACallError
    if isinstance(value.get("tool_calls"), list) and not _named(value):
        yield from calls_in(value["tool_calls"], toolbox)
        return
    if isinstance(value.get("function"), Mapping):
        value = value["function"]
    if isinstance(value.get("function_call"), Mapping):
        value = value["function_call"]
    tool = toolbox.find(_named(value))
    if tool is None:
        raise NotACallError
    key = next((key for key in ARGUMENT_KEYS if key in value), None)
    if key is None:
        raise BrokenCallError(f'the call of {tool.name!r} has no "arguments".')
    yield tool, value[key]


def _named(value: Mapping[str, Any]) -> Any:
    return next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), None)
