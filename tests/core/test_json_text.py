"""Tests of JSON as text and as values."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.json_text import NotJsonError, read, repaired, write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (b'"\xc3\xa9"', "é"),
        (b"\xef\xbb\xbf[1]", [1]),
        (' [1, 2.5, null, true, "x"]\n', [1, 2.5, None, True, "x"]),
        ('"\\ud83d"', "\ud83d"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_texts_become_values(text, value):
    """Integers of any size and halves of characters are kept."""
    assert value == read(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value at line 1, column 1"),
        (b"", "Expecting value at line 1, column 1"),
        ("{", "double quotes at line 1, column 2"),
        ("[1,\n2", "at line 2, column 2"),
        ("1 2", "Extra data at line 1, column 3"),
        (b'"\xff"', "it is not UTF-8: byte 1 is wrong"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("[" * 200_000, "its brackets are nested too deeply"),
        ("9" * 5000, "thousands of digits"),
    ],
)
def test_other_texts_are_no_json(text, why):
    """The error says what is wrong, and where."""
    with pytest.raises(NotJsonError) as raised:
        read(text)

    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, "é\u2028"]}, '{"a":[1,null,"é\u2028"]}'),
        (["é", "\ud83d"], '["\\u00e9","\\ud83d"]'),
        ("\x00\x7f", '"\\u0000\x7f"'),
    ],
)
def test_values_become_compact_text(value, text):
    """Characters stay as they are, unless one of them is a half."""
    assert text == write(value)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(_VALUES)
def test_what_is_written_reads_the_same(value):
    """Through UTF-8, whatever the value; two halves that meet become whole."""
    whole = json.loads(json.dumps(value))

    assert whole == read(write(value).encode())


def test_a_broken_text_is_repaired():
    """What was most probably meant by quotes, commas and comments gone wrong is found."""
    assert {"a": [1, 2], "b": True} == repaired("{'a': [1, 2,], // list\n b: True}")


def test_brackets_without_end_cannot_be_repaired():
    """Nesting deeper than can be followed is no JSON, not a crash."""
    with pytest.raises(NotJsonError):
        repaired("[" * 5000 + "]")


@pytest.mark.parametrize("value", [2**70, -(2**70), [{"a": "half: \ud83d"}], {1: "a number"}])
def test_what_the_fast_writer_refuses_is_written_as_well(value):
    """Bots and clients do send such things."""
    assert json.loads(json.dumps(value)) == json.loads(write(value))
