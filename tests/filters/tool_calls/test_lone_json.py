"""JSON that no tag calls a call."""

from __future__ import annotations

import pytest

from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.lone_json import read_lone_json
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import NotACallError, Steps
from tests.filters.tool_calls.steps import events, new_reading, run

CALL = '{"name": "write", "arguments": {"path": "a"}}'


def _calls(text: str) -> int:
    def read(reading: Reading) -> Steps[None]:
        return read_lone_json(reading, JsonReader(reading), fenced=text.startswith("`"))

    return len(events(read, text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CALL, 1),
        (f"[{CALL}, {CALL}]\n", 2),
        (f"{CALL}\n{CALL}", 2),
        (f"```json\n{CALL}\n```", 1),
        (f"```json\n{CALL}\n```\n\n```\n{CALL}\n```\n", 2),
    ],
)
def test_calls_alone_are_calls(text: str, expected: int) -> None:
    """The whole answer, or fences that nothing follows."""
    assert expected == _calls(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{CALL} is how it is done",
        f"```json\n{CALL}\n```\nThat is how.",
        f"```json\n{CALL}\n```\n```python\n{CALL}\n```",
        '{"path": "a"}',
        '{"name": "other", "arguments": {}}',
        '{"name": "write"}',
        '{"name": "write", "arguments": {"path": "a"',
    ],
)
def test_the_rest_is_text(text: str) -> None:
    """What something follows, what calls no tool, and what is broken."""
    with pytest.raises(NotACallError):
        _calls(text)


def test_a_truncated_answer_calls_nothing() -> None:
    """More may have been meant to follow."""
    reading = new_reading()
    reading.source.truncated = True
    with pytest.raises(NotACallError):
        run(reading.source, read_lone_json(reading, JsonReader(reading), fenced=False), [CALL])
