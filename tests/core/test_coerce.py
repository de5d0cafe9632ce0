"""Values are made to fit their schema where the meaning is plain, and only there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.coerce import coerce, has_types, keeps_text, only_match, property_named

OPEN = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}
CLOSED = {**OPEN, "additionalProperties": False}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "size": {"type": "number"},
                "leaves": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
        }
    },
}
UNION = {
    "anyOf": [
        {"type": "object", "properties": {"kind": {"const": "a"}, "v": {"type": "integer"}}},
        {"type": "object", "properties": {"kind": {"const": "b"}, "v": {"type": "boolean"}}},
    ]
}


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("3", {"type": "integer"}, 3),
        ("3.0", {"type": "integer"}, 3),
        ("3.5", {"type": "integer"}, "3.5"),
        (3.0, {"type": "integer"}, 3),
        ("1e2", {"type": "number"}, 100),
        ("1e999", {"type": "number"}, "1e999"),
        ("True", {"type": "boolean"}, True),
        ("yes", {"type": "boolean"}, "yes"),
        ("None", {"type": ["integer", "null"]}, None),
        ("3", {"type": ["string", "integer"]}, "3"),
        (3, {"type": "string"}, "3"),
        ({"a": 1}, {"type": "string"}, '{"a":1}'),
        ("[1, 2]", {"type": "array"}, [1, 2]),
        ("['1']", {"type": "array", "items": {"type": "integer"}}, [1]),
        ("1", {"type": "array", "items": {"type": "integer"}}, [1]),
        ("[1", {"type": "array", "items": {"type": "integer"}}, "[1"),
        ("{'n': True}", {"type": "object"}, {"n": True}),
        ("RED", {"enum": ["red", "blue"]}, "red"),
        ("2", {"enum": [1, 2]}, 2),
        ("x", {"const": "X"}, "X"),
        ("3", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 3),
        ("3", {"allOf": [{"type": "integer"}]}, 3),
        ("3", {}, "3"),
        ({"n": "1", "m": "1"}, OPEN, {"n": 1, "m": "1"}),
        ({"n": "1", "m": "1"}, CLOSED, {"n": 1}),
        ({"N": "1"}, OPEN, {"n": 1}),
        ({"N": "1", "n": 2}, OPEN, {"N": "1", "n": 2}),
        ({"n": None, "s": None}, {**OPEN, "required": ["s"]}, {"s": None}),
        ({"leaves": [{"size": "1", "leaves": []}]}, TREE, {"leaves": [{"size": 1, "leaves": []}]}),
        ({"kind": "b", "v": "true"}, UNION, {"kind": "b", "v": True}),
        ({"kind": "a", "v": "1"}, UNION, {"kind": "a", "v": 1}),
        (["1", "1"], {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, [1, "1"]),
        ("3", {"type": "integer", "$ref": "https://example.com/x"}, 3),
        ("3", {"$ref": "#/nowhere"}, "3"),
        ("3", {"$ref": "#"}, "3"),
    ],
)
def test_a_value_becomes_what_the_schema_wants(value: Any, schema: Any, expected: Any) -> None:
    """Types are changed where the text says them, nested too, and left alone elsewhere."""
    got = coerce(value, schema)

    assert expected == got
    assert type(expected) is type(got)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(json_values)
def test_a_value_without_a_schema_stays(value: Any) -> None:
    """An empty schema changes nothing."""
    assert value == coerce(value, {})


@given(json_values)
def test_what_fits_already_is_done(value: Any) -> None:
    """Coercing twice is coercing once."""
    once = coerce(value, TREE)

    assert once == coerce(once, TREE)


def test_depth_and_work_are_bounded() -> None:
    """A value and a schema that nest without end are given up, not followed."""
    deep: Any = "1"
    for _ in range(500):
        deep = {"leaves": [deep]}
    wide = {"anyOf": [{"properties": {"x": {"$ref": "#"}}, "required": ["no"]}] * 8}
    nested: Any = {}
    for _ in range(20):
        nested = {"x": nested}

    assert deep == coerce(deep, TREE)
    assert nested == coerce(nested, wide)


def test_a_text_property_is_known_before_its_text() -> None:
    """It can be told beforehand whether a text will stay as it is."""
    schema = {"properties": {"s": {"type": ["string", "null"]}, "e": {"enum": ["a"]}, "n": OPEN}}
    got = [keeps_text(schema, key) for key in ("s", "e", "n", "other")]

    assert got == [True, False, False, True]


def test_a_key_is_found_by_its_exact_name_first() -> None:
    """A misspelt key stands for the only property that it can mean."""
    got = [property_named(CLOSED, key) for key in ("n", "N", "x")]

    assert got == ["n", "n", None]
    assert property_named(OPEN, "x") == "x"
    assert only_match("A-b", ["a_b", "ab"]) is None


def test_types_are_checked_flat() -> None:
    """An object whose properties have other types than the schema's is noticed."""
    assert has_types({"n": 1, "other": []}, OPEN)
    assert not has_types({"n": "x"}, OPEN)
