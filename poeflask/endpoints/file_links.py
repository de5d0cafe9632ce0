"""Files in dialects that have no other place for them than the text."""

from __future__ import annotations

from poeflask.core.blocks import link
from poeflask.core.reply import FileEvent, ReplyEvent, TextDelta


def file_as_text(event: ReplyEvent) -> ReplyEvent:
    """A file as a Markdown link in a paragraph of its own; any other event as it is."""
    return TextDelta(link(event), event.index) if isinstance(event, FileEvent) else event
