"""The JSON in an answer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.filters.json_in_text import broken_json, found, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1}', [{"a": 1}]),
        ('"[1]"', ["[1]", [1]]),
        ("```json\n[1]\n```\nor\n~~~\n[2]\n~~~", [[1], [2], [1], [2]]),
        ("see [1] and {x}", [[1]]),
        ('{"a": [1, 2', []),
        ("words", []),
    ],
)
def test_every_value_is_found(text, expected):
    """Whole answers, fences, and what stands between words; no part of a broken value."""
    assert expected == [value for _, value in found(text)]


def test_a_text_stays_unless_it_is_no_strict_json():
    """Raw line breaks in strings are written anew; anything else as it was."""
    assert ['{ "a": 1.10 }', '{"a":"x\\ny"}'] == [
        next(found(text))[0] for text in ('{ "a": 1.10 }', '{"a": "x\ny"}')
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So: {'a': 1}", "{'a': 1}"),
        ("```json\n{a: 1,}\n```", "{a: 1,}"),
        ("{'a': [1, 2", ""),
        ("fill {name} in", ""),
    ],
)
def test_broken_json_is_found_if_it_closes(text, expected):
    """What breaks off is left alone."""
    assert expected == broken_json(text)


def test_what_json_cannot_say_is_not_written():
    """Infinity has no word in it."""
    assert ["", "[1]"] == [written([float("inf")]), written([1])]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:` \n\\a1', max_size=60))
def test_any_text_at_all_is_read_without_fault(text):
    """No text makes the reader fail, and what it gives is JSON."""
    for found_text, value in found(text):
        assert found_text == "" or json.loads(found_text) == value
