"""Values made to fit a JSON Schema where the meaning is plain: "3" where an integer belongs is 3.

Bots write JSON as text and get its types wrong: numbers and booleans in quotes, lists as JSON
inside a string, Python's True and None, one value where a list of them belongs, keys in another
case. `coerce` puts such things right and leaves alone what it cannot. It never validates: what
comes back may still break the schema.

Only references into the schema itself (`#/$defs/...`) are followed; nothing is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from poeflask.core import json_text
from poeflask.core.conversions import MISS, converted, is_one_of

MAX_DEPTH = 64
"""How deep values are followed; deeper ones stay as they are."""

MAX_STEPS = 100_000
"""How many values are looked at, branches of the schema counted; the rest stays as it is."""

_MAX_REFS = 16


def coerce(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value as the schema wants it, wherever that can be told.

    Args:
        value: any JSON value; it is not changed.
        schema: a JSON Schema; also the place that its local references point into.

    Returns:
        The value itself if nothing had to change, or a new one.
    """
    return _Coercion(schema).fit(value, schema, 0)


def has_types(value: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether each property of an object has a type that the schema admits for it."""
    coercion = _Coercion(schema)
    root = coercion.resolved(schema)
    for key, item in value.items():
        types = coercion.types(coercion.resolved(coercion.property_schema(root, key)))
        if types is not None and not is_one_of(item, types):
            return False
    return True


def keeps_text(schema: Mapping[str, Any], key: str) -> bool:
    """Whether a text given for this property of an object stays that text whatever it says."""
    coercion = _Coercion(schema)
    found = coercion.resolved(coercion.property_schema(coercion.resolved(schema), key))
    if "enum" in found or "const" in found:
        return False
    types = coercion.types(found)
    return types is None or "string" in types


def properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties that an object's schema names, after local references."""
    found = _Coercion(schema).resolved(schema).get("properties")
    return found if isinstance(found, Mapping) else {}


def required(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The properties that an object's schema demands, after local references."""
    found = _Coercion(schema).resolved(schema).get("required")
    return tuple(key for key in found if isinstance(key, str)) if isinstance(found, list) else ()


def closed(schema: Mapping[str, Any]) -> bool:
    """Whether an object's schema forbids keys that it does not name."""
    return _Coercion(schema).resolved(schema).get("additionalProperties") is False


def property_named(schema: Mapping[str, Any], key: str) -> str | None:
    """The property that a key stands for: itself, or the only one it can be a misspelling of.

    Returns:
        The key as it is if the schema has no such property, None if it forbids others.
    """
    named = properties(schema)
    if key in named:
        return key
    return only_match(key, named) or (None if closed(schema) else key)


def plain(name: str) -> str:
    """A name without what bots get wrong in it: case, and the marks between its words."""
    return re.sub(r"[\s_\-.]+", "", name).casefold()


def only_match(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that differs only in case, "-" or "_"; None if none or several do."""
    wanted = plain(name)
    found = [other for other in names if plain(other) == wanted]
    return found[0] if wanted and len(found) == 1 else None


class _Coercion:
    """One schema as the root of its references."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._steps = 0

    def fit(self, value: Any, schema: Any, depth: int) -> Any:
        schema = self.resolved(schema)
        self._steps += 1
        if not schema or depth > MAX_DEPTH or self._steps > MAX_STEPS:
            return value
        branches = _branches(schema)
        if branches:
            value = self._fit_branches(value, branches, depth)
        for part in _parts(schema):
            value = self.fit(value, part, depth + 1)
        value = _fit_choice(value, schema)
        types = self.types(schema)
        if types is not None and not is_one_of(value, types):
            value = self._convert(value, types, schema, depth)
        return self._fit_inside(value, schema, depth)

    def resolved(self, schema: Any) -> Mapping[str, Any]:
        """The schema with its own local reference followed; other keys beside it count too."""
        for _ in range(_MAX_REFS):
            if not isinstance(schema, Mapping):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            target = self._target(reference)
            schema = {**target, **rest} if isinstance(target, Mapping) else rest
        return {}

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return None
        found: Any = self._root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or step not in found:
                return None
            found = found[step]
        return found

    def types(self, schema: Mapping[str, Any], depth: int = 0) -> tuple[str, ...] | None:
        """The JSON types that the schema admits; None if it does not say."""
        said = schema.get("type")
        if isinstance(said, str):
            return (said, "null") if schema.get("nullable") is True else (said,)
        if isinstance(said, list):
            return tuple(name for name in said if isinstance(name, str))
        if isinstance(schema.get("properties"), Mapping):
            return ("object",)
        branches = _branches(schema)
        if not branches or depth > _MAX_REFS:
            return None
        found: list[str] = []
        for branch in branches:
            types = self.types(self.resolved(branch), depth + 1)
            if types is None:
                return None
            found.extend(types)
        return tuple(found)

    def property_schema(self, schema: Mapping[str, Any], key: str) -> Any:
        named = schema.get("properties")
        if isinstance(named, Mapping) and key in named:
            return named[key]
        return schema.get("additionalProperties")

    def _fit_branches(self, value: Any, branches: list[Any], depth: int) -> Any:
        """The value as the branch that suits it best wants it."""
        suited = [branch for branch in branches if self._suits(value, self.resolved(branch))]
        for branch in suited or branches:
            fitted = self.fit(value, branch, depth + 1)
            if self._suits(fitted, self.resolved(branch)):
                return fitted
        return value

    def _suits(self, value: Any, schema: Mapping[str, Any]) -> bool:
        """Whether a value looks like this branch: its type, its choices, its required keys."""
        if "const" in schema and value != schema["const"]:
            return False
        choices = schema.get("enum")
        if isinstance(choices, list) and value not in choices:
            return False
        types = self.types(schema)
        if types is not None and not is_one_of(value, types):
            return False
        return not isinstance(value, dict) or self._has_marks(value, schema)

    def _has_marks(self, value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
        needed = schema.get("required")
        if isinstance(needed, list) and any(key not in value for key in needed):
            return False
        named = schema.get("properties")
        if not isinstance(named, Mapping):
            return True
        return all(
            value[key] == self.resolved(part)["const"]
            for key, part in named.items()
            if key in value and "const" in self.resolved(part)
        )

    def _convert(
        self, value: Any, types: tuple[str, ...], schema: Mapping[str, Any], depth: int
    ) -> Any:
        made = converted(value, types)
        if made is not MISS:
            return made
        if "array" in types and value is not None:
            return self._wrapped(value, schema, depth)
        return value

    def _wrapped(self, value: Any, schema: Mapping[str, Any], depth: int) -> Any:
        """A list of this one value, if the value suits the list's items."""
        items = self.resolved(schema.get("items"))
        fitted = self.fit(value, items, depth + 1)
        return [fitted] if self._suits(fitted, items) else value

    def _fit_inside(self, value: Any, schema: Mapping[str, Any], depth: int) -> Any:
        if isinstance(value, list):
            return self._fit_items(value, schema, depth)
        if isinstance(value, dict):
            return self._fit_keys(value, schema, depth)
        return value

    def _fit_items(self, value: list[Any], schema: Mapping[str, Any], depth: int) -> list[Any]:
        leading = schema.get("prefixItems")
        leading = leading if isinstance(leading, list) else []
        items = schema.get("items")
        return [
            self.fit(item, leading[place] if place < len(leading) else items, depth + 1)
            for place, item in enumerate(value)
        ]

    def _fit_keys(
        self, value: dict[str, Any], schema: Mapping[str, Any], depth: int
    ) -> dict[str, Any]:
        named = schema.get("properties")
        named = named if isinstance(named, Mapping) else {}
        open_to_more = schema.get("additionalProperties") is not False
        needed = schema.get("required")
        needed = needed if isinstance(needed, list) else []
        fitted: dict[str, Any] = {}
        for key, item in value.items():
            known = key if key in named else _free_match(key, named, value)
            if known is None and not open_to_more and not _has_pattern(key, schema):
                continue
            name = key if known is None else known
            made = self.fit(item, self.property_schema(schema, name), depth + 1)
            if made is None and known and name not in needed and self._refuses_null(named[name]):
                continue
            fitted[name] = made
        return fitted

    def _refuses_null(self, schema: Any) -> bool:
        """Whether null cannot be meant: bots write it for an option they leave out."""
        found = self.resolved(schema)
        types = self.types(found)
        choices = found.get("enum")
        listed = isinstance(choices, list) and None in choices
        return types is not None and "null" not in types and not listed


def _branches(schema: Mapping[str, Any]) -> list[Any]:
    for word in ("anyOf", "oneOf"):
        found = schema.get(word)
        if isinstance(found, list):
            return found
    return []


def _parts(schema: Mapping[str, Any]) -> list[Any]:
    found = schema.get("allOf")
    return found if isinstance(found, list) else []


def _free_match(key: str, named: Mapping[str, Any], value: Mapping[str, Any]) -> str | None:
    """The property that was meant by a misspelt key, if nothing else claims it."""
    if not named:
        return None
    meant = only_match(key, named)
    if meant is None or meant in value:
        return None
    rivals = [other for other in value if other not in named and plain(other) == plain(key)]
    return meant if len(rivals) == 1 else None


def _has_pattern(key: str, schema: Mapping[str, Any]) -> bool:
    """Whether the schema has rules for keys by pattern; they are not run, only respected."""
    return bool(schema.get("patternProperties")) and bool(key)


def _fit_choice(value: Any, schema: Mapping[str, Any]) -> Any:
    """The listed value that was meant: by its text, or by its letters in another case."""
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(choices, list) or value in choices or isinstance(value, list | dict):
        return value
    said = _spoken(value)
    same = [choice for choice in choices if _spoken(choice) == said]
    near = [choice for choice in choices if _spoken(choice).casefold() == said.casefold()]
    for found in (same, near):
        if len(found) == 1:
            return found[0]
    return value


def _spoken(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json_text.write(value)
