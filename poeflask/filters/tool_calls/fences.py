"""The opening lines of code fences, and which of them may hold calls."""

from __future__ import annotations

import re

from poeflask.filters.tool_calls.source import Source, Steps

CALL_FENCES = frozenset(
    {
        *("tool_call", "tool_calls", "tool_code", "tool_use", "tool"),
        *("function_call", "function_calls"),
    }
)
"""What stands in these is meant as calls."""

JSON_FENCES = frozenset({"", "json", "json5", "jsonc"})
"""What stands in these is a call only if it says so itself."""

_FENCES = CALL_FENCES | JSON_FENCES
_LINE = re.compile(r"(?:`{3,64}|~{3,64})[ \t]{0,20}([\w-]{0,20})[ \t]{0,20}(\r?\n|\Z)")
_MAX_LINE = 130


def fence_info(source: Source) -> Steps[str | None]:
    """The word behind the fence that opens here, if it may hold calls; None if it cannot."""
    while True:
        line = _LINE.match(source.text, source.at)
        if line and (line[2] or source.ended):
            info = _plain(line[1])
            return info if info in _FENCES else None
        rest = _plain(source.text[source.at : source.at + _MAX_LINE].lstrip("`~").strip(" \t\r"))
        may_come = any(info.startswith(rest) for info in _FENCES)
        if source.ended or source.left > _MAX_LINE or not may_come:
            return None
        yield


def skip_fence_start(source: Source) -> None:
    """Take the fence's opening line, which has come whole."""
    line = _LINE.match(source.text, source.at)
    source.take(line.end() - line.start() if line else 1)


def _plain(info: str) -> str:
    return info.lower().replace("-", "_")
