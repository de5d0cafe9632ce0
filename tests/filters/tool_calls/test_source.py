"""Characters as they come, and the small readers over them."""

from __future__ import annotations

import pytest

from poeflask.filters.tool_calls.source import NotACallError, Source
from tests.filters.tool_calls.steps import both


def test_what_was_taken_can_be_put_back() -> None:
    """A record knows what was taken, less what was put back."""
    source = Source()
    source.feed("abcdef")
    source.record()
    source.take(2)
    source.put_back(source.take(3))

    assert (source.recorded(), source.peek()) == ("ab", "c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc</tool_call>d", "abc"),
        ("a<b>``c```", "a<b>``c"),
        ("a < b", "a < b"),
        ("", ""),
    ],
)
def test_a_call_ends_at_a_tag_a_fence_or_the_end(text: str, expected: str) -> None:
    """Other tags and shorter runs of backticks belong to it."""
    assert expected == both(lambda source: source.rest_of_call(), text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("``` x", 3), ("~~`", 2), ("x", 0), ("`" * 70, 64), ("", 0)],
)
def test_a_run_is_counted(text: str, expected: int) -> None:
    """Backticks or tildes, not both, and no more than can mean anything."""
    assert expected == both(lambda source: source.run_size(), text)


def test_a_word_is_a_tools_name() -> None:
    """Dots, colons, slashes and dashes belong to it."""
    assert "a.b:c/d-e" == both(lambda source: source.word(), "a.b:c/d-e (f)")


def test_a_short_text_ends_with_its_own_tag() -> None:
    """A name in tags is read; one with another tag in it, or without end, is no call."""
    assert "run" == both(lambda source: source.short_text("name"), " run </name>")
    for text in ("run</b>", "run", "x" * 500):
        with pytest.raises(NotACallError):
            both(lambda source: source.short_text("name"), text)


def test_a_text_is_skipped_whole_or_not_at_all() -> None:
    """What only begins like it stays."""
    source = Source()
    source.feed("[ARG")
    source.ended = True
    steps = source.skip("[ARGS]")

    with pytest.raises(StopIteration) as end:
        next(steps)
    assert (False, 4) == (end.value.value, source.left)
