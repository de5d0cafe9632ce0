"""Sets what a bot thought apart from what it answers.

Poe writes thoughts in front of the answer, as a quote block behind a mark:

    *Thinking...*

    > **Checking the data**
    >
    > First I look at ...

    The answer.

Other bots write `<think>...</think>`. Both count only at the very start of an answer, and of quote
blocks only the first: an answer may itself begin with a quote.
"""

from __future__ import annotations

import re
from typing import Literal

from poeflask.core.reply import END, Pause, ReasoningDelta, ReplyEvent, TextDelta
from poeflask.filters.markers import Scanner
from poeflask.filters.reply_side import ReplySide

Marks = Literal["quote", "tags", "any", "none"]
_Phase = Literal["start", "quote", "tag", "gap", "answer"]

_WORDS = (
    # Seen from Poe (GPT-5.5, 2026).
    r"Thinking\.\.\.",
    "Thinking…",
    # Not seen from Poe; other fronts of the same models say so.
    r"Thought\ for\ [0-9]{1,5}\.?[0-9]{0,2}\ ?s",
    r"Thought\ for\ [0-9]{1,5}\.?[0-9]{0,2}\ seconds?",
)
_WRAPPERS = ("", r"\*", "_", r"\*\*", "__")
_TAGS = {"<think>": "</think>", "<thinking>": "</thinking>"}
_BLANKS = r"\s{0,16}"
_BEHIND = r"[ \t]{0,8}\r?\n[ \t\r\n]{0,16}"


def _atoms(pattern: str) -> list[str]:
    """The pattern's single letters, each with the repetition behind it."""
    letter = r"(?:\\.|\[[^\]]*\]|.)"
    return re.findall(rf"{letter}(?:\{{[^}}]*\}}|\?)?", pattern)


def _any_start(pattern: str) -> str:
    """A pattern for all that the text may still be if it is to become the pattern."""
    start = ""
    for atom in reversed(_atoms(pattern)):
        start = f"(?:{atom}{start})?"
    return start


_LINES = [f"{wrapper}{words}{wrapper}" for words in _WORDS for wrapper in _WRAPPERS]
_QUOTE = re.compile(f"{_BLANKS}(?:{'|'.join(_LINES)}){_BEHIND}(?=>)")
_MAY_BE_QUOTE = re.compile(
    _BLANKS + "(?:" + "|".join(_any_start(line + _BEHIND) + r"\Z" for line in _LINES) + ")"
)
_TAG = re.compile(f"{_BLANKS}({'|'.join(_TAGS)})")
_MAY_BE_TAG = re.compile(_BLANKS + "(?:" + "|".join(_any_start(tag) + r"\Z" for tag in _TAGS) + ")")

_BLANK_LINE = re.compile(r"[ \t]{0,64}\r?\n")
_MAY_BE_BLANK_LINE = re.compile(r"[ \t]{0,64}\r?\Z")


class ReasoningFilter(ReplySide):
    """Turns thoughts in front of the answer into ReasoningDelta."""

    def __init__(self, marks: Marks) -> None:
        """`marks` as in `Profile.thinking_marks`."""
        self._quotes = marks in ("quote", "any")
        self._tags = marks in ("tags", "any")
        self._phase: _Phase = "start"
        self.settled = marks == "none"
        self._held = ""
        self._scanner = Scanner(())
        self._in_line = False
        self._thought = False
        # Line breaks at the end of the thoughts so far: part of them only if more follows.
        self._breaks: list[str] = []

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case TextDelta():
                text, self._held = self._held + event.text, ""
                self._read(text, given)
            case Pause():
                given.append(event)
            case _:
                self._let_go(given, at_end=isinstance(event, END))
                given.append(event)

    def _read(self, text: str, given: list[ReplyEvent]) -> None:
        match self._phase:
            case "start":
                self._start(text, given)
            case "quote":
                self._quote(text, given)
            case "tag":
                self._tag(text, given)
            case "gap":
                self._gap(text, given)
            case "answer":
                given.append(TextDelta(text))

    def _start(self, text: str, given: list[ReplyEvent]) -> None:
        if self._quotes and (found := _QUOTE.match(text)):
            self._enter("quote", text[found.end() :], given)
        elif self._tags and (found := _TAG.match(text)):
            self._scanner = Scanner((_TAGS[found[1]],))
            self._enter("tag", text[found.end() :], given)
        elif self._may_be_mark(text):
            self._held = text
        else:
            self._enter("answer", text, given)

    def _may_be_mark(self, text: str) -> bool:
        return bool(
            (self._quotes and _MAY_BE_QUOTE.match(text)) or (self._tags and _MAY_BE_TAG.match(text))
        )

    def _enter(self, phase: _Phase, text: str, given: list[ReplyEvent]) -> None:
        self._phase = phase
        self.settled = phase == "answer"
        if text:
            self._read(text, given)

    def _quote(self, text: str, given: list[ReplyEvent]) -> None:
        place = 0
        while place < len(text):
            if not self._in_line:
                if not text.startswith(">", place):
                    self._enter("gap", text[place:], given)
                    return
                if place + 1 == len(text):
                    self._held = ">"
                    return
                place += 2 if text.startswith(" ", place + 1) else 1
            line_end = text.find("\n", place) + 1
            self._in_line = line_end == 0
            self._think(text[place : line_end or None], given)
            place = line_end or len(text)

    def _tag(self, text: str, given: list[ReplyEvent]) -> None:
        found = self._scanner.feed(text)
        self._think(found.text, given)
        if found.marker:
            self._enter("gap", found.rest, given)

    def _gap(self, text: str, given: list[ReplyEvent]) -> None:
        place = 0
        while blank := _BLANK_LINE.match(text, place):
            place = blank.end()
        if _MAY_BE_BLANK_LINE.match(text, place):
            self._held = text[place:]
        else:
            self._enter("answer", text[place:], given)

    def _think(self, text: str, given: list[ReplyEvent]) -> None:
        if not self._thought:
            text = text.lstrip("\r\n")
        certain = text.rstrip("\r\n")
        if certain:
            given.append(ReasoningDelta("".join(self._breaks) + certain))
            self._breaks.clear()
            self._thought = True
        if len(certain) < len(text):
            self._breaks.append(text[len(certain) :])

    def _let_go(self, given: list[ReplyEvent], *, at_end: bool) -> None:
        """Give what is held, so that the next event does not overtake it."""
        match self._phase:
            case "start" if self._held:
                text, self._held = self._held, ""
                self._enter("answer", text, given)
            case "tag":
                self._think(self._scanner.end(), given)
            case "gap" if self._held and not at_end:
                text, self._held = self._held, ""
                self._enter("answer", text, given)
            case _:
                pass
