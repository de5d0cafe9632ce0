"""Arguments of calls, as text and as objects."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core import json_text
from poeflask.core.errors import ClientError
from poeflask.endpoints.call_arguments import as_object, as_text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}),
        ("", {}),
        (" \n", {}),
        ('{"a":', {"input": '{"a":'}),
        ("*** Begin", {"input": "*** Begin"}),
        ("[1]", {"input": [1]}),
        ('"text"', {"input": "text"}),
        ('{"a":NaN}', {"input": '{"a":NaN}'}),
    ],
)
def test_arguments_as_an_object(arguments: str, expected: dict[str, Any]):
    """What is none is kept under "input", so that nothing is lost."""
    assert expected == as_object(arguments)


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"a": 1}, '{"a":1}'), ({}, "{}"), (None, "{}"), ("", "{}"), ('{"a":', '{"a":')],
)
def test_arguments_as_text(value: object, expected: str):
    """Objects are written; text stays as it is, broken or not."""
    assert expected == as_text(value, "args")


@pytest.mark.parametrize("value", [[1], 7, True, {"a": float("inf")}])
def test_wrong_arguments_are_told_with_their_path(value: object):
    """Also numbers that no JSON text can hold."""
    with pytest.raises(ClientError, match=r"'calls\[0\]\.args'"):
        as_text(value, "calls[0].args")


def test_there_and_back():
    """An object survives both ways."""
    value = {"path": "a\u2028b", "n": 10**30}

    assert value == as_object(as_text(value, "args"))
    assert json_text.write(value) == as_text(value, "args")
