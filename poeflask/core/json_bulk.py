"""Files inside JSON: long base64 texts, found and taken out before anybody reads every letter.

A reader of JSON looks at each letter of a text, since any of them may end it. That a long text is
base64 shows ten times faster, and then none of its letters needs another look: a short text stands
for it while the rest is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from poeflask.core.base64_text import is_base64

LONG = 64 * 1024
"""Bytes of a text that is worth it."""

_HEAD = re.compile(rb"(?:data:[\w.+/;=-]{0,200};base64,)?", re.ASCII)
_MARK = "\x7f"
"""Begins and ends what stands for a long text. It needs no escape in JSON, and nobody writes it."""

_ESCAPED = b"u007f"


def read_around(body: bytes | bytearray, read: Callable[[bytes], Any]) -> tuple[Any, bool]:
    """The value that JSON stands for, read without its long texts, and whether that worked.

    If it did, the value is the one that `read` makes of the whole body. If it did not, either there
    are no such texts, or the body holds something that makes this unsafe, or is no JSON.

    Args:
        body: JSON in UTF-8.
        read: reads JSON; raises ValueError if it is none.
    """
    found = list(_long_texts(body))
    if not found:
        return None, False
    rest = _without(body, found)
    if rest.count(_MARK.encode()) != 2 * len(found) or _ESCAPED in rest.lower():
        return None, False
    try:
        value = read(rest)
    except ValueError:
        return None, False
    with memoryview(body) as view:
        texts = {_name(number): str(view[place], "ascii") for number, place in enumerate(found)}
    value = _put_back(value, texts)
    # What is still there is the name of a field, stands in one that another of its name hid, or is
    # the end of a longer text.
    return value, not texts


def _long_texts(body: bytes | bytearray) -> Iterator[slice]:
    """Where the long texts of base64 are, with the beginning of a data URL before them.

    Only texts between quotes: no letter of theirs ends a text of JSON or is part of an escape.
    """
    with memoryview(body) as view:
        end = 0
        for probe in range(LONG, len(body), LONG):
            if probe < end:
                continue
            # Nearly everywhere a quote is near, so that these looks are short.
            begin = body.rfind(b'"', end, probe) + 1 or end
            end = body.find(b'"', probe)
            if end < 0:
                return
            if end - begin < LONG:
                continue
            head = _HEAD.match(body, begin, end)
            start = head.end() if head else begin
            with view[start:end] as text:
                if is_base64(text):
                    yield slice(begin, end)


def _without(body: bytes | bytearray, found: list[slice]) -> bytes:
    """The body with a short text in place of each of these."""
    pieces: list[bytes | bytearray] = []
    end = 0
    for number, place in enumerate(found):
        pieces += [body[end : place.start], _name(number).encode()]
        end = place.stop
    pieces.append(body[end:])
    return b"".join(pieces)


def _name(number: int) -> str:
    return f"{_MARK}{number}{_MARK}"


def _put_back(value: Any, texts: dict[str, str]) -> Any:
    """The value with the texts in their places everywhere in it; those are used up."""
    top = [value]
    level: list[Any] = [top]
    while level:
        below: list[Any] = []
        for node in level:
            for place, inner in list(node.items() if type(node) is dict else enumerate(node)):
                if type(inner) in (dict, list):
                    below.append(inner)
                elif type(inner) is str and inner in texts:
                    node[place] = texts.pop(inner)
        level = below
    return top[0]
