"""The characters of an answer as they come in, and the small readers that all others are made of.

A reader takes what it has understood and waits for more where it has not: whatever is decided is
decided on the same characters, however the answer was cut.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Set
from typing import TypeVar

from poeflask.filters.tool_calls.tags import CALL_TAGS, Tag, look

T = TypeVar("T")
Steps = Generator[None, None, T]
"""A reader: yields when it needs more characters, returns what it read."""

MAX_RECORD_CHARS = 8 * 1024 * 1024
"""The longest call that is held; a longer one is text."""

CDATA = "<![CDATA["
CDATA_END = "]]>"
FENCE_SIZE = 3
"""The fewest backticks or tildes of a code fence."""

_MAX_RUN = 64
_RUN = re.compile(r"`{1,64}|~{1,64}")
_MAX_SHORT_TEXT = 200
_MAX_WORD = 128
_WORD = re.compile(r"[\w.:/-]{1,128}")
_SEPARATORS = " \t\r\n,;*\u200b\u200c\u200d\u2060\ufeff"
_END_SIGN = re.compile("[<`]")


class NotACallError(Exception):
    """What was read is no call after all: it is text."""


class BrokenCallError(ValueError):
    """A call that cannot be read; the message is a sentence that tells the bot why."""


class Source:
    """What has come and is not yet taken.

    Attributes:
        text: what has come; what stands before `at` is taken.
        at: the place of the next character.
        ended: nothing more will come.
        truncated: what has come was cut off, so that nothing unfinished may be completed.
    """

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.ended = False
        self.truncated = False
        self._record: list[str] | None = None
        self._recorded_chars = 0

    def feed(self, text: str) -> None:
        """The next characters."""
        self.text = self.text[self.at :] + text
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        """The character that many places ahead; empty if it has not come."""
        place = self.at + ahead
        return self.text[place : place + 1]

    def comes(self, text: str) -> Steps[bool]:
        """Whether this text comes next. Takes nothing."""
        while self.left < len(text) and text.startswith(self.text[self.at :]) and not self.ended:
            yield
        return self.text.startswith(text, self.at)

    @property
    def left(self) -> int:
        """How many characters are waiting."""
        return len(self.text) - self.at

    def take(self, count: int) -> str:
        """The next so many characters.

        Raises:
            NotACallError: the record has become too long to be one call.
        """
        taken = self.text[self.at : self.at + count]
        self.at += len(taken)
        if self._record is not None and taken:
            self._record.append(taken)
            self._recorded_chars += len(taken)
            if self._recorded_chars > MAX_RECORD_CHARS:
                raise NotACallError
        return taken

    @property
    def records(self) -> bool:
        """Whether what is taken is remembered."""
        return self._record is not None

    def record(self) -> None:
        """Remember what is taken from here on."""
        self._record = []
        self._recorded_chars = 0

    def forget(self) -> None:
        """Stop remembering."""
        self._record = None

    def recorded(self) -> str:
        """What was taken since `record`, which ends; empty after `forget`."""
        taken = "".join(self._record or ())
        self._record = None
        return taken

    def put_back(self, text: str) -> None:
        """Undo the taking of this text, the last that was taken."""
        self.text = text + self.text[self.at :]
        self.at = 0
        if self._record is not None:
            kept = "".join(self._record)
            kept = kept[: len(kept) - len(text)]
            self._record = [kept]
            self._recorded_chars = len(kept)

    def tag(self, ahead: int, known: Set[str]) -> Steps[Tag | None]:
        """The tag that begins that many places ahead; None if no known one does. Takes nothing."""
        while True:
            found, may_come = look(self.text, self.at + ahead, known)
            if found is not None or not may_come or self.ended:
                return found
            yield

    def past_space(self, ahead: int, limit: int) -> Steps[int | None]:
        """How far ahead the next character that is no space is; None if too far. Takes nothing.

        At the end of the answer it is where the characters end.
        """
        place = ahead
        while True:
            while self.peek(place).isspace():
                place += 1
                if place - ahead > limit:
                    return None
            if self.peek(place) or self.ended:
                return place
            yield

    def more(self) -> Steps[bool]:
        """Wait for the next character; false if the answer has ended."""
        while not self.left:
            if self.ended:
                return False
            yield
        return True

    def skip(self, text: str) -> Steps[bool]:
        """Take this text if it comes next; false if it does not."""
        if not (yield from self.comes(text)):
            return False
        self.take(len(text))
        return True

    def skip_space(self) -> Steps[None]:
        """Take spaces, what stands between calls in a list, and the end of a CDATA section."""
        while (yield from self.more()):
            if is_between_calls(self.peek()):
                self.take(1)
            elif not (yield from self.skip(CDATA_END)):
                return

    def run_size(self) -> Steps[int]:
        """How many backticks, or tildes, stand here in a row. Takes nothing."""
        return (yield from self._span(_RUN, _MAX_RUN))

    def word(self) -> Steps[str]:
        """Take a name, which may have dots, colons and slashes; empty if there is none."""
        return self.take((yield from self._span(_WORD, _MAX_WORD)))

    def text_before(self, sign: re.Pattern[str]) -> Steps[str]:
        """Take the text up to the next such sign, or up to the answer's end."""
        pieces: list[str] = []
        while (yield from self.more()):
            found = sign.search(self.text, self.at)
            pieces.append(self.take((found.start() if found else len(self.text)) - self.at))
            if found:
                break
        return "".join(pieces)

    def rest_of_call(self) -> Steps[str]:
        """Take the text up to a tag of calls, a fence, or the answer's end."""
        pieces = [(yield from self.text_before(_END_SIGN))]
        while self.left and not (yield from self._is_end_of_call()):
            pieces.append(self.take(1))
            pieces.append((yield from self.text_before(_END_SIGN)))
        return "".join(pieces)

    def short_text(self, name: str) -> Steps[str]:
        """Take the text of a small element of this name, whose opening tag is taken already.

        Raises:
            NotACallError: it is not small, or something else stands in it.
        """
        while "<" not in self.text[self.at :]:
            if self.ended or self.left > _MAX_SHORT_TEXT:
                raise NotACallError
            yield
        text = self.take(self.text.index("<", self.at) - self.at)
        tag = yield from self.tag(0, frozenset({name}))
        if tag is None or not tag.closing:
            raise NotACallError
        self.take(tag.size)
        return text.strip()

    def skip_fence_line(self) -> Steps[bool]:
        """Take a line of a fence around what is inside of tags; false if there is none."""
        size = yield from self.run_size()
        if size < FENCE_SIZE:
            return False
        self.take(size)
        yield from self.word()
        return True

    def is_cut_closer(self, ahead: int) -> bool:
        """Whether the answer ends that many places ahead within a closing tag."""
        rest = self.text[self.at + ahead :]
        return self.ended and rest.startswith("</") and ">" not in rest

    def _is_end_of_call(self) -> Steps[bool]:
        if self.peek() == "`":
            return (yield from self.run_size()) >= FENCE_SIZE
        return (yield from self.tag(0, CALL_TAGS)) is not None

    def _span(self, pattern: re.Pattern[str], limit: int) -> Steps[int]:
        """How many characters the pattern, which matches no more than the limit, has here."""
        while True:
            found = pattern.match(self.text, self.at)
            size = found.end() - self.at if found else 0
            if size < self.left or size == limit or self.ended:
                return size
            yield


def is_between_calls(text: str) -> bool:
    """Whether a text is nothing but what may stand between calls."""
    return not text.strip(_SEPARATORS)
