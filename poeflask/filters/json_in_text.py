"""Finds the JSON in an answer: between words, in fences, in a JSON string, also broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecoder
from typing import Any

from poeflask.core import json_text

_MAX_STARTS = 64
"""How many brackets in a text are tried as the beginning of its JSON."""
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*(.*)")
_OUTER_FENCE = re.compile(r"\A(?:`{3,}|~{3,})[^\n`{\[]*|\s*(?:`{3,}|~{3,})\Z")
_BRACKET = re.compile(r"[{\[]")
_BEGINNING = re.compile(
    r"\{\s*(?:[\"'“”}]|//|/\*|[A-Za-z_$][\w$-]*\s*:)|\[\s*(?:[\[{\"'“”\]]|-?\d)"
)
"""A bracket that begins JSON, perhaps broken; not one in prose, such as {name} or [see below]."""
_LENIENT = JSONDecoder(strict=False)


def found(text: str) -> Iterator[tuple[str, Any]]:
    """Every JSON value that stands in an answer, each with its JSON text.

    The text is as the bot wrote it, or written anew if that is no strict JSON (raw line breaks in
    strings). Looked at are the whole answer, a JSON text in a JSON string, fenced blocks, and what
    stands between words; never a part of a larger value, also if that is broken.
    """
    whole = text.strip().removeprefix("\ufeff")
    for found_text, value in _whole(whole):
        yield found_text, value
        if isinstance(value, str):
            yield from _whole(value.strip())
        return
    for block in _fenced(whole):
        yield from _whole(block)
    yield from _between_words(whole)


def _whole(text: str) -> Iterator[tuple[str, Any]]:
    value, end = _decoded(text, 0)
    if end and end == len(text):
        yield _strict(text, value), value


def _fenced(text: str) -> Iterator[str]:
    """What stands in each closed code fence."""
    opened = ""
    lines: list[str] = []
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if not opened:
            opened = mark[1] if mark else ""
        elif mark and mark[1].startswith(opened) and not mark[2]:
            yield "\n".join(lines).strip()
            opened = ""
            lines.clear()
        else:
            lines.append(line)


def _between_words(text: str) -> Iterator[tuple[str, Any]]:
    position = 0
    for _ in range(_MAX_STARTS):
        start = _BRACKET.search(text, position)
        if start is None:
            return
        value, end = _decoded(text, start.start())
        if value:
            yield _strict(text[start.start() : end], value), value
        if not end and _BEGINNING.match(text, start.start()):
            return
        position = end or start.end()


def _decoded(text: str, start: int) -> tuple[Any, int]:
    """The value at a place and where it ends; that is 0 if there is none."""
    try:
        return _LENIENT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, 0


def _strict(text: str, value: Any) -> str:
    """The text as it stands, or the value written anew if that is no strict JSON."""
    try:
        json_text.read(text)
        text.encode("utf-8")
    except (json_text.NotJsonError, UnicodeEncodeError):
        return written(value)
    return text


def written(value: Any) -> str:
    """The value as compact JSON; empty if JSON has no word for it, such as infinity."""
    try:
        text = json_text.write_exactly(value)
        json_text.read(text)
    except (ValueError, TypeError, RecursionError):
        return ""
    return text


def broken_json(text: str) -> str:
    """The part of an answer that was meant as JSON; empty if there is none, or if it breaks off.

    What stops in the middle is not repaired: closing it would hide that something is missing.
    """
    for block in (*_fenced(text), _OUTER_FENCE.sub("", text.strip())):
        start = _BEGINNING.search(block)
        if start and _closes(block[start.start() :]):
            return block[start.start() :]
    return ""


def _closes(text: str) -> bool:
    opened = text.count("{") + text.count("[")
    return text.rstrip().endswith(("}", "]")) and text.count("}") + text.count("]") >= opened
