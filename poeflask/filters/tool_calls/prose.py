"""The text around calls, which goes on as it comes, and where in it a call may begin.

Inside of fences and inline code a tag is not a tag. Behind a call no text is wanted: it means that
the calls are complete.
"""

from __future__ import annotations

import re

from poeflask.filters.tool_calls.reading import EnoughError, Output
from poeflask.filters.tool_calls.source import FENCE_SIZE, Source, Steps, is_between_calls

_SIGN = re.compile(r"[<`~&\[]")
_LINE_END = re.compile(r"[ \t]*\r?(?:\n|\Z)")
_LINE_END_MAY_COME = re.compile(r"[ \t]*\r?\Z")


class Prose:
    """Gives text to the output, and keeps track of lines, inline code and fences."""

    def __init__(self, source: Source, output: Output) -> None:
        self._source = source
        self._output = output
        self._line_is_blank = True
        self._code_size = 0

    @property
    def in_code(self) -> bool:
        """Whether what comes next stands in inline code."""
        return self._code_size > 0

    def say(self, text: str) -> None:
        """Add a text that is no call.

        Raises:
            EnoughError: calls came before it.
        """
        if not text:
            return
        if self._output.calls:
            if is_between_calls(text):
                return
            raise EnoughError
        self._output.say(text)
        _, line_break, last_line = text.rpartition("\n")
        if line_break:
            self._code_size = 0
            self._line_is_blank = True
        self._line_is_blank = self._line_is_blank and not last_line.strip()

    def take(self, count: int) -> None:
        """Take the next so many characters as text."""
        self.say(self._source.take(count))

    def to_sign(self) -> Steps[str]:
        """Take text up to a character that may begin something: that; empty at the end."""
        source = self._source
        while (yield from source.more()):
            found = _SIGN.search(source.text, source.at)
            self.take((found.start() if found else len(source.text)) - source.at)
            if found:
                return found[0]
        return ""

    def may_open_fence(self, size: int) -> bool:
        """Whether a run of so many backticks or tildes here opens a fence."""
        return size >= FENCE_SIZE and self._line_is_blank and not self.in_code

    def take_run(self, size: int) -> None:
        """Take a run of backticks, which open or close inline code, or of tildes."""
        if self._source.peek() == "`":
            self._code_size = 0 if self._code_size == size else self._code_size or size
        self.take(size)

    def take_fence(self, size: int) -> Steps[None]:
        """Take a fence, opened by a run of this size, up to its closing line."""
        source = self._source
        sign = re.compile(source.peek())
        self.take(size)
        self._line_is_blank = False
        while (yield from source.more()):
            found = sign.search(source.text, source.at)
            self.take((found.start() if found else len(source.text)) - source.at)
            if found and (yield from self._take_closing_run(size)):
                return

    def _take_closing_run(self, size: int) -> Steps[bool]:
        """Take a run; true if it closes a fence of this size."""
        run = yield from self._source.run_size()
        may_close = run >= size and self._line_is_blank
        closes = may_close and (yield from self._line_ends_after(run))
        self.take(run)
        return closes

    def _line_ends_after(self, count: int) -> Steps[bool]:
        source = self._source
        while True:
            place = source.at + count
            if source.ended or not _LINE_END_MAY_COME.match(source.text, place):
                return _LINE_END.match(source.text, place) is not None
            yield
