"""A text between tags, and where it ends."""

from __future__ import annotations

import json

import pytest

from poeflask.core.reply import ToolCallDelta
from poeflask.filters.tool_calls.source import BrokenCallError
from poeflask.filters.tool_calls.tags import Tag
from poeflask.filters.tool_calls.text_reader import TextReader
from tests.filters.tool_calls.steps import MARK, WRITE, new_reading, run


def _text(body: str, *, mark: str = "", cut: bool = False, hold_chars: int = 2048) -> str:
    """The text read between `<arg>` and where it ends."""
    reading = new_reading(hold_chars=hold_chars)
    writer = reading.output.begin(WRITE)
    tag = Tag(name="arg", mark=mark)
    steps = TextReader(reading, writer, tag, frozenset()).read("text")
    run(reading.source, steps, body if cut else [body])
    reading.output.close(writer)
    deltas = [event for event in reading.output.take() if isinstance(event, ToolCallDelta)]
    return str(json.loads("".join(delta.arguments for delta in deltas))["text"])


@pytest.mark.parametrize("hold_chars", [0, 2048])
@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    ("body", "mark", "expected"),
    [
        ("a</arg></tool_call>", "", "a"),
        ("a</arg> b</arg> <arg name='x'>", "", "a</arg> b"),
        ("a</parameter></invoke>", "", "a"),
        ("<![CDATA[<b>]]></arg>", "", "<b>"),
        ("a</arg", "", "a</arg"),
        (f"\na\n</arg>\nb\n</arg:{MARK}>", MARK, "a\n</arg>\nb"),
        (f"\na</arg:{MARK}> b\n</arg:{MARK}>", MARK, f"a</arg:{MARK}> b"),
        (f"\n</arg:{MARK}>", MARK, ""),
        (f"a</arg:{MARK}>", MARK, "a"),
    ],
)
def test_a_text_ends_where_it_was_meant_to(
    body: str, mark: str, expected: str, *, cut: bool, hold_chars: int
) -> None:
    """With a mark at its marked tag, without one where the call goes on or ends."""
    if expected == body:
        with pytest.raises(BrokenCallError, match="inside of the argument 'text'"):
            _text(body, mark=mark, cut=cut, hold_chars=hold_chars)
        return

    assert expected == _text(body, mark=mark, cut=cut, hold_chars=hold_chars)


def test_only_a_tail_waits() -> None:
    """A long text goes on as it comes, but for what may belong to its closing tag."""
    reading = new_reading(hold_chars=0)
    writer = reading.output.begin(WRITE)
    tag = Tag(name="arg", mark=MARK)
    steps = TextReader(reading, writer, tag, frozenset()).read("text")
    got = []
    for piece in ("\nab", "c\n", "d<", "b>"):
        reading.source.feed(piece)
        next(steps)
        got.append("".join(getattr(event, "arguments", "") for event in reading.output.take()))

    assert ['{"text":"ab', "c", "\\nd", "<b>"] == got
