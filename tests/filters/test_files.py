"""Citations find their files, in text dialects and in others, and nothing is shown twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import FileEvent, Finish, Pause, TextDelta, ToolCallDelta
from poeflask.filters.files import files_filter
from tests.filters.laws import (
    broken,
    check_laws,
    every_cut,
    joined,
    letters,
    recut,
    settle,
    settle_batches,
    strangers,
    streams,
    text_of,
)

STORE = "https://pfst.cf2.poecdn.net/base"
cited = FileEvent(url=f"{STORE}/image/1", content_type="image/png", name="a.png", inline_ref="ref")
sound = FileEvent(url="https://x.example/b.mp3", content_type="audio/mpeg", name="b.mp3")
picture = FileEvent(url="https://x.example/c.png", content_type="image/png", name="c.png")
call = ToolCallDelta(position=0, call_id="call_1", name="f")
PIECES = (
    "![a][ref]",
    "![a][other]",
    "![",
    "][",
    "!",
    "]",
    " ",
    "\n",
    "text",
    f"![i]({STORE}/image/2?w=1&h=1)",
    f"{STORE}/audio/3",
    "https://",
    "(",
    ")",
)


@given(st.data(), st.booleans())
def test_laws(data, as_text):
    """One end, cuts mean nothing, others pass in order."""
    stream = data.draw(streams(PIECES))
    got = check_laws(lambda: files_filter(as_text=as_text), stream, data.draw(recut(stream)))

    assert strangers(stream) == strangers(got)


@given(st.data())
def test_without_files_text_is_what_it_was(data):
    """References that never resolve come out as they came."""
    stream = data.draw(streams(PIECES[:9], st.nothing()))

    assert joined(stream) == joined(settle(files_filter(as_text=True), stream))
    assert joined(stream) == joined(settle(files_filter(as_text=False), stream))


@given(st.data())
def test_every_file_is_shown_once(data):
    """As an event or as a link in the text, in whatever company it comes."""
    stream = data.draw(streams(PIECES))
    urls = {event.url for event in stream if isinstance(event, FileEvent)}
    text = text_of(settle(files_filter(as_text=True), stream))
    shown = [e.url for e in settle(files_filter(as_text=False), stream) if isinstance(e, FileEvent)]

    assert all(url in text for url in urls)
    assert urls <= set(shown)
    assert len(set(shown)) == len(shown)


def test_a_citation_becomes_a_link():
    """Wherever it is cut, and the file is not linked again behind the text."""
    for pieces in every_cut("See ![a cat!][ref]."):
        got = settle(files_filter(), [cited, *pieces, Finish()])

        assert f"See ![a cat!]({STORE}/image/1)." == text_of(got)
        assert [] == [event for event in got if isinstance(event, FileEvent)]


def test_a_citation_leaves_the_text_where_files_are_events():
    """Who gets the file needs no pointer to it."""
    for pieces in every_cut("See ![a][ref]."):
        got = settle(files_filter(as_text=False), [cited, *pieces, Finish()])

        assert [cited, TextDelta("See ."), Finish()] == joined(got)


def test_only_what_may_be_a_citation_is_held():
    """The text around a citation goes on at once."""
    filter_ = files_filter()

    assert [TextDelta("Hello ")] == filter_.feed([TextDelta("Hello !")])
    assert [TextDelta("! ")] == filter_.feed([TextDelta(" ![a][re")])
    assert [TextDelta("![a][re\n")] == filter_.feed([TextDelta("\n")])
    assert [TextDelta("[a](b)")] == filter_.feed([TextDelta("[a](b)")])


def test_files_without_citation_are_linked_behind_the_text():
    """Pictures are shown, other files are linked; also if the answer broke off."""
    links = "![c.png](https://x.example/c.png)\n\n[b.mp3](https://x.example/b.mp3)"

    assert [TextDelta(f"Hi\n\n{links}"), Finish()] == joined(
        settle(files_filter(), [picture, TextDelta("Hi"), sound, Finish()])
    )
    assert [TextDelta(links), broken] == joined(
        settle(files_filter(), [picture, sound, sound, broken])
    )


def test_a_file_that_the_text_already_links_is_not_linked_again():
    """Some bots write the link and send the file too."""
    text = TextDelta("[b](https://x.example/b.mp3)")

    assert [text, Finish()] == settle(files_filter(), [sound, text, Finish()])


def test_names_and_addresses_cannot_break_the_link():
    """Brackets and line breaks would end it early."""
    file = FileEvent(url="https://x.example/a (1).pdf", content_type="a/b", name="a]\n[b")

    assert "[a) (b](https://x.example/a%20%281%29.pdf)" == text_of(
        settle(files_filter(), [file, Finish()])
    )


@pytest.mark.parametrize(
    ("text", "names", "types"),
    [
        (f"{STORE}/audio/abc", ["abc"], ["audio/*"]),
        (f"![cat]({STORE}/image/abc?w=1)", ["cat"], ["image/*"]),
        (f"![cat]({STORE}/image/abc)\n\n{STORE}/image/abc\n", ["cat"], ["image/*"]),
        (
            f"[a]({STORE}/video/a) {STORE}/application/b",
            ["a", "b"],
            ["video/*", "application/octet-stream"],
        ),
    ],
)
def test_an_answer_of_links_only_is_files(text, names, types):
    """Where files are events; wherever the text is cut."""
    for pieces in every_cut(text):
        got = settle_batches(
            files_filter(as_text=False), [[piece] for piece in [*pieces, Finish()]]
        )

        assert names == [event.name for event in got[:-1]]
        assert types == [event.content_type for event in got[:-1]]


@pytest.mark.parametrize(
    "text",
    [
        f"Here: {STORE}/audio/abc",
        f"{STORE}/audio/abc is it",
        f"![cat]({STORE}/image/abc) A cat.",
        "https://poecdn.net.evil.example/a",
        "https://evil.example/.poecdn.net/a",
        "https://a@evil.example/poecdn.net/",
        "https://evilpoecdn.net/a",
        "http://pfst.cf2.poecdn.net/a",
        "![cat](https://x.example/a.png)",
        " " * 100 + f"{STORE}/audio/abc",
        f"{STORE}/audio/abc " * 200,
    ],
)
def test_other_answers_with_links_stay_text(text):
    """Only Poe's own store counts, and only if there is nothing else."""
    stream = [TextDelta(text), Finish()]

    assert stream == joined(settle(files_filter(as_text=False), stream))
    assert stream == joined(settle_batches(files_filter(as_text=False), letters(stream)))
    assert stream == joined(settle(files_filter(as_text=True), stream))


def test_a_file_that_was_sent_and_linked_is_shown_once():
    """The event wins, the link in the text is dropped."""
    stream = [cited, TextDelta(f"{STORE}/image/1"), Finish()]

    assert [cited, Finish()] == settle(files_filter(as_text=False), stream)


def test_held_text_goes_before_any_other_event():
    """Only a pause may overtake."""
    stream = [TextDelta("![a"), Pause(), call, TextDelta("][ref]"), Finish()]
    kept = [Pause(), TextDelta("![a"), call, TextDelta("][ref]"), Finish()]

    assert kept == settle(files_filter(as_text=True), stream)
    assert kept == settle(files_filter(as_text=False), stream)
