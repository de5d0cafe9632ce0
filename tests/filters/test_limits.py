"""An answer ends before a stop sequence or at its length, wherever its text was cut."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import Finish, Pause, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from poeflask.core.tokens import TokenCounter
from poeflask.filters.limits import LimitsFilter
from poeflask.vocabulary import o200k
from tests.filters.laws import (
    check_laws,
    joined,
    letters,
    recut,
    settle,
    settle_batches,
    streams,
    text_of,
)

counter = TokenCounter(o200k.load)
call = ToolCallDelta(position=0, call_id="call_1", name="f", arguments='{"a":"END"}')
PROSE = "The quick brown fox, unbelievably, jumps över 13 lazy dogs — und 你好世界 🦊!\n\n"


def limits(*stop, max_tokens=None):
    """The filter with real token counting."""
    return LimitsFilter(stop=stop, max_tokens=max_tokens, count=counter.count)


def words(text):
    """A count that never agrees with the count of bytes."""
    return len(text.split())


@given(st.data(), st.lists(st.text("aEND \n", max_size=4), max_size=3), st.integers(0, 12))
def test_laws(data, stop, max_tokens):
    """One end, cuts mean nothing, and what came before the end is a start of the stream."""
    stream = data.draw(streams(("END", "EN", "a ", " ", "unbelievable", PROSE * 3)))
    most = data.draw(st.sampled_from((None, max_tokens, max_tokens * 20)))
    got = check_laws(lambda: limits(*stop, max_tokens=most), stream, data.draw(recut(stream)))

    assert text_of(stream).startswith(text_of(got))
    assert most is None or counter.count(text_of(got)) <= most
    if joined(stream) != joined(got):
        assert got[-1] in (Finish("length"), *(Finish("stop", stop=text) for text in stop))


@given(st.data(), st.integers(0, 300))
def test_any_way_of_counting_is_obeyed(data, max_tokens):
    """Also one for which the whole is not the sum of its parts."""
    stream = data.draw(streams(("a", " ", PROSE, "one two three ")))
    got = check_laws(
        lambda: LimitsFilter(stop=(), max_tokens=max_tokens, count=words),
        stream,
        data.draw(recut(stream)),
    )

    assert words(text_of(got)) <= max_tokens


@pytest.mark.parametrize(
    ("text", "stop", "kept", "found"),
    [
        ("one END two", ["END"], "one ", "END"),
        ("one END two", ["two", "END"], "one ", "END"),
        ("a\n\nb", ["\n\n"], "a", "\n\n"),
        ("a b", [" "], "a", " "),
        ("END", ["END"], "", "END"),
        ("EEND", ["END"], "E", "END"),
        ("abcd", ["abcd", "bc"], "a", "bc"),
    ],
)
def test_an_answer_ends_before_the_first_stop_sequence(text, stop, kept, found):
    """Whole or letter by letter; what follows is not passed on, and the end says which it was."""
    stream = [TextDelta(text), call, Finish("tool_calls")]

    for batches in ([stream], letters(stream)):
        got = joined(settle_batches(limits(*stop), batches))

        assert kept == text_of(got)
        assert Finish("stop", stop=found) == got[-1]
        assert call not in got


def test_half_a_stop_sequence_is_given_back():
    """At the end, and before any other event; only a pause may overtake it."""
    stream = [TextDelta("a EN"), Pause(), call, TextDelta("D"), TextDelta("EN"), Finish()]
    expected = [
        TextDelta("a "),
        Pause(),
        TextDelta("EN"),
        call,
        TextDelta("D"),
        TextDelta("EN"),
        Finish(),
    ]

    assert expected == settle(limits("END"), stream)


def test_only_visible_text_is_looked_at():
    """A stop sequence in a tool call or a thought means nothing; neither does its length."""
    stream = [ReasoningDelta("END " * 50), call, Usage(prompt_tokens=1), Finish("tool_calls")]

    assert stream == settle(limits("END", max_tokens=2), stream)


@pytest.mark.parametrize("max_tokens", [1, 2, 10, 71, 72, 73, 74, 100, 333, 1000, 2000])
def test_a_long_answer_has_exactly_so_many_tokens(max_tokens):
    """Or one less before a letter of several tokens; however it is cut; the reason says so."""
    text = PROSE * 100
    stream = [TextDelta(text), Finish()]
    got = settle(limits(max_tokens=max_tokens), stream)

    assert counter.cut(text, max_tokens) == text_of(got)
    assert max_tokens - 1 <= counter.count(text_of(got)) <= max_tokens
    assert Finish("length") == got[-1]
    assert joined(got) == joined(settle_batches(limits(max_tokens=max_tokens), letters(stream)))


@pytest.mark.parametrize("text", ["positive", "hello world", PROSE, PROSE * 20])
def test_an_answer_of_just_that_length_is_whole(text):
    """Its end is not cut off because its letters arrive one by one."""
    for end in range(max(1, len(text) - 80), len(text) + 1):
        stream = [TextDelta(text[:end]), Finish()]
        most = counter.count(text[:end])

        assert stream == joined(settle_batches(limits(max_tokens=most), letters(stream)))


def test_text_far_from_the_limit_flows_at_once():
    """Only close to the limit text waits for what follows it."""
    filter_ = limits(max_tokens=1000)

    assert [TextDelta("Hello")] == filter_.feed([TextDelta("Hello")])
    assert [] == limits(max_tokens=5).feed([TextDelta("Hello")])


def test_no_limit_is_not_a_limit_of_nothing():
    """None leaves an answer whole, 0 leaves nothing of it."""
    stream = [TextDelta("a"), Finish()]

    assert [Finish("length")] == settle(limits(max_tokens=0), stream)
    assert stream == settle(LimitsFilter(stop=(), max_tokens=None, count=words), stream)


def test_an_answer_is_counted_a_bounded_number_of_times():
    """Text far from the limit is counted by its bytes."""
    counted = []

    def count(text):
        counted.append(len(text))
        return counter.count(text)

    text = PROSE * 3000
    started = process_time()
    batches = [[TextDelta(text[at : at + 8])] for at in range(0, len(text), 8)]
    got = settle_batches(LimitsFilter(stop=(), max_tokens=40_000, count=count), batches)

    assert 40_000 == counter.count(text_of(got))
    assert sum(counted) < 30 * len(text)
    assert process_time() - started < 5
