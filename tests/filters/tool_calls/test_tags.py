"""Tags as bots write them."""

from __future__ import annotations

import pytest

from poeflask.filters.tool_calls.source import Source
from poeflask.filters.tool_calls.tags import Tag
from tests.filters.tool_calls.steps import run

KNOWN = frozenset({"tool_call", "invoke"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<tool_call>", Tag(name="tool_call", size=11)),
        ("</Tool-Call >", Tag(name="tool_call", closing=True, size=13)),
        (
            "<tool_call:ab name='x'/>",
            Tag(name="tool_call", mark="ab", given="x", empty=True, size=24),
        ),
        ("<ns:invoke name=x>", Tag(name="invoke", given="x", size=18)),
        ("<invoke=x>", Tag(name="invoke", given="x", size=10)),
        ("<|tool_call|>", Tag(name="tool_call", size=13)),
        ("<invoker>", None),
        ("<invoke", None),
        ("<invoke <b>", None),
        ("< b", None),
    ],
)
@pytest.mark.parametrize("cut", [False, True])
def test_a_tag_is_known_by_its_name(text: str, expected: Tag | None, *, cut: bool) -> None:
    """Prefixes, marks, case and decoration do not hide a known tag; other tags are text."""
    source = Source()
    pieces = text if cut else [text]

    assert expected == run(source, source.tag(0, KNOWN), pieces)


def test_a_mark_must_be_the_conversations() -> None:
    """A tag without a mark, and one with another, do not carry it; no mark is none to carry."""
    marks = [("ab", "ab"), ("cd", "ab"), ("", "ab"), ("", "")]
    carried = [Tag(name="tool_call", mark=own).carries(mark) for own, mark in marks]

    assert [True, False, False, False] == carried
