"""A JSON Schema that came from outside: checked before it is used, and bounded while it is.

A schema is a small program that a stranger wrote. Four things keep it harmless: it may refer to
nothing but itself, so that nothing is ever fetched; its size, depth and patterns are bounded; its
patterns run with a limit on backtracking; and how often a value would be looked at is counted,
with remembered partial sums, before the validator starts. The validator tries every path anew: ten
lines of `anyOf` can name more paths than can be walked in a year, and nothing can interrupt it.

Formats such as "date-time" are notes, as the newest drafts say: clients' own models are laxer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote

from jsonschema_rs import FancyRegexOptions, ValidationError, Validator, validator_for

from poeflask.core import json_text
from poeflask.core.errors import ClientError, ErrorKind

MAX_SCHEMA_BYTES = 256 * 1024
MAX_SCHEMA_DEPTH = 64
MAX_PATTERNS = 200
MAX_VALUE_DEPTH = 100
"""Deeper than any honest answer, and within what can be followed without overflow."""

_MAX_VISITS = 300_000
"""A visit takes about a microsecond, and the worker stands still meanwhile."""
_MAX_EXPLAINED_VISITS = 5_000
"""To say what is wrong is far dearer than to see that something is: 5,000 visits take 0.3 s."""
_BACKTRACKING_VISITS = 500
_ENTRIES_PER_VISIT = 32
_PATTERNS = FancyRegexOptions(
    backtrack_limit=10_000, size_limit=256 * 1024, dfa_size_limit=1024 * 1024
)

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")
_SAME_VALUE = ("not", "if", "then", "else")
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")
_SAME_VALUE_MAPS = ("dependentSchemas", "dependencies")
_EACH_MEMBER = ("additionalProperties", "unevaluatedProperties")
_EACH_ITEM = ("items", "additionalItems", "contains", "unevaluatedItems", "prefixItems")


class SchemaError(ValueError):
    """The schema cannot be used; the message is the rest of a sentence that begins with it."""


class _TooCostlyError(Exception):
    """The value cannot be checked in reasonable time."""


class JsonSchema:
    """A JSON Schema that is sound, refers only to itself, and is bounded.

    Args:
        schema: the schema, as JSON values.

    Raises:
        SchemaError: it is too large or too deep, no valid JSON Schema, refers to something
            outside itself, or goes round in a circle.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        if _deeper_than(schema, MAX_SCHEMA_DEPTH):
            raise SchemaError(f"is nested deeper than {MAX_SCHEMA_DEPTH} levels")
        try:
            self.text = json_text.write_exactly(schema)
        except ValueError as error:
            raise SchemaError("holds NaN or an infinite number, which JSON lacks") from error
        if len(self.text.encode("utf-8")) > MAX_SCHEMA_BYTES:
            raise SchemaError(f"is larger than {MAX_SCHEMA_BYTES} bytes")
        try:
            self._root: dict[str, Any] = json_text.read(self.text)
        except json_text.NotJsonError as error:
            raise SchemaError(f"is no JSON: {error}") from error
        self._anchors: dict[str, dict[str, Any]] = {}
        self._plans: dict[int, _Plan] = {}
        self._check_keywords()
        self._validator = self._compiled()
        try:
            self._visits(None)
        except _TooCostlyError as error:
            raise SchemaError("goes round in a circle or has too many alternatives") from error

    def fault(self, value: Any) -> str:
        """What is wrong with a value, as sentences that name the places; empty if it is right."""
        if _deeper_than(value, MAX_VALUE_DEPTH):
            return f"It is nested deeper than {MAX_VALUE_DEPTH} levels."
        try:
            visits = self._visits(value)
            if self._validator.is_valid(value):
                return ""
            if visits > _MAX_EXPLAINED_VISITS:
                return "It does not match the schema."
            errors = islice(self._validator.iter_errors(value), 3)
            return " ".join(_sentence(error.message, error.instance_path) for error in errors)
        except _TooCostlyError:
            return "It is too large to be checked against this schema."
        except ValueError as error:
            return f"It cannot be checked: {_short(str(error))}."

    def _compiled(self) -> Validator:
        try:
            return validator_for(
                self._root,
                retriever=_refuse,
                validate_formats=False,
                pattern_options=_PATTERNS,
                mask="this value",
            )
        except ValidationError as error:
            reason = _sentence(error.message, error.instance_path)
            raise SchemaError(f"is no valid JSON Schema: {reason}") from error
        except ValueError as error:
            raise SchemaError(f"is no valid JSON Schema: {_short(str(error))}") from error

    def _check_keywords(self) -> None:
        identity = "id" if "draft-04" in str(self._root.get("$schema", "")) else "$id"
        patterns = 0
        for node in _objects(self._root):
            if node is not self._root and isinstance(node.get(identity), str):
                raise SchemaError(f"has {identity!r} in a nested schema; use '$anchor' instead")
            for keyword in _REFERENCES:
                _check_reference(node.get(keyword))
            for keyword in _ANCHORS:
                if isinstance(node.get(keyword), str):
                    self._anchors[node[keyword]] = node
            named = node.get("patternProperties")
            patterns += isinstance(node.get("pattern"), str)
            patterns += len(named) if isinstance(named, dict) else 0
        if patterns > MAX_PATTERNS:
            raise SchemaError(f"has more than {MAX_PATTERNS} patterns")

    def _visits(self, value: Any) -> int:
        """How often the validator looks at a part of the value, at most."""
        try:
            return _Count(self._target, self._plans).of(self._root, value)
        except RecursionError as error:
            raise _TooCostlyError from error

    def _target(self, reference: str) -> Any:
        """What a reference inside the schema leads to; None if it leads nowhere."""
        pointer = unquote(reference.removeprefix("#"))
        if pointer and not pointer.startswith("/"):
            return self._anchors.get(pointer)
        node: Any = self._root
        for step in pointer.split("/")[1:]:
            node = _member(node, step.replace("~1", "/").replace("~0", "~"))
        return node


