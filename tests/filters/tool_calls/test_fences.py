"""The opening lines of code fences."""

from __future__ import annotations

import pytest

from poeflask.filters.tool_calls.fences import fence_info, skip_fence_start
from poeflask.filters.tool_calls.source import Source
from tests.filters.tool_calls.steps import both


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```json\n{", "json"),
        ("~~~ Tool-Call \r\n", "tool_call"),
        ("```\n", ""),
        ("````", ""),
        ("```python\n", None),
        ("```json and more\n", None),
        ("```" + " " * 200, None),
    ],
)
def test_a_fence_says_what_it_holds(text: str, expected: str | None) -> None:
    """One word of a few, in any case; anything else holds no calls."""
    assert expected == both(fence_info, text)


def test_the_opening_line_is_skipped() -> None:
    """Its line break belongs to it."""
    source = Source()
    source.feed("```json\n{}")
    skip_fence_start(source)

    assert "{}" == source.take(9)
