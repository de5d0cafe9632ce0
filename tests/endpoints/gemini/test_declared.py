"""Google's schemas as JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.endpoints.gemini.declared import json_schema


def test_a_schema_of_every_sort():
    """Types in small letters, everywhere below; names of properties are the client's."""
    sent = {
        "type": "OBJECT",
        "properties": {
            "file_name": {"type": "STRING", "description": "A name.", "maxLength": "9"},
            "any_of": {"any_of": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]},
            "type": {"type": "ARRAY", "items": {"type": "INTEGER", "format": "int32"}},
        },
        "required": ["file_name"],
        "property_ordering": ["file_name", "type"],
    }

    assert {
        "type": "object",
        "properties": {
            "file_name": {"type": "string", "description": "A name.", "maxLength": 9},
            "any_of": {"anyOf": [{"type": "number"}, {"type": "boolean"}]},
            "type": {"type": "array", "items": {"type": "integer", "format": "int32"}},
        },
        "required": ["file_name"],
    } == json_schema(sent)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "STRING", "nullable": False}, {"type": "string"}),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"anyOf": [{"type": "STRING"}], "nullable": True},
            {"anyOf": [{"anyOf": [{"type": "string"}]}, {"type": "null"}]},
        ),
        ({"type": "TYPE_UNSPECIFIED", "example": 1}, {}),
        ({}, {}),
    ],
)
def test_words_that_json_schema_lacks(sent: dict[str, Any], expected: dict[str, Any]):
    """`nullable` is another type; an unspecified type is none."""
    assert expected == json_schema(sent)


def test_json_schema_stays_as_it_is():
    """Some clients send it in Google's place; odd values are not touched."""
    sent = {
        "type": ["string", "null"],
        "additionalProperties": False,
        "items": True,
        "minItems": 2,
        "properties": {"a": True},
        "oneOf": [True, {"type": "object"}],
    }

    assert sent == json_schema(sent)


WORDS = st.sampled_from(
    [*("type", "items", "properties", "anyOf", "enum", "nullable", "minItems", "required", "a_b")]
)
VALUES = st.none() | st.booleans() | st.integers() | st.sampled_from(["STRING", "7", "x"])
SCHEMAS = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(schema=st.dictionaries(WORDS, SCHEMAS, max_size=4))
@settings(max_examples=150, deadline=None)
def test_nonsense_does_no_harm(schema: dict[str, Any]):
    """What is no schema at all is still read, and reading the result again changes nothing."""
    read = json_schema(schema)

    assert read == json_schema(read)
