"""Calls in tags, in every form that bots give them."""

from __future__ import annotations

import pytest

from poeflask.core.reply import ToolCallDelta
from poeflask.filters.tool_calls.container_reader import ContainerReader
from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError, Steps
from poeflask.filters.tool_calls.tags import Tag
from tests.filters.tool_calls.steps import events


def _read(text: str, name: str = "tool_call") -> list[tuple[str, str]]:
    def read(reading: Reading) -> Steps[None]:
        return ContainerReader(reading, JsonReader(reading)).container(Tag(name=name))

    return [
        (event.name, event.arguments)
        for event in events(read, text)
        if isinstance(event, ToolCallDelta)
    ]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"name": "write", "arguments": {"path": "a"}}', "tool_call"),
        ('```json\n[{"name": "write", "arguments": {"path": "a"}}]\n```', "tool_calls"),
        ('<![CDATA[{"name": "write", "arguments": {"path": "a"}}]]>', "tool_call"),
        ('<invoke name="write"><path>a</path></invoke>', "function_calls"),
        ('<tool_call>{"name": "write", "arguments": {"path": "a"}}</tool_call>', "tool_calls"),
        ("<name>write</name><path>a</path>", "tool_call"),
        ("<write><path>a</path></write>", "tool_use"),
        ('write {"path": "a"}', "tool_call"),
        ('write[ARGS]{"path": "a"}', "tool_calls"),
        ('function<|tool_sep|>write\n```json\n{"path": "a"}\n```', "tool_call_begin"),
        ('print(default_api.write(path="a"))', "tool_code"),
        ('write("a")', "tool_call"),
    ],
)
def test_a_call_has_many_forms(body: str, name: str) -> None:
    """Each of them gives the same call."""
    assert [("write", '{"path":"a"}')] == _read(body, name)


def test_several_calls_may_follow_each_other() -> None:
    """As JSON behind JSON, with or without commas."""
    call = '{"name": "write", "arguments": {"path": "a"}}'

    assert 3 == len(_read(f"{call}\n{call},{call}</tool_call>"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "words",
        "other(1)",
        '<invoke name="other">',
        "<b>x</b>",
        "</tool_call>",
        "write it",
        "<tool_call>" * 9 + '{"name": "write", "arguments": {}}',
    ],
)
def test_the_rest_is_no_call(body: str) -> None:
    """Unknown tools, other tags, words, and tags in tags without end."""
    with pytest.raises(NotACallError):
        _read(body)


def test_python_with_too_many_values_is_broken() -> None:
    """It calls a tool, but nobody can say with what."""
    with pytest.raises(BrokenCallError, match="more values"):
        _read('write("a", "b", "c")', "tool_code")
