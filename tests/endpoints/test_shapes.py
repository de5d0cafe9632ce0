"""Exact types, exact ranges, exact paths."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from poeflask.core.errors import ClientError
from poeflask.endpoints.shapes import (
    MAX_DEPTH,
    Array,
    Envelope,
    Flag,
    Name,
    Number,
    Numbers,
    RoundNumber,
    Table,
    Whole,
    WordList,
    Words,
    an_array,
    handed_on,
    kind_of,
    one_of,
    read_envelope,
    shown,
)


class Inner(Envelope):
    """An object inside another."""

    size = Whole(1, 9, required=True)


class Outer(Envelope):
    """A body with a field of every sort."""

    name = Name(max_chars=3)
    flag = Flag()
    number = Number(0, 1)
    whole = Whole(0, 5)
    word = Words("a", "b", "c")
    text = Words()
    table = Table()
    items = Array(2, min_items=1)
    texts = WordList(2)
    stops = WordList(2, or_one=True)
    weights = Numbers(-1, 1)
    inner = fields.Nested(Inner)


OUTER = Outer()


@pytest.mark.parametrize(
    "body",
    [
        {"name": "abc", "flag": False, "number": 0.5, "whole": 5, "word": "b", "text": ""},
        {"number": 1, "table": {"a": [1, None]}, "items": [None], "texts": [], "stops": ["x"]},
        {"weights": {"a": -1, "b": 0.5}, "inner": {"size": 1}},
    ],
)
def test_right_values_stay_as_they_are(body: dict[str, Any]):
    """Nothing is converted, rounded or copied into another type."""
    assert body == read_envelope(OUTER, body)


def test_one_text_may_stand_for_an_array_of_one():
    """The only change a field makes."""
    got = read_envelope(OUTER, {"stops": "x"})

    expected = {"stops": ["x"]}
    assert expected == got


def test_null_means_absent_and_strangers_are_left_to_the_caller():
    """Neither fails; neither is in what comes out."""
    got = read_envelope(OUTER, {"flag": None, "stranger": 1, "a.b": 2, "inner": None})

    assert got == {}


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({"flag": 1}, "flag", "must be true or false, not a number."),
        ({"flag": "true"}, "flag", "must be true or false, not a string."),
        ({"number": True}, "number", "must be a number from 0 to 1, not a boolean."),
        ({"number": 1.5}, "number", "must be a number from 0 to 1, not 1.5."),
        ({"number": "1"}, "number", "must be a number from 0 to 1, not a string."),
        ({"whole": 1.0}, "whole", "must be a whole number from 0 to 5, not 1.0."),
        ({"whole": 6}, "whole", "must be a whole number from 0 to 5, not 6."),
        ({"word": "d"}, "word", "must be 'a', 'b' or 'c', not 'd'."),
        ({"text": 5}, "text", "must be a string, not a number."),
        ({"name": "abcd"}, "name", "must be 1 to 3 characters long."),
        ({"table": []}, "table", "must be an object, not an array."),
        ({"items": []}, "items", "must hold at least 1 item(s)."),
        ({"items": [1, 2, 3]}, "items", "may hold at most 2 items, not 3."),
        ({"texts": "x"}, "texts", "must be an array of strings, not a string."),
        ({"texts": ["x", {}]}, "texts[1]", "must be a string, not an object."),
        ({"weights": {"a": 2}}, "weights.a", "must be a number from -1 to 1, not 2."),
        ({"inner": {}}, "inner.size", "is missing: it must be a whole number from 1 to 9."),
        ({"inner": {"size": 0}}, "inner.size", "must be a whole number from 1 to 9, not 0."),
        ({"inner": "x"}, "inner", "must be an object."),
    ],
)
def test_a_wrong_value_is_told_what_would_be_right(body: dict[str, Any], param: str, message: str):
    """The path as OpenAI spells it, and a sentence that begins with it."""
    with pytest.raises(ClientError) as caught:
        read_envelope(OUTER, body)

    expected = param, f"'{param}' {message}"
    assert expected == (caught.value.param, caught.value.message)


def test_the_first_wrong_field_is_told():
    """One error is enough; it is the first in the order of the schema."""
    with pytest.raises(ClientError) as caught:
        read_envelope(OUTER, {"whole": -1, "flag": 0})

    assert caught.value.param == "flag"


def nested(depth: int) -> Any:
    """An array of `depth` levels."""
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_is_bounded():
    """What is written out again must be shallow enough to be written."""
    deepest = {"a": nested(MAX_DEPTH - 1)}

    assert deepest == handed_on(deepest, "x")
    with pytest.raises(ClientError, match="nested more than 100 levels"):
        handed_on({"a": nested(MAX_DEPTH)}, "x")


@pytest.mark.parametrize("value", [{"a": 1e999}, {"a": [0, {"b": -1e999}]}])
def test_numbers_must_be_finite(value: dict[str, Any]):
    """JSON has no infinity, though its reader makes one of 1e999."""
    with pytest.raises(ClientError, match="too large"):
        handed_on(value, "x")


def test_arrays_are_bounded():
    """A count is part of what an array must be."""
    assert an_array([1, 2], "x", 2) == [1, 2]
    with pytest.raises(ClientError, match="at most 1 items, not 2"):
        an_array([1, 2], "x", 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("", "a string"),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_kinds_are_called_as_json_calls_them(value: object, expected: str):
    """The reader of an error knows JSON, not Python."""
    assert expected == kind_of(value)


def test_sentences_stay_short():
    """A huge value does not make a huge error."""
    assert shown({"a": "b"}) == "an object"
    assert shown("a") == "'a'"
    assert len(shown("a" * 1000)) == 41
    assert one_of(["a"]) == "'a'"
    assert one_of(["a", "b", "c"]) == "'a', 'b' or 'c'"


class Wide(Outer):
    """A body with fields that are called otherwise, and one that must be there."""

    wide = Words(data_key="isWide", required=True)
    size = Whole(0, 5, data_key="theSize")


_VALUES = st.sampled_from([None, "a", "abcd", 1, 7, True, [], ["a"], {}, {"size": 1}, {"a": 0.5}])
_NAMES = st.sampled_from([*Outer().fields, "wide", "isWide", "size", "theSize", "stranger"])


@given(st.dictionaries(_NAMES, _VALUES))
def test_fields_that_were_not_sent_make_no_difference(body: dict[str, Any]):
    """Passing over them gives what a look at each of them gives: the same values or faults."""
    schema = Wide()
    try:
        expected: object = schema.load(body)
    except ValidationError as error:
        expected = next(iter(error.normalized_messages()))
    try:
        got: object = read_envelope(schema, body)
    except ClientError as error:
        got = re.split(r"[.\[]", error.param or "")[0]

    assert expected == got


class Loose(Envelope):
    """A body of a client that writes every number with a point."""

    count = RoundNumber(0, 5)


@pytest.mark.parametrize("sent", [3, 3.0])
def test_a_round_number_may_have_a_point(sent: float):
    """It comes out as the whole number that it is."""
    got = read_envelope(Loose(), {"count": sent})["count"]

    assert (3, int) == (got, type(got))


@pytest.mark.parametrize("sent", [3.5, 6.0, -1, True, "3", float("inf"), float("nan")])
def test_other_numbers_are_not_rounded(sent: object):
    """A fraction, and what is out of range, is told as in any other field."""
    with pytest.raises(ClientError, match="whole number from 0 to 5"):
        read_envelope(Loose(), {"count": sent})
