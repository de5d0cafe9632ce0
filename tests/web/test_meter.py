"""Counting what an answer brings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.ledger_row import OK
from poeflask.core.prompt import Message, Prompt, Text
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Pause,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.stores.recordings import MOST_LETTERS
from poeflask.web.logging import Line
from poeflask.web.meter import About, Meter, Recorder

NOW_S = 1_800_000_000.0
PIECE = [TextDelta("hi"), Pause()]


class Watched:
    """A meter of one answer, and a clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.s = 100.0
        self.over: list[Meter] = []
        self.about = About(
            line=Line(request_id="req-1", streamed=True),
            time_s=NOW_S,
            began_s=self.s,
            key_id="key-1",
            key_name="Ann",
            asked="gpt-echo",
            bot="Echo",
            dialect="chat",
            client="curl",
            replies=1,
            pricing={"prompt": "0.00003", "completion": "0.00006"},
        )
        self.meter = Meter(self.about, self.over.append, lambda: self.s)


@pytest.fixture
def one() -> Watched:
    """A meter that has seen nothing."""
    return Watched()


def test_gaps_are_between_pieces_and_not_before_the_first(one: Watched) -> None:
    """However long the bot thinks before it begins."""
    for second in (110.0, 110.2, 110.4, 112.0):
        one.s = second
        one.meter.saw(0, PIECE)

    assert (3, pytest.approx(2.0)) == (sum(one.meter.gaps), one.meter.gaps_s)
    assert 2 == one.meter.gaps[5]


def test_gaps_are_those_of_one_reply(one: Watched) -> None:
    """Several replies at once would seem to come without any."""
    for second, index in ((110.0, 0), (110.1, 1), (112.0, 0)):
        one.s = second
        one.meter.saw(index, PIECE)

    assert 1 == sum(one.meter.gaps)


def test_a_text_that_is_heard_counts_as_one_that_is_seen(one: Watched) -> None:
    """The short way of a running stream tells no less than the long one."""
    other = Watched()
    for watched in (one, other):
        watched.meter.saw(0, PIECE)
        watched.s += 0.3
    one.meter.saw(0, [TextDelta("and more"), Pause()])
    other.meter.heard("and more")

    assert one.meter.gaps == other.meter.gaps
    assert one.meter.row("r", Usage(), 1.0) == other.meter.row("r", Usage(), 1.0)
    assert 3 == one.meter.guessed_completion() == other.meter.guessed_completion()


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("a"),
        ReasoningDelta("hm"),
        ToolCallDelta(position=0, call_id="c", name="f", arguments=""),
        FileEvent(url="u", content_type="image/png", name="a"),
    ],
)
def test_the_first_token_is_the_first_of_any_output(one: Watched, event: TextDelta) -> None:
    """A pause is none, and what comes later is not the first."""
    one.meter.saw(0, [Pause()])
    assert not one.meter.has_output
    for second in (100.25, 107.0):
        one.s = second
        one.meter.saw(0, [event, Pause()])

    assert one.meter.has_output
    assert 0.25 == one.meter.row("r", Usage(), 1.0).first_token_s
    assert 250 == one.meter.facts()["first_token_ms"]


def test_it_is_told_once_that_all_is_over(one: Watched) -> None:
    """What the answer has taken ends there."""
    one.s = 103.0
    one.meter.saw(0, [TextDelta("hi"), Finish()])
    one.s = 104.0
    one.meter.ended()

    assert [one.meter] == one.over
    assert (4.0, OK) == (one.meter.row("r", Usage(), 1.0).total_s, one.meter.outcome)


@pytest.mark.parametrize(
    ("said", "outcome"), [(OK, ErrorKind.CLIENT_GONE.value), ("internal", "internal")]
)
def test_an_answer_that_nobody_reads_on_was_left(one: Watched, said: str, outcome: str) -> None:
    """Unless the request knows better."""
    one.meter.saw(0, PIECE)
    one.about.line.outcome = said
    one.meter.ended()

    assert outcome == one.meter.outcome


def test_the_first_fault_is_the_outcome(one: Watched) -> None:
    """What fails behind it only follows from it."""
    for kind in (ErrorKind.INVALID_REQUEST, ErrorKind.CLIENT_GONE):
        one.meter.saw(0, [Failure(ClientError(kind, "So it is."))])
    one.meter.ended()

    assert ErrorKind.INVALID_REQUEST.value == one.meter.outcome


def test_usage_of_several_answers_is_added(one: Watched) -> None:
    """Points follow from it, at the bot's prices."""
    for tokens in (1000, 500):
        one.meter.saw(0, [Usage(prompt_tokens=tokens, completion_tokens=tokens)])
    row = one.meter.row("r", Usage(prompt_tokens=9), points_per_usd=1000)

    assert (1500, 1500, True) == (row.prompt_tokens, row.completion_tokens, row.points_estimated)
    assert 1500 * (0.00003 + 0.00006) * 1000 == pytest.approx(row.points)


def test_calls_and_files_are_counted(one: Watched) -> None:
    """A call that comes in pieces is one."""
    call = ToolCallDelta(position=0, call_id="c", name="f", arguments='{"a"')
    rest = replace(call, call_id="", name="", arguments=": 1}")
    one.meter.saw(0, [call, rest, FileEvent(url="u", content_type="image/png", name="a")])
    row = one.meter.row("r", Usage(), 1.0)

    assert (1, 1) == (row.tool_calls, row.files_out)
    assert 2 == one.meter.guessed_completion()


def test_of_a_recorded_answer_only_the_beginning_is_kept() -> None:
    """And of what was asked the end, once, however many answers were wanted."""
    asked = Prompt(bot="Echo", messages=(Message(role="user", parts=(Text("a?"),)),))
    recorder = Recorder([asked, asked])
    recorder.saw(0, [TextDelta("b"), ReasoningDelta("hm"), Pause()])
    recorder.heard("c" * MOST_LETTERS)
    recorder.heard("not this")

    assert 1 == recorder.prompt.count("a?")
    assert "b" + "c" * MOST_LETTERS == recorder.text
