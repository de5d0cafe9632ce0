"""One Usage before a Finish: exact where Poe's count can be true, or else an estimate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import Finish, Pause, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from poeflask.filters.usage import UsageFilter
from tests.filters.laws import broken, check_laws, recut, settle, side_events, strangers, streams

SAID = [
    ReasoningDelta("hmm"),
    TextDelta("Hel"),
    TextDelta("lo"),
    ToolCallDelta(position=0, call_id="call_1", name="go"),
    ToolCallDelta(position=0, arguments="{}"),
]
ESTIMATE = Usage(prompt_tokens=11, completion_tokens=3 + 5 + 4, reasoning_tokens=3)


def usage_filter():
    """A filter that counts letters, and 11 for the prompt."""
    return UsageFilter(lambda: 11, len)


@given(st.data())
def test_laws(data):
    """One end, cuts mean nothing, others pass; one Usage before a Finish, none before a Failure."""
    exact = st.builds(
        Usage,
        prompt_tokens=st.integers(0, 2),
        completion_tokens=st.integers(0, 2),
        exact=st.booleans(),
    )
    thoughts = st.just(ReasoningDelta("hm"))
    stream = data.draw(streams(more=st.one_of(side_events, exact, thoughts)))
    got = check_laws(usage_filter, stream, data.draw(recut(stream)))
    usages = [event for event in got if isinstance(event, Usage)]

    assert strangers(stream) == strangers(got)
    assert usages == (got[-2:-1] if isinstance(got[-1], Finish) else [])
    assert [e for e in stream if not isinstance(e, Usage)] == [
        e for e in got if not isinstance(e, Usage)
    ]


def test_without_a_count_it_is_estimated():
    """Thoughts, text, and what tool calls say are all completion."""
    assert [*SAID, ESTIMATE, Finish()] == settle(usage_filter(), [*SAID, Finish()])


def test_an_estimate_from_below_is_made_anew():
    """Only here the whole answer is seen."""
    stream = [Usage(prompt_tokens=1, completion_tokens=1), *SAID, Finish()]

    assert [*SAID, ESTIMATE, Finish()] == settle(usage_filter(), stream)


def test_the_last_exact_count_is_passed_on_before_the_end():
    """Wherever and however often it came."""
    first = Usage(prompt_tokens=5, completion_tokens=1, exact=True)
    last = Usage(prompt_tokens=5, completion_tokens=7, cached_tokens=2, exact=True)
    stream = [first, TextDelta("a"), last, Pause(), Finish("length")]

    assert [TextDelta("a"), Pause(), last, Finish("length")] == settle(usage_filter(), stream)


def test_an_exact_count_gets_its_part_of_thoughts():
    """As far as it has room for them."""
    exact = Usage(prompt_tokens=5, completion_tokens=2, exact=True)
    told = Usage(prompt_tokens=5, completion_tokens=9, reasoning_tokens=8, exact=True)
    thought = ReasoningDelta("hmm")
    shown = Usage(prompt_tokens=5, completion_tokens=2, reasoning_tokens=2, exact=True)

    assert [thought, shown, Finish()] == settle(usage_filter(), [thought, exact, Finish()])
    assert [thought, told, Finish()] == settle(usage_filter(), [thought, told, Finish()])


@pytest.mark.parametrize(
    ("prompt", "completion", "expected"),
    [
        (0, 0, ESTIMATE),
        (71, 0, Usage(prompt_tokens=71, completion_tokens=12, reasoning_tokens=3)),
        (0, 9, Usage(prompt_tokens=11, completion_tokens=9, reasoning_tokens=3)),
    ],
)
def test_zeros_that_cannot_be_true_are_estimated(prompt, completion, expected):
    """And the whole is called an estimate."""
    exact = Usage(prompt_tokens=prompt, completion_tokens=completion, exact=True)

    assert [*SAID, expected, Finish()] == settle(usage_filter(), [*SAID, exact, Finish()])


def test_a_broken_answer_has_no_usage():
    """Nobody knows what it cost, and nothing is counted."""
    exact = Usage(prompt_tokens=5, completion_tokens=7, exact=True)

    assert [*SAID, broken] == settle(usage_filter(), [*SAID, exact, broken])
