"""Calls whose angle brackets are written as entities: `&lt;tool_call&gt;...&lt;/tool_call&gt;`."""

from __future__ import annotations

import html
import re

from poeflask.filters.tool_calls.source import NotACallError, Source, Steps

_NAME = re.compile(r"&lt;(?:tool_calls?|function_calls?|invoke)\b")
_OPEN = re.compile(
    r"&lt;(tool_calls?|function_calls?|invoke)\b[^<>&\n]{0,60}"
    r"(?:&quot;[^<>&\n]{0,60}&quot;)?&gt;\s{0,20}(?:[{\[]|&lt;)"
)
_OPEN_CHARS = 200
_NAME_MAY_COME = re.compile(r"&(?:l(?:t(?:;[a-z_]{0,15})?)?)?\Z")


def escaped_name(source: Source) -> Steps[str]:
    """The name of the escaped tag that opens a call here; empty if none does. Takes nothing."""
    while not source.ended and _may_come(source):
        yield
    found = _OPEN.match(source.text, source.at)
    return found[1] if found else ""


def read_escaped(source: Source, name: str) -> Steps[str]:
    """Take an escaped element of this name, whose opening tag comes next; give it unescaped.

    Raises:
        NotACallError: the answer ends before it.
    """
    closing = f"&lt;/{name}&gt;"
    pieces: list[str] = []
    while (place := source.text.find(closing, source.at)) < 0:
        if source.ended:
            source.take(source.left)
            raise NotACallError
        pieces.append(source.take(max(0, source.left - len(closing))))
        yield
    pieces.append(source.take(place + len(closing) - source.at))
    return html.unescape("".join(pieces))


def _may_come(source: Source) -> bool:
    if _NAME_MAY_COME.match(source.text, source.at):
        return True
    return bool(_NAME.match(source.text, source.at)) and source.left < _OPEN_CHARS
