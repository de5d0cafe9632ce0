"""The scanner: finds literal markers in text that arrives in pieces, and holds back only doubt.

Which marker? The one that is complete first, and of two that are complete at the same letter the
longer one. This rule needs no look ahead, so where the text is cut changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Found(NamedTuple):
    """What a piece of text made certain.

    Attributes:
        text: text that is no part of any marker, ready to go.
        marker: the marker that ended it, or empty if none did.
        rest: what came behind the marker, not yet looked at; empty if there was no marker.
    """

    text: str
    marker: str
    rest: str


class Scanner:
    """Looks for the first of some markers; can be used again behind each one it found."""

    def __init__(self, markers: Iterable[str]) -> None:
        """Empty markers are ignored: they would be everywhere."""
        self._markers = tuple(marker for marker in markers if marker)
        self._held = ""

    def concerns(self, text: str) -> bool:
        """Whether a marker may be open in front of the text or begin in it."""
        return bool(self._held) or any(marker[0] in text for marker in self._markers)

    def feed(self, text: str) -> Found:
        """Take the next piece; give all text that can no longer become a marker."""
        text = self._held + text
        marker, start = self._first(text)
        if marker:
            self._held = ""
            return Found(text[:start], marker, text[start + len(marker) :])
        certain = len(text) - max((_tail(text, marker) for marker in self._markers), default=0)
        self._held = text[certain:]
        return Found(text[:certain], "", "")

    def end(self) -> str:
        """The text that was held back, now that it cannot become a marker any more."""
        held, self._held = self._held, ""
        return held

    def _first(self, text: str) -> tuple[str, int]:
        """The marker that is complete first, and where it starts; ("", -1) if there is none."""
        best, best_start, best_end = "", -1, len(text) + 1
        for marker in self._markers:
            start = text.find(marker, 0, best_end)
            if start < 0:
                continue
            end = start + len(marker)
            if end < best_end or len(marker) > len(best):
                best, best_start, best_end = marker, start, end
        return best, best_start


def _tail(text: str, marker: str) -> int:
    """How many of the last letters of `text` are the first letters of `marker`, but not all."""
    start = text.find(marker[0], max(0, len(text) - len(marker) + 1))
    while start >= 0:
        if marker.startswith(text[start:]):
            return len(text) - start
        start = text.find(marker[0], start + 1)
    return 0
