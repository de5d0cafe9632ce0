"""Values made from a JSON schema and what the user said: how simulated bots fill in arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_QUOTED = re.compile(r"\"([^\"\n]+)\"|`([^`\n]+)`|“([^”\n]+)”|(?<!\w)'([^'\n]+)'(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")
_NAME = re.compile(r"(?<!^)(?<!\n)(?<![.!?] )\b[A-Z][\w-]+(?: [A-Z][\w-]+)*")
_WORD = re.compile(r"\w[\w-]*")

_DEEPEST = 8
"""Below this depth a schema that contains itself gets empty values."""


@dataclass(slots=True)
class Words:
    """What the user said, as values to choose from; each is given once, then all again.

    Args:
        said: the user's words.
        skip: how many of the values earlier calls of the same answer have used.
    """

    said: str
    skip: int = 0
    _taken: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """A quoted text, else a name, else the last word."""
        quoted = ["".join(groups) for groups in _QUOTED.findall(self.said)]
        choice = quoted or _NAME.findall(self.said) or _WORD.findall(self.said)[-1:] or ["nothing"]
        return choice[self._next("text") % len(choice)]

    def number(self) -> float:
        """A number that was said, else 1."""
        said = _NUMBER.findall(_QUOTED.sub("", self.said)) or ["1"]
        return float(said[self._next("number") % len(said)])

    def one_of(self, members: Sequence[Any]) -> Any:
        """The member that was said, else the first."""
        said = self.said.lower()
        named = [m for m in members if re.search(rf"\b{re.escape(str(m).lower())}\b", said)]
        return (named or list(members) or [None])[0]

    def _next(self, kind: str) -> int:
        taken = self._taken.get(kind, self.skip)
        self._taken[kind] = taken + 1
        return taken


def sample(schema: Mapping[str, Any], words: Words) -> Any:
    """A value that satisfies the schema, with the user's words where they fit."""
    return _value(schema, words, schema, 0)


def _value(schema: Any, words: Words, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    if "$ref" in schema:
        return _value(_at(root, str(schema["$ref"])), words, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return words.one_of(schema["enum"])
    for choice in ("anyOf", "oneOf"):
        if schema.get(choice):
            return _value(_first_real(schema[choice]), words, root, depth + 1)
    if schema.get("allOf"):
        return _value(_merged(schema["allOf"], root), words, root, depth + 1)
    return _typed(schema, words, root, depth)


def _typed(schema: Mapping[str, Any], words: Words, root: Mapping[str, Any], depth: int) -> Any:
    match _type(schema):
        case "object":
            return _object(schema, words, root, depth)
        case "array":
            count = max(1, int(schema.get("minItems", 1)))
            items = schema.get("items", {"type": "string"})
            return [_value(items, words, root, depth + 1) for _ in range(count)]
        case "integer":
            return int(_bounded(schema, words.number()))
        case "number":
            number = _bounded(schema, words.number())
            return int(number) if number.is_integer() else number
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(schema, words)


def _type(schema: Mapping[str, Any]) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        named = next((one for one in named if one != "null"), "null")
    if named is None and ("properties" in schema or "additionalProperties" in schema):
        return "object"
    return str(named or "string")


def _object(
    schema: Mapping[str, Any], words: Words, root: Mapping[str, Any], depth: int
) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    chosen = [name for name in schema.get("required", ()) if name in properties] or properties
    return {name: _value(properties[name], words, root, depth + 1) for name in chosen}


def _text(schema: Mapping[str, Any], words: Words) -> str:
    formats = {
        "date": "2026-01-31",
        "date-time": "2026-01-31T12:00:00Z",
        "time": "12:00:00Z",
        "email": "someone@example.com",
        "uri": "https://example.com/",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
    value = formats.get(str(schema.get("format"))) or words.text()
    value = value.ljust(int(schema.get("minLength", 0)), ".")
    return value[: int(schema.get("maxLength", len(value)))]


def _bounded(schema: Mapping[str, Any], number: float) -> float:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf))
    most = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
    least += 0 if "minimum" in schema else 1
    most -= 0 if "maximum" in schema else 1
    return float(min(max(number, least), most))


def _first_real(choices: Sequence[Any]) -> Any:
    real = [one for one in choices if not (isinstance(one, Mapping) and one.get("type") == "null")]
    return (real or list(choices))[0]


def _merged(parts: Sequence[Any], root: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {"properties": {}, "required": []}
    for part in parts:
        known = _at(root, str(part["$ref"])) if "$ref" in part else part
        merged["properties"].update(known.get("properties", {}))
        merged["required"].extend(known.get("required", ()))
        merged.update({n: v for n, v in known.items() if n not in {"properties", "required"}})
    return merged


def _at(root: Mapping[str, Any], pointer: str) -> Any:
    found: Any = root
    for step in pointer.removeprefix("#").strip("/").split("/"):
        found = found.get(step, {}) if isinstance(found, Mapping) and step else found
    return found
