"""A call whose tool is known."""

from __future__ import annotations

import pytest

from poeflask.core.prompt import Tool
from poeflask.core.reply import ToolCallDelta
from poeflask.filters.tool_calls.call_reader import CallReader
from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError, Steps
from poeflask.filters.tool_calls.tags import Tag
from tests.filters.tool_calls.steps import MARK, PATCH, WRITE, events


def _arguments(text: str, tool: Tool = WRITE, mark: str = "") -> str:
    def read(reading: Reading) -> Steps[None]:
        tag = Tag(name="tool_call", mark=mark)
        return CallReader(reading, JsonReader(reading), tool, tag).read()

    (call,) = events(read, text)
    return call.arguments if isinstance(call, ToolCallDelta) else ""


@pytest.mark.parametrize(
    "body",
    [
        '{"path": "a", "text": "b"}</tool_call>',
        '{"path": "a"}<arg name="text">b</arg></tool_call>',
        "<path>a</path><text>b</text></tool_call>",
        "<parameter=path>a</parameter>\n<parameter=text>b</parameter></function>",
        "<arg_key>path</arg_key><arg_value>a</arg_value><param name=text>b</param></invoke>",
        '<arguments>{"path": "a", "text": "b"}</arguments></tool_call>',
        '```json\n{"path": "a", "text": "b"}\n```</tool_call>',
        '{"name": "write", "arguments": {"path": "a", "text": "b"}}</tool_call>',
        '{"path": "a", "text": "b"}',
        '{"path": "a", "text": "b"}</tool_',
    ],
)
def test_arguments_have_many_forms(body: str) -> None:
    """Every form gives the same call, also when only the closing tag is missing."""
    assert '{"path":"a","text":"b"}' == _arguments(body)


@pytest.mark.parametrize("body", ["a patch</tool_call>", '{"input": "a patch"}</tool_call>'])
def test_a_custom_tool_gets_its_text(body: str) -> None:
    """Bare or in JSON."""
    assert "a patch" == _arguments(body, PATCH)


def test_what_is_no_call_is_told_from_a_broken_one() -> None:
    """Before any argument other words mean that there is no call, unless the mark says so."""
    with pytest.raises(NotACallError):
        _arguments("is how you call</tool_call>")
    with pytest.raises(BrokenCallError, match="there is 'is how"):
        _arguments("is how you call</tool_call>", mark=MARK)
    with pytest.raises(BrokenCallError, match="there is 'and so on"):
        _arguments('{"path": "a"} and so on</tool_call>')
    with pytest.raises(BrokenCallError, match="breaks off"):
        _arguments('{"text": "a"}')
    with pytest.raises(BrokenCallError, match="gives 'write' no arguments"):
        _arguments("</tool_call>")