def check_schema(schema: Mapping[str, Any], param: str) -> JsonSchema:
    """The schema, ready for use.

    Raises:
        ClientError: kind INVALID_REQUEST, naming `param`, if it cannot be used.
    """
    try:
        return JsonSchema(schema)
    except SchemaError as error:
        message = f"The schema in {param} {str(error).rstrip('.')}."
        raise ClientError(ErrorKind.INVALID_REQUEST, message, param=param) from error


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one schema makes the validator look at: its own cost, and which schemas on what."""

    weight: int
    factor: int
    same_value: list[Any]
    each_member: list[Any]
    named_members: dict[str, Any]
    member_names: Any
    each_item: list[Any]


class _Count:
    """Counts visits; every pair of a schema and a value is counted once and then remembered."""

    def __init__(self, target: Callable[[str], Any], plans: dict[int, _Plan]) -> None:
        self._target = target
        self._plans = plans
        self._known: dict[tuple[int, int], int] = {}

    def of(self, schema: Any, value: Any) -> int:
        """Raises _TooCostlyError over the limit, and where a schema leads back to itself."""
        if not isinstance(schema, dict):
            return 0
        pair = (id(schema), id(value))
        known = self._known.get(pair)
        if known is not None:
            return known
        self._known[pair] = _MAX_VISITS + 1
        plan = self._plans.get(id(schema)) or self._planned(schema)
        visits = plan.weight
        for rule in plan.same_value:
            visits += plan.factor * self.of(rule, value)
        if isinstance(value, (dict, list)):
            visits += self._below(plan, value)
        if visits > _MAX_VISITS or len(self._known) > _MAX_VISITS:
            raise _TooCostlyError
        self._known[pair] = visits
        return visits

    def _below(self, plan: _Plan, value: dict[str, Any] | list[Any]) -> int:
        if isinstance(value, list):
            return sum(self.of(rule, item) for rule in plan.each_item for item in value)
        visits = sum(self.of(plan.member_names, name) for name in value)
        for rule in plan.each_member:
            visits += sum(self.of(rule, member) for member in value.values())
        if not plan.named_members:
            return visits
        return visits + sum(
            self.of(plan.named_members.get(name), member) for name, member in value.items()
        )

    def _planned(self, schema: dict[str, Any]) -> _Plan:
        reevaluates = "unevaluatedProperties" in schema or "unevaluatedItems" in schema
        each_member = [schema.get(keyword) for keyword in _EACH_MEMBER]
        each_member.extend(_as_dict(schema.get("patternProperties")).values())
        items = [rule for keyword in _EACH_ITEM for rule in _rules(schema.get(keyword))]
        plan = _Plan(
            weight=_weight(schema),
            factor=2 if reevaluates else 1,
            same_value=_schemas(self._on_same_value(schema)),
            each_member=_schemas(each_member),
            named_members=_as_dict(schema.get("properties")),
            member_names=schema.get("propertyNames"),
            each_item=_schemas(items),
        )
        self._plans[id(schema)] = plan
        return plan

    def _on_same_value(self, schema: dict[str, Any]) -> Iterator[Any]:
        for keyword in _REFERENCES:
            if isinstance(schema.get(keyword), str):
                yield self._target(schema[keyword])
        for keyword in _SAME_VALUE:
            yield schema.get(keyword)
        for keyword in _SAME_VALUE_LISTS:
            yield from _as_list(schema.get(keyword))
        for keyword in _SAME_VALUE_MAPS:
            yield from _as_dict(schema.get(keyword)).values()


def _schemas(candidates: Iterable[Any]) -> list[Any]:
    return [candidate for candidate in candidates if isinstance(candidate, dict)]


def _weight(schema: dict[str, Any]) -> int:
    entries = len(_as_list(schema.get("enum"))) + len(_as_list(schema.get("required")))
    patterns = [str(schema.get("pattern", "")), *_as_dict(schema.get("patternProperties"))]
    backtracking = sum("(?" in pattern or "\\" in pattern for pattern in patterns)
    return 1 + entries // _ENTRIES_PER_VISIT + backtracking * _BACKTRACKING_VISITS


def _rules(keyword: Any) -> list[Any]:
    return keyword if isinstance(keyword, list) else [keyword] if isinstance(keyword, dict) else []


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _member(node: Any, step: str) -> Any:
    match node:
        case dict():
            return node.get(step)
        case list() if step.isdecimal() and int(step) < len(node):
            return node[int(step)]
        case _:
            return None


def _check_reference(reference: Any) -> None:
    if isinstance(reference, str) and not reference.startswith("#"):
        raise SchemaError(
            f"refers to {_short(reference)!r}; only references into the schema itself, "
            "such as '#/$defs/name', are followed"
        )


def _refuse(uri: str) -> Any:
    raise LookupError(f"{_short(uri)!r} is outside the schema")


def _inner(value: Any) -> list[Any]:
    match value:
        case Mapping():
            return list(value.values())
        case list() | tuple():
            return list(value)
        case _:
            return []


def _deeper_than(value: Any, levels: int) -> bool:
    row = [value]
    for _ in range(levels + 1):
        row = [inner for outer in row for inner in _inner(outer)]
        if not row:
            return False
    return True


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
        waiting.extend(_inner(node))


def _short(text: str, length: int = 300) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def _sentence(message: str, path: list[str | int]) -> str:
    place = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
    message = _short(message[:1].upper() + message[1:])
    return f"At {_short('/' + place)!r}: {message}." if path else f"{message}."
