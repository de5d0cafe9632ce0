"""Files as links in the text."""

from __future__ import annotations

from poeflask.core.reply import FileEvent, Pause, TextDelta
from poeflask.endpoints.file_links import file_as_text


def test_a_picture_is_shown_and_another_file_is_linked():
    """Each in a paragraph of its own, under its name, for the answer it belongs to."""
    picture = FileEvent(url="https://a/b", content_type="image/png", name="a[1].png", index=2)
    sound = FileEvent(url="https://a/c", content_type="audio/mpeg", name="")

    assert TextDelta("\n\n![a(1).png](https://a/b)\n\n", 2) == file_as_text(picture)
    assert TextDelta("\n\n[file](https://a/c)\n\n") == file_as_text(sound)


def test_other_events_stay_as_they_are():
    """Nothing but a file is changed."""
    events = [TextDelta("a"), Pause()]

    assert events == [file_as_text(event) for event in events]
