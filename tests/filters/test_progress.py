"""Notes of progress beside the events that tell of it."""

from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.reply import FileEvent, Finish, Note, Replace, TextDelta
from poeflask.filters.files import files_filter
from poeflask.filters.progress import Progress
from poeflask.filters.replacements import Replacements
from tests.filters.laws import check_laws, recut, settle, streams

LINE = "Generating video (12s elapsed)..."
FILE = FileEvent(url="https://x/1", content_type="image/png", name="1.png", inline_ref="r1")
PREVIEW = Note("preview", {"url": "https://x/1", "content_type": "image/png"})


def told(text):
    """The Note of a progress line."""
    return Note("progress", {"text": text})


def test_a_replacing_line():
    """The Note stands in front of its event, which stays."""
    events = [Replace(LINE), Replace("Done"), Finish()]

    assert [told(LINE), *events] == settle(Progress(), events)


def test_a_line_in_pieces():
    """A line that comes as text is told of once it is whole."""
    events = [TextDelta(LINE[:9]), TextDelta(LINE[9:]), Finish()]

    assert [events[0], told(LINE), *events[1:]] == settle(Progress(), events)


def test_a_line_in_per_cent():
    """A replacing line that counts is progress, whatever its words; as text it may be an answer."""
    events = [TextDelta("Growth: 45 %"), Replace("Frames: 45 %"), Replace("45 %\nof all"), Finish()]

    assert [events[0], told("Frames: 45 %"), *events[1:]] == settle(Progress(), events)


def test_a_cited_picture():
    """A replacing text that shows a file is a preview of it."""
    events = [FILE, Replace("![1.png][r1]"), Finish()]

    assert [FILE, PREVIEW, events[1], Finish()] == settle(Progress(), events)


def test_a_linked_picture():
    """So is one that shows a picture by its link; an unknown reference shows nothing."""
    note = Note("preview", {"url": "https://x/2", "content_type": "image/*"})
    events = [Replace("![a](https://x/2) ![b][nobody]"), Finish()]

    assert [note, *events] == settle(Progress(), events)


def test_an_answer_is_no_progress():
    """Text as such makes no Notes."""
    events = [TextDelta("A story. "), TextDelta(LINE), Replace("Another story."), Finish()]

    assert events == settle(Progress(), events)


def test_notes_come_through_the_filters_behind():
    """Replacements swallow the lines and let the Notes through, before the next line has come."""
    chain = [Progress(), Replacements(), files_filter(as_text=False)]
    seen = []
    for event in (Replace(LINE), Replace(LINE), FILE, Replace("![1.png][r1]"), Finish()):
        batch = [event]
        for filter_ in chain:
            batch = filter_.feed(batch)
        seen.append(batch)

    assert [[told(LINE)], [told(LINE)], [FILE], [PREVIEW], [Finish()]] == seen


@given(st.data())
def test_laws(data):
    """One end, nothing lost; where text is cut matters to nothing but the Notes."""
    stream = data.draw(streams(("Generating image", "Hello", " (1s)...", "![a](https://x/1)")))
    check_laws(_QuietProgress, stream, data.draw(recut(stream)))


class _QuietProgress(Progress):
    """Without the Notes of its own, which may come once more often where text is cut."""

    def feed(self, events):
        return [event for event in super().feed(events) if getattr(event, "name", "") != "progress"]
