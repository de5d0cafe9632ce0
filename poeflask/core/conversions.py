"""One JSON value as another JSON type, where its meaning is plain: "3" as 3, "True" as true."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from poeflask.core import json_text

MAX_LITERAL_CHARS = 64 * 1024
"""The longest text that is read as a Python literal; the reader is far slower than JSON's."""

MISS = object()
"""What a conversion gives where it cannot tell."""

_INTEGER = re.compile(r"\s*[+-]?\d{1,4000}\s*\Z")
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*\Z")
_BOOLEANS = {"true": True, "false": False}
_NOTHING = ("null", "none")


def literal(text: str) -> Any:
    """The value of a JSON text or, if it is none, of a Python literal.

    Raises:
        ValueError: it is neither.
    """
    try:
        return json_text.read(text)
    except json_text.NotJsonError:
        if len(text) > MAX_LITERAL_CHARS:
            raise
    try:
        found = ast.literal_eval(text.strip())
    except (SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise ValueError("it is neither JSON nor a Python literal") from error
    return json_text.read(_as_json(found))


def _as_json(value: Any) -> str:
    try:
        return json_text.write(value)
    except (TypeError, RecursionError) as error:
        raise ValueError("it holds what JSON cannot say") from error


def converted(value: Any, types: Collection[str]) -> Any:
    """The value as the most exact of these JSON types that it can be; MISS if it can be none."""
    made = (_CONVERSIONS[name](value) for name in _CONVERSIONS if name in types)
    return next((found for found in made if found is not MISS), MISS)


def is_one_of(value: Any, types: Iterable[str]) -> bool:
    """Whether a value has one of these JSON types."""
    return any(_TESTS[name](value) for name in types if name in _TESTS)


def _to_integer(value: Any) -> Any:
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    if isinstance(value, str) and _NUMBER.match(value) and len(value) < 400:
        value = float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return MISS


def _to_number(value: Any) -> Any:
    whole = _to_integer(value)
    if whole is not MISS:
        return whole
    if isinstance(value, str) and _NUMBER.match(value) and len(value) < 400:
        made = float(value)
        return made if abs(made) != float("inf") else MISS
    return MISS


def _to_boolean(value: Any) -> Any:
    if isinstance(value, str):
        return _BOOLEANS.get(value.strip().casefold(), MISS)
    return MISS


def _to_null(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().casefold() in _NOTHING else MISS


def _to_text(value: Any) -> Any:
    if isinstance(value, bool | int | float | list | dict):
        return json_text.write(value)
    return MISS


def _to_container(kind: type) -> Callable[[Any], Any]:
    opening = "{" if kind is dict else "["

    def convert(value: Any) -> Any:
        if not isinstance(value, str) or not value.lstrip().startswith(opening):
            return MISS
        try:
            made = literal(value)
        except ValueError:
            return MISS
        return made if isinstance(made, kind) else MISS

    return convert


_TESTS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "null": _to_null,
    "boolean": _to_boolean,
    "integer": _to_integer,
    "number": _to_number,
    "array": _to_container(list),
    "object": _to_container(dict),
    "string": _to_text,
}
"""Narrow types first: a text that could be several things becomes the most exact of them."""
