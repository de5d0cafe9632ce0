"""Replacing text is provisional, progress is no answer, and what was sent is only added to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import FileEvent, Finish, Note, Pause, Replace, TextDelta, ToolCallDelta
from poeflask.filters.replacements import Replacements
from tests.filters.laws import (
    broken,
    check_laws,
    every_cut,
    joined,
    letters,
    recut,
    settle,
    settle_batches,
    side_events,
    strangers,
    streams,
    text_of,
)

PROGRESS = (
    "Generating image (3s elapsed)...",
    "Generating image... (12 seconds)",
    "*Generating video…*",
    "Drawing a picture (3s)",
    "绘制中..",
    "正在生成图片...",
)
SPINNERS = (
    "Searching ...",
    "Searching the web for cats...",
    "Thinking...",
    "*Thinking...*",
    "思考中…",
)
PIECES = (*PROGRESS, *SPINNERS, "Gener", "Searching", "\n", "Hello", "![a][ref]", "...", "*")

file = FileEvent(url="https://x.example/a.png", content_type="image/png", name="a.png")
note = Note("suggested_reply", {"text": "More?"})
call = ToolCallDelta(position=0, call_id="call_1", name="f")


def said(*events):
    """The joined text of an answer that ends well."""
    return text_of(settle(Replacements(), [*events, Finish()]))


@given(st.data(), st.booleans())
def test_laws(data, buffered):
    """One end, cuts mean nothing, others pass in order, no Replace is left."""
    replaces = st.one_of(st.sampled_from(("", *PIECES)), st.text(max_size=3)).map(Replace)
    stream = data.draw(streams(PIECES, st.one_of(side_events, replaces)))
    got = check_laws(lambda: Replacements(buffered=buffered), stream, data.draw(recut(stream)))

    assert not any(isinstance(event, Replace) for event in got)
    assert strangers(stream) == strangers(got)


@given(st.data())
def test_text_without_progress_is_kept_where_it_was(data):
    """A stream with no replacement and no progress comes out as it went in."""
    stream = data.draw(streams(("Hello", "Gener", "Searching", "*Thin", "\n")))

    assert joined(stream) == joined(settle(Replacements(), stream))


def test_text_flows_at_once():
    """An answer that begins like no progress line is not held."""
    assert [TextDelta("Hello")] == Replacements().feed([TextDelta("Hello")])


@pytest.mark.parametrize("status", PROGRESS)
def test_progress_before_the_answer_is_not_shown(status):
    """Neither as text nor as a replacement, and wherever it is cut."""
    assert "Done." == said(Replace(status), Replace("Done."))
    assert "![a](u)" == said(TextDelta(status), TextDelta("![a](u)"))
    for pieces in every_cut(f"{status}\n\nDone."):
        assert "Done." == said(*pieces)


@pytest.mark.parametrize("status", [*PROGRESS, *SPINNERS])
def test_a_replacement_voids_progress_that_came_as_text(status):
    """The status line was held, so it can be forgotten."""
    assert "Done." == said(TextDelta(status), Replace("Done."))


@pytest.mark.parametrize("status", [*PROGRESS, *SPINNERS])
def test_an_answer_of_progress_only_is_given_back(status):
    """If there is nothing else, it is all there is to say."""
    assert status == said(TextDelta(status))
    assert status == said(Replace("other"), Replace(status))


@pytest.mark.parametrize("status", [*PROGRESS, *SPINNERS])
def test_progress_in_front_of_a_failure_is_dropped(status):
    """Otherwise the failure would look like the end of an answer."""
    assert [broken] == settle(Replacements(), [Replace(status), broken])
    assert [note, broken] == settle(Replacements(), [TextDelta(status), note, broken])


@pytest.mark.parametrize("status", PROGRESS)
def test_progress_beside_a_file_is_dropped(status):
    """The file is the answer."""
    assert [file, Finish()] == settle(Replacements(), [TextDelta(status), file, Finish()])
    assert [file, Finish()] == settle(Replacements(), [file, TextDelta(status), Finish()])


@pytest.mark.parametrize(
    "text",
    [
        "Generating images takes time.",
        "Generating image... is what it says.",
        "Searching ... for the holy grail\nis a hobby.",
        "Drawing a picture...\nThe child smiled.",
        "I am Generating image (3s elapsed)...\nnow",
        "Thinking...\n\nNo.",
        "*Thinking...*\n\n> I\n\nYes.",
    ],
)
def test_an_answer_that_contains_such_words_passes(text):
    """Only a whole line of progress at the very start is none."""
    assert text == said(TextDelta(text))
    assert text == said(*(event for batch in letters([TextDelta(text)]) for event in batch))
    assert text == said(Replace(text))


def test_the_rest_of_a_replacement_that_goes_on_is_sent():
    """What the client has seen is not said twice."""
    got = settle(Replacements(), [TextDelta("Hello"), Replace("Hello, you"), Finish()])

    assert [TextDelta("Hello"), TextDelta(", you"), Finish()] == got


def test_a_rewrite_is_a_new_paragraph():
    """A client cannot forget."""
    assert "Cats.\n\nDogs." == said(TextDelta("Cats."), Replace("Birds"), Replace("Dogs."))
    assert "Cats.\n\nDogs." == said(TextDelta("Cats."), Replace("Do"), TextDelta("gs."))


def test_an_answer_told_again_is_compared_letter_by_letter():
    """A bot that wipes its text and starts over is not repeated."""
    for pieces in every_cut("Hello, you"):
        assert "Hello, you" == said(TextDelta("Hello"), Replace(""), *pieces)
    assert "Hello" == said(TextDelta("Hello"), Replace("Hel"))
    assert "Hello\n\nHelp" == said(TextDelta("Hello"), Replace("Hel"), TextDelta("p"))


def test_every_step_of_a_diffusion_bot_is_provisional():
    """Only the last step is sent."""
    assert "a b c" == said(Replace("_ b _"), Replace("a b _"), Replace("a b c"))


def test_text_settles_a_replacement():
    """What follows a replacing text belongs to it, and is not held."""
    filter_ = Replacements()

    assert [Pause()] == filter_.feed([Replace("One"), Pause()])
    assert [TextDelta("One"), TextDelta(" two")] == filter_.feed([TextDelta(" two")])
    assert [TextDelta("!")] == filter_.feed([TextDelta("!")])


def test_other_output_settles_a_replacement():
    """A tool call behind a replacing text stays behind it."""
    stream = [Replace("One"), call, Finish()]

    assert [TextDelta("One"), call, Finish()] == settle(Replacements(), stream)


def test_a_note_waits_behind_held_text():
    """Only a pause may overtake."""
    stream = [Replace("One"), note, Pause(), TextDelta(" two"), Finish()]

    assert [Pause(), TextDelta("One"), note, TextDelta(" two"), Finish()] == settle(
        Replacements(), stream
    )


def test_a_buffered_bot_is_silent_until_the_end():
    """Nothing but pauses before the end; then the last version, in order with all else."""
    filter_ = Replacements(buffered=True)

    assert [Pause()] == filter_.feed([TextDelta("One"), file, Pause(), TextDelta(" two")])
    assert [file] == filter_.feed([Replace("Three"), call])
    assert [TextDelta("Three"), call, Finish()] == filter_.feed([Finish()])


def test_a_long_answer_told_again_costs_little():
    """Comparing is linear, also in small pieces."""
    text = "The quick brown fox. " * 10_000
    pieces = [[TextDelta(text[at : at + 4])] for at in range(0, len(text), 4)]
    stream = [[TextDelta(text)], [Replace("")], *pieces, [TextDelta("!")], [Finish()]]

    assert text + "!" == text_of(settle_batches(Replacements(), stream))
