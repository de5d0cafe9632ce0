"""One value as another type."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.conversions import MISS, converted, is_one_of, literal


@pytest.mark.parametrize(
    ("value", "types", "expected"),
    [
        (" 3 ", ["number", "integer"], 3),
        ("3.5", ["number"], 3.5),
        (4.0, ["integer"], 4),
        ("TRUE", ["boolean", "string"], True),
        ("none", ["null", "array"], None),
        ("['a', 1]", ["array"], ["a", 1]),
        ('{"a": true}', ["object"], {"a": True}),
        ({"a": 1}, ["string"], '{"a":1}'),
        ("words", ["integer", "boolean", "array"], MISS),
        ("1e999", ["number"], MISS),
        ("[1]", ["object"], MISS),
        ("3", [], MISS),
    ],
)
def test_a_value_becomes_the_most_exact_type(value: Any, types: list[str], expected: Any) -> None:
    """Of several types the narrowest that it can be; none where its meaning is not plain."""
    assert expected == converted(value, types)


def test_types_are_jsons() -> None:
    """True is no number, a whole float no integer, and unknown names admit nothing."""
    admitted = [
        is_one_of(value, [name])
        for value, name in ((True, "integer"), (1.0, "integer"), (1, "number"), (1, "tree"))
    ]

    assert [False, False, True, False] == admitted


@pytest.mark.parametrize("text", ["words", "{1, 2}", "[" * 5000, "f(1)", "(1j,)"])
def test_other_literals_are_refused(text: str) -> None:
    """What is neither JSON nor a literal that JSON can say is no value."""
    with pytest.raises(ValueError, match=r"."):
        literal(text)
