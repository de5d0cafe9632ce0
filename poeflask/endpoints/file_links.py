"""Files in dialects that have no other place for them than the text."""

from __future__ import annotations

from poeflask.core.reply import FileEvent, ReplyEvent, TextDelta


def file_as_text(event: ReplyEvent) -> ReplyEvent:
    """A file as a Markdown link in a paragraph of its own; any other event as it is."""
    if not isinstance(event, FileEvent):
        return event
    name = (event.name or "file").translate(_NO_BRACKETS)
    mark = "!" if event.content_type.startswith("image/") else ""
    return TextDelta(f"\n\n{mark}[{name}]({event.url})\n\n", event.index)


_NO_BRACKETS = str.maketrans("[]", "()")
