"""How far a bot has come, for dialects that can say so.

Bots that make pictures and films tell of their progress by text that they replace ("Generating
video (12s elapsed)...", a first blurred picture). The filter of replacements swallows all of that,
as it must; this one stands before it and puts a Note in front of each such event:

- "progress", with the line as `text`: a known line, or a replacing one that counts in per cent;
- "preview", with `url` and `content_type` of a picture that a replacing text shows.
"""

from __future__ import annotations

import re

from poeflask.core.reply import FileEvent, Note, Replace, ReplyEvent, TextDelta
from poeflask.filters.replacements import is_progress
from poeflask.filters.reply_side import ReplySide

_CITED = re.compile(
    r"!\[[^\[\]\n]{0,500}\](?:\[([^\[\]\n]{1,200})\]|\((https://[^\s()<>]{1,3000})\))"
)
_PERCENT = re.compile(r"[^\n]{0,150}\b\d{1,3}\s?%[^\n]{0,50}")
_LONGEST_LINE = 200


class Progress(ReplySide):
    """Puts Notes of progress beside the events that tell of it; changes nothing else."""

    def __init__(self) -> None:
        self._files: dict[str, FileEvent] = {}
        self._text = ""

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case FileEvent():
                self._files[event.inline_ref] = event
            case TextDelta():
                self._text = (self._text + event.text)[: _LONGEST_LINE + 1]
                given.extend(_progress(self._text, is_progress(self._text)))
            case Replace():
                self._text = event.text[: _LONGEST_LINE + 1]
                counts = _PERCENT.fullmatch(self._text.strip()) is not None
                given.extend(_progress(self._text, counts or is_progress(self._text)))
                given.extend(self._previews(event.text))
            case _:
                pass
        given.append(event)

    def _previews(self, text: str) -> list[Note]:
        return [
            Note("preview", {"url": url, "content_type": content_type})
            for ref, link in _CITED.findall(text)
            for url, content_type in (self._file(ref, link),)
            if url
        ]

    def _file(self, ref: str, link: str) -> tuple[str, str]:
        file = self._files.get(ref) if ref else None
        return (link, "image/*") if file is None else (file.url, file.content_type)


def _progress(text: str, tells: bool) -> list[Note]:
    return [Note("progress", {"text": text.strip()})] if tells else []
