"""The shape that filters of the reply side share."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import Prompt
from poeflask.core.reply import Failure, Finish, ReplyEvent, TextDelta
from poeflask.filters.reply_side import ReplySide
from tests.filters.laws import check_laws, recut, settle, settle_batches, streams


class Shout(ReplySide):
    """Says each text twice and ends the answer when it meets a full stop."""

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        given.append(event)
        match event:
            case TextDelta("."):
                given[-1] = Finish("length")
            case TextDelta():
                given.append(event)


def test_a_filter_that_says_nothing_changes_nothing() -> None:
    """Prompt and reply pass as they are, and nobody is asked again."""
    prompt = Prompt(bot="Echo", messages=())
    filter_ = ReplySide()

    assert prompt is filter_.on_prompt(prompt)
    assert [TextDelta("a"), Finish()] == settle(filter_, [TextDelta("a"), Finish()])
    assert filter_.follow_up is None


@given(st.data(), streams())
def test_it_keeps_the_laws(data: Any, events: list[Any]) -> None:
    """Whatever the stream."""
    check_laws(ReplySide, events, data.draw(recut(events)))


@given(st.lists(st.sampled_from([TextDelta("a"), TextDelta("."), Finish()])), st.integers(0, 9))
def test_nothing_comes_after_the_end(events: list[ReplyEvent], cut: int) -> None:
    """Neither after one that was fed nor after the filter's own, in the same batch or later."""
    got = settle_batches(Shout(), [events[:cut], events[cut:]])
    ends = [place for place, event in enumerate(got) if isinstance(event, Finish)]

    assert [len(got) - 1] * len(ends) == ends
    assert settle(Shout(), events) == got


def test_a_failure_is_an_end_too() -> None:
    """What follows it is dropped."""
    failure = Failure(PoeError(ErrorKind.POE_BROKEN, "No."))

    assert [failure] == settle(Shout(), [failure, TextDelta("a"), Finish()])
