"""Schemas from outside: what is refused, what is found wrong, and what may not take for ever."""

import time

import pytest

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.json_schema import JsonSchema, SchemaError, check_schema

FORKS = {
    "anyOf": [
        {"properties": {"a": {"$ref": "#"}}, "required": ["z"]},
        {"properties": {"a": {"$ref": "#"}}, "required": ["z"]},
    ],
}
"""Every level of a value doubles the ways to look at it."""


def nested(levels, name):
    """An object in an object in an object."""
    value = {}
    for _ in range(levels):
        value = {name: value}
    return value


def doubling(levels):
    """A schema of few lines and very many paths, all about the same value."""
    forks = {
        f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**forks, f"d{levels}": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "objekt"}, "'/type'"),
        ({"$ref": "https://a.example/b.json"}, "a.example"),
        ({"$ref": "other.json"}, "other.json"),
        ({"$dynamicRef": "https://a.example/b.json"}, "a.example"),
        ({"$ref": "#/$defs/nowhere"}, "nowhere"),
        ({"$schema": "https://a.example/meta", "type": "object"}, "a.example"),
        ({"properties": {"a": {"$id": "https://a.example/c"}}}, "'$id'"),
        ({"$ref": "#"}, "circle"),
        ({"pattern": "("}, "regex"),
        ({"pattern": "((a{1000}){1000}){1000}"}, "regex"),
        ({"properties": {f"p{n}": {"pattern": "a"} for n in range(201)}}, "more than 200 patterns"),
        ({"description": "x" * 300_000}, "larger"),
        (nested(70, "items"), "deeper"),
        ({"maximum": float("nan")}, "NaN"),
        ({"const": "\ud800"}, "surrogates"),
        (doubling(30), "alternatives"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_reason(schema, reason):
    """Nothing is fetched, nothing unbounded is compiled, and the message says what is wrong."""
    with pytest.raises(SchemaError) as caught:
        JsonSchema(schema)

    assert reason in str(caught.value)


def test_the_clients_error_names_the_field():
    """A refused schema is the client's fault, told at the field that holds it."""
    with pytest.raises(ClientError) as caught:
        check_schema({"type": 1}, "tools[0].parameters")

    assert (ErrorKind.INVALID_REQUEST, "tools[0].parameters") == (
        caught.value.kind,
        caught.value.param,
    )


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, 1),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}, {}),
        ({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}}, {"$id": "a"}),
        ({"$ref": "#here", "$defs": {"a": {"$anchor": "here", "type": "integer"}}}, 1),
        ({"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "integer"}}}, 1),
        ({"type": "string", "format": "date-time"}, "2026-01-01T10:00:00"),
        ({"pattern": "^(?!.*\\.\\.)[a-z.]+@[a-z.]+$"}, "a.b@c.d"),
        ({"type": "integer"}, 10**300),
        (FORKS, {"z": 1, "a": {"z": {}}}),
        ({"items": {"properties": {"a": {"type": "integer"}}}}, [{"a": n} for n in range(5000)]),
    ],
)
def test_what_matches_is_right(schema, value):
    """A right value has no fault."""
    assert "" == JsonSchema(schema).fault(value)


@pytest.mark.parametrize(
    ("schema", "value", "fault"),
    [
        ({"items": {"type": "integer"}}, [1, "x"], "At '/1': This value is not of type"),
        ({"required": ["b"]}, {}, '"b" is a required property.'),
        ({"properties": {"a/b": {"type": "null"}}}, {"a/b": 1}, "At '/a~1b': "),
        ({"type": "array"}, "\ud800", "It cannot be checked: "),
        ({}, nested(101, "a"), "It is nested deeper than 100 levels."),
        ({"items": {"type": "integer"}}, ["x"] * 6000, "It does not match the schema."),
    ],
)
def test_what_does_not_match_is_told_with_its_place(schema, value, fault):
    """The sentence names the place as a JSON pointer and what is wrong there."""
    assert JsonSchema(schema).fault(value).startswith(fault)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (FORKS, nested(90, "a")),
        ({"unevaluatedProperties": False, **FORKS}, nested(30, "a")),
        ({"items": {"pattern": "^(?=a)(a+)+\\1$"}}, ["a" * 5000 + "b"] * 2000),
        ({"items": doubling(10)}, list(range(10_000, 20_000))),
    ],
)
def test_a_value_that_would_take_for_ever_is_refused(schema, value):
    """What cannot be checked in reasonable time is said to be so, soon."""
    checked = JsonSchema(_lifted(schema))
    started = time.perf_counter()

    assert "It is too large to be checked against this schema." == checked.fault(value)
    assert time.perf_counter() - started < 10


def _lifted(schema):
    """The schema with the definitions of its items at the top, where references find them."""
    inner = schema.get("items", {})
    return {**schema, "$defs": inner["$defs"]} if "$defs" in inner else schema
