"""Reading JSON by orjson, where it comes to the very same as the standard library.

It does for everything but integers of more than 64 bits, of which it makes other numbers, and
brackets so deep that the library would refuse them. What it refuses itself, the library may take.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

FROM, TO = 1024, 4 * 1024 * 1024
"""Bytes: a shorter text is not worth it, and of a longer one orjson would make a copy too many."""

MAX_DEPTH = 500
"""The library's own limit, of about a thousand, depends on who calls it."""

_NESTED = frozenset({dict, list})

_NUMBER = re.compile(rb"[0-9]{19}")
_STEP = 9
"""A number of 19 digits holds two neighbours among the letters that are so far apart."""

_DIGITS = bytes(ord("0") if chr(code).isdecimal() else ord(" ") for code in range(128)).ljust(256)
_LOOKS = 8
_BYTES_PER_LOOK = 8192
"""Closer looks at what may be a long number: a few, and one more for so many bytes. More would cost
too much: letters written as escapes are full of numbers."""


def read_swiftly(text: bytes | bytearray) -> tuple[Any, bool]:
    """The value that JSON in UTF-8 stands for, and whether it is sure; if not, it means nothing."""
    if not FROM <= len(text) <= TO or may_hold_long_number(text):
        return None, False
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None, False
    return value, not _is_deep(value)


def may_hold_long_number(text: bytes | bytearray) -> bool:
    """Whether there are 19 digits in a row anywhere, or so many short numbers that they may be."""
    sample = text[::_STEP].translate(_DIGITS)
    looks = len(text) // _BYTES_PER_LOOK + _LOOKS
    at = sample.find(b"00")
    while at >= 0:
        begin = at * _STEP
        if not looks or _NUMBER.search(text, max(0, begin - _STEP), begin + 3 * _STEP):
            return True
        looks -= 1
        at = sample.find(b"00", at + 1)
    return False


def _is_deep(value: Any) -> bool:
    level = [value] if type(value) in _NESTED else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for node in level
            for inner in (node.values() if type(node) is dict else node)
            if type(inner) in _NESTED
        ]
        if not level:
            return False
    return True
