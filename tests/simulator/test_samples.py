import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.simulator.samples import Words, sample


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('Say "good morning" to Anna', "good morning"),
        ("What is the weather in New York today?", "New York"),
        ("Tell me. Where is Paris?", "Paris"),
        ("look up cats", "cats"),
        ("", "nothing"),
    ],
)
def test_a_text_is_quoted_or_a_name_or_the_last_word(said, expected):
    """Quoted text comes before names, names before the last word."""
    assert expected == sample({"type": "string"}, Words(said))


def test_each_value_is_given_once():
    """Two texts of one call are two names; a second call starts at the second."""
    pair = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    said = "from Paris to Rome"

    assert {"a": "Paris", "b": "Rome"} == sample(pair, Words(said))
    assert "Rome" == sample({"type": "string"}, Words(said, skip=1))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, 42),
        ({"type": "number"}, 42),
        ({"type": "number", "maximum": 10}, 10),
        ({"type": "integer", "exclusiveMinimum": 50}, 51),
        ({"enum": ["celsius", "fahrenheit"]}, "fahrenheit"),
        ({"enum": ["red", "green"]}, "red"),
        ({"const": 7}, 7),
        ({"type": "boolean"}, True),
        ({"type": ["null", "integer"]}, 42),
        ({"type": "null"}, None),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 42),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "maxLength": 2}, "Oz"),
        ({"type": "string", "minLength": 4}, "Oz.."),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 42),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"type": "object", "properties": {"b": {"const": 1}}, "required": ["b"]},
                ]
            },
            {"a": 42, "b": 1},
        ),
        (
            {"properties": {"a": {"const": 1}, "b": {"const": 2}}, "required": ["b"]},
            {"b": 2},
        ),
    ],
)
def test_a_value_fits_its_schema(schema, expected):
    """Each kind of schema gets a value of its kind, from the words where they fit."""
    got = sample(schema, Words("It was 42 fahrenheit in Oz"))

    assert expected == got
    assert jsonschema_rs.is_valid(schema, got)


def test_a_schema_that_holds_itself_ends():
    """A tree's schema gives a value of limited depth."""
    tree = {
        "type": "object",
        "properties": {"child": {"$ref": "#"}},
        "required": ["child"],
    }
    got, depth = sample(tree, Words("")), 0
    while got is not None:
        got, depth = got["child"], depth + 1

    assert depth < 10


LEAVES = st.sampled_from(
    [{"type": kind} for kind in ("string", "integer", "number", "boolean", "null")]
    + [{"enum": ["a", 1]}, {"type": "string", "minLength": 3}, {"type": "integer", "minimum": 5}]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda items: {"type": "array", "items": items}),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(
            lambda named: {"type": "object", "properties": named, "required": sorted(named)}
        ),
    ),
    max_leaves=6,
)


@given(SCHEMAS, st.text(max_size=40))
def test_every_value_satisfies_its_schema(schema, said):
    """Whatever was said, the value is valid against the schema."""
    assert jsonschema_rs.is_valid(schema, sample(schema, Words(said)))
