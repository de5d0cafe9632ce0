"""Tags as bots write them: the names that mean something in a call, and how one is recognised.

A tag is known by its name alone. Any prefix before it (`ns:invoke`), `-` for `_`, letters in any
case, and the bars of models' own tokens (`<|tool_call|>`) do not hide it.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

CONTAINERS = frozenset(
    {
        *("tool_call", "tool_calls", "toolcall", "toolcalls", "tool_use", "use_tool", "tool_code"),
        *("function_call", "function_calls", "functioncall", "python_tag"),
        *("tool_calls_begin", "tool_call_begin", "tool_calls_section_begin"),
    }
)
"""Around calls, whatever form they have."""

OPENERS = CONTAINERS | {"invoke", "function"}
"""What a call may begin with."""

CALL_TAGS = OPENERS | {"tool_call_end", "tool_calls_end", "tool_calls_section_end"}
"""What calls begin and end with."""

ARGUMENTS = frozenset({"arg", "argument", "parameter", "param"})
"""Around the text of one argument, which they name."""

WRAPPERS = frozenset(
    {
        *("arguments", "parameters", "args", "params", "input", "args_json"),
        *("tool_call_argument_begin", "tool_sep"),
    }
)
"""Around all arguments of a call."""

NAMES = frozenset({"name", "tool_name", "tool", "function_name"})
"""Around the name of the tool, or naming it."""

PAIRED = frozenset({"arg_key", "arg_value"})
"""Around an argument's name, and around the text that follows it."""

INSIDE = CALL_TAGS | ARGUMENTS | WRAPPERS | NAMES | PAIRED
"""All that may stand in a call, tags that are named as a tool or an argument apart."""

_MAX_PREFIX_CHARS = 16
_HEAD = re.compile(
    r"<[\u200b-\u200d\u2060\ufeff|｜]*(?P<slash>/?)[ \t]?[\u200b-\u200d\u2060\ufeff|｜]*"
    r"(?:DSML[|｜])?(?P<names>[\w▁-]*(?::[\w▁-]*){0,2})"
)
_REST = re.compile(r"(?P<rest>[^<>]{0,300})>")
_OPEN_REST = re.compile(r"[^<>]{0,300}\Z")
_AFTER_NAME = re.compile(r"[\s=/>|｜\u200b-\u200d\u2060\ufeff]")
_GIVEN = re.compile(
    r"""(?:^|\b(?:tool_?)?name)\s*=\s*(?:["“](?P<a>[^"”]*)["”]|'(?P<b>[^']*)'|(?P<c>[^\s"'/>]+))"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag as it stands.

    Attributes:
        name: the known name it has, without any prefix.
        given: what it names, by `name="..."` or `=...`; empty if nothing.
        mark: what stands behind the name's colon.
        closing: it is a closing tag.
        empty: it closes itself.
        size: its characters.
    """

    name: str
    given: str = ""
    mark: str = ""
    closing: bool = False
    empty: bool = False
    size: int = 0

    def carries(self, mark: str) -> bool:
        """Whether it has the mark of the conversation, so that it was surely meant as a tag."""
        return bool(mark) and self.mark == mark


def look(text: str, place: int, known: Set[str]) -> tuple[Tag | None, bool]:
    """The known tag at this place, and whether one may still come of what stands there."""
    head = _HEAD.match(text, place)
    if head is None:
        return None, place >= len(text)
    names = head["names"]
    if head.end() == len(text):
        return None, _may_grow(names, known)
    name, mark = _known_name(names, known)
    if not name or not _AFTER_NAME.match(text, head.end()):
        return None, False
    rest = _REST.match(text, head.end())
    if rest is None:
        return None, _OPEN_REST.match(text, head.end()) is not None
    return _tag(head, rest, name, mark), False


def _tag(head: re.Match[str], rest: re.Match[str], name: str, mark: str) -> Tag:
    given = _GIVEN.search(rest["rest"])
    return Tag(
        name=name,
        given=(given["a"] or given["b"] or given["c"] or "").strip() if given else "",
        mark=mark,
        closing=bool(head["slash"]) or name.endswith("_end"),
        empty=rest["rest"].endswith("/"),
        size=rest.end() - head.start(),
    )


def _plain(part: str) -> str:
    return part.lower().replace("-", "_").replace("▁", "_")


def _known_name(names: str, known: Set[str]) -> tuple[str, str]:
    """The known one of the names around colons, and the one behind it."""
    parts = names.split(":")
    for place, part in enumerate(parts):
        for form in (part, _plain(part)):
            if form and form in known:
                return form, ":".join(parts[place + 1 :])
    return "", ""


def _may_grow(names: str, known: Set[str]) -> bool:
    if _known_name(names, known)[0]:
        return True
    last = names.rsplit(":", 1)[-1]
    if ":" not in names and len(last) <= _MAX_PREFIX_CHARS:
        return True
    return any(name.startswith((last, _plain(last))) for name in known)
