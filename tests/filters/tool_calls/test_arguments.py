"""Arguments as the tool wants them."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.json_text import repaired
from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.arguments import arguments_of, fits, written
from poeflask.filters.tool_calls.source import BrokenCallError

TOOL = Tool(name="t", schema={"properties": {"a": {"type": "integer"}}, "required": ["a"]})
CUSTOM = Tool(name="c", kind="custom")


def test_a_guess_must_be_believable() -> None:
    """Mended arguments that lack a key, invent one or have a wrong type are not believed."""
    got = [fits(TOOL, value) for value in ({"a": "1"}, {}, {"a": 1, "b": 2}, {"a": "x"}, [])]

    assert got == [True, False, False, False, False]


@pytest.mark.parametrize("given", [{"a": 1}, '{"a": 1}', '"{\\"a\\": 1}"', "{'a': 1}", '{"a": 1,}'])
def test_arguments_are_unwrapped(given: Any) -> None:
    """A JSON text in place of an object is read, also when it is a text twice or nearly right."""
    assert {"a": 1} == arguments_of(TOOL, given, repaired)


def test_nothing_given_is_an_empty_object() -> None:
    """Null and an empty text mean that there are no arguments."""
    assert [{}, {}] == [arguments_of(TOOL, given, repaired) for given in (None, "")]


@pytest.mark.parametrize("given", [[1], 1, "words", "[1]"])
def test_other_arguments_are_broken(given: Any) -> None:
    """What is no object is said to be none."""
    with pytest.raises(BrokenCallError, match="no JSON object"):
        arguments_of(TOOL, given, repaired)


def test_arguments_are_written_to_fit() -> None:
    """JSON has the schema's types; a custom tool gets its text, however it was wrapped."""
    assert '{"a":3,"b":"é"}' == written(TOOL, {"a": "3", "b": "é"})
    assert ["x", "x", "x", '{"a":1,"b":2}'] == [
        written(CUSTOM, given) for given in ("x", {"input": "x"}, {"y": "x"}, {"a": 1, "b": 2})
    ]
