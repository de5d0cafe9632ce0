"""Google's own kind of schema as JSON Schema: types in capitals, `nullable`, numbers as strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from poeflask.endpoints.gemini.schema import camel

_TYPES = {
    "STRING": "string",
    "NUMBER": "number",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "ARRAY": "array",
    "OBJECT": "object",
    "NULL": "null",
}

_COUNTS = (*("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),)
"""64-bit integers, which Google writes as strings."""

_OWN = frozenset({"propertyOrdering", "nullable", "example"})
"""Words that JSON Schema does not have."""


def json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as JSON Schema says it; what is JSON Schema already stays.

    Args:
        schema: of a depth that was checked before.
    """
    named = camel(schema)
    written = {name: _value(name, value) for name, value in named.items() if name not in _OWN}
    if written.get("type") is None:
        written.pop("type", None)
    if named.get("nullable") is True:
        return _or_null(written)
    return written


def _value(name: str, value: Any) -> Any:
    match name, value:
        case "type", str():
            return _TYPES.get(value.upper(), None if "UNSPECIFIED" in value else value)
        case "items" | "additionalProperties", dict():
            return json_schema(value)
        case "anyOf" | "oneOf" | "allOf" | "prefixItems", list():
            return [json_schema(one) if isinstance(one, dict) else one for one in value]
        case "properties" | "$defs" | "defs", dict():
            return {
                key: json_schema(one) if isinstance(one, dict) else one
                for key, one in value.items()
            }
        case _, str() if name in _COUNTS and value.isdigit():
            return int(value)
    return value


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]}
    if isinstance(schema.get("enum"), list):
        return {**schema, "type": [kind, "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [kind, "null"]}
