"""Characters as they come, and the tags among them."""

from __future__ import annotations

import pytest

from poeflask.filters.tool_source import Source, Tag

KNOWN = frozenset({"tool_call", "invoke"})


def _tag(text: str, *, cut: bool) -> Tag | None:
    source = Source()
    reader = source.tag(0, KNOWN)
    for piece in text if cut else [text]:
        source.feed(piece)
        try:
            next(reader)
        except StopIteration as found:
            return found.value  # type: ignore[no-any-return]
    source.ended = True
    with pytest.raises(StopIteration) as end:
        next(reader)
    return end.value.value  # type: ignore[no-any-return]


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
    assert expected == _tag(text, cut=cut)


def test_what_was_taken_can_be_put_back() -> None:
    """A record knows what was taken, less what was put back."""
    source = Source()
    source.feed("abcdef")
    source.record()
    source.take(2)
    source.put_back(source.take(3))

    assert (source.recorded(), source.peek()) == ("ab", "c")
