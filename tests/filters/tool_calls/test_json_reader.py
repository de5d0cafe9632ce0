"""JSON that comes in pieces, also broken."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError
from tests.filters.tool_calls.steps import WRITE, new_reading, run


def _value(text: str, *, cut: bool, truncated: bool = False) -> tuple[Any, str, str]:
    """The value, what was wrong, and what is left of the text."""
    reading = new_reading()
    reading.source.truncated = truncated
    value, wrong = run(reading.source, JsonReader(reading).value(WRITE), text if cut else [text])
    rest = reading.source.text[reading.source.at :]
    return value, wrong, "" if cut else rest


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    ("text", "value", "is_whole"),
    [
        ('{"a": "}\\"]"} x', {"a": '}"]'}, True),
        ('{"a": "</tool_call>"}</tool_call>', {"a": "</tool_call>"}, True),
        ('{"a": "say "hi", now"}</tool_call>', {"a": 'say "hi", now'}, False),
        ('{"a": [1, 2}</tool_call>', {"a": [1, 2]}, False),
        ('{"a": 1]', {"a": 1}, False),
    ],
)
def test_a_value_is_read(text: str, value: Any, is_whole: bool, *, cut: bool) -> None:
    """A whole value ends at its bracket, a broken one with its call."""
    got, wrong, _ = _value(text, cut=cut)

    assert (value, is_whole) == (got, not wrong)


def test_what_follows_a_value_stays() -> None:
    """Neither a text behind it nor the tag that closes its call is taken."""
    assert ["x", "</tool_call>"] == [
        _value('{"a": 1}x', cut=False)[2],
        _value('{"a": [1}</tool_call>', cut=False)[2],
    ]


@pytest.mark.parametrize(("text", "truncated"), [('{"a": "b', False), ('{"a": [1}', True)])
def test_what_is_cut_off_is_not_mended(text: str, *, truncated: bool) -> None:
    """Closing a value whose rest is missing would hide that."""
    with pytest.raises(BrokenCallError):
        _value(text, cut=False, truncated=truncated)


def test_json_that_calls_nothing_is_no_call() -> None:
    """Neither data nor broken data that names no tool."""
    for text in ('{"a": 1}', '{"a": [1}'):
        reading = new_reading()
        with pytest.raises(NotACallError):
            run(reading.source, JsonReader(reading).calls(), [text])


def test_a_guess_must_fit() -> None:
    """A call that was mended into one with unknown arguments is broken, not changed."""
    reading = new_reading()
    text = '{"name": "write", "arguments": {"path": "a", "b" "c": 1}}'
    with pytest.raises(BrokenCallError, match="its JSON is broken"):
        run(reading.source, JsonReader(reading).calls(), [text])
