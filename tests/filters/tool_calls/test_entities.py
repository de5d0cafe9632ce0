"""Calls in entities."""

from __future__ import annotations

import pytest

from poeflask.filters.tool_calls.entities import escaped_name, read_escaped
from poeflask.filters.tool_calls.source import NotACallError
from tests.filters.tool_calls.steps import both


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&lt;tool_call&gt;{", "tool_call"),
        ("&lt;invoke name=&quot;x&quot;&gt;\n&lt;a", "invoke"),
        ("&lt;tool_call&gt; is a tag", ""),
        ("&lt;b&gt;{", ""),
        ("&amp;", ""),
        ("&lt;tool_call" + " x" * 200, ""),
    ],
)
def test_an_escaped_tag_opens_a_call(text: str, expected: str) -> None:
    """Only a tag of calls that JSON or another tag follows; talk about tags is text."""
    assert expected == both(escaped_name, text)


def test_an_escaped_element_is_unescaped() -> None:
    """From its opening to its closing tag; without that it is no call."""
    text = "&lt;invoke&gt;&lt;a&gt;&amp;&lt;/a&gt;&lt;/invoke&gt; more"

    assert "<invoke><a>&</a></invoke>" == both(lambda source: read_escaped(source, "invoke"), text)
    with pytest.raises(NotACallError):
        both(lambda source: read_escaped(source, "invoke"), "&lt;invoke&gt;{}")
