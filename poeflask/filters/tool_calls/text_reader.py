"""Reads a text between tags, as it comes: an argument that is no JSON.

Such a text may hold anything, tags and closing tags too. Where it ends:

- If its opening tag has the conversation's mark, at a closing tag with that mark: in a block,
  whose text begins on a line of its own, only at the beginning of a line.
- Else at a closing tag of its name behind which the call goes on, or ends.
- In any case where nothing but closing tags follows up to the answer's end.

Of what may become the closing tag nothing goes on; all else does at once.
"""

from __future__ import annotations

import re

from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import CDATA, BrokenCallError, Steps
from poeflask.filters.tool_calls.tags import ARGUMENTS, CALL_TAGS, PAIRED, WRAPPERS, Tag
from poeflask.filters.tool_calls.writer import CallWriter

MAX_SPACE_CHARS = 200
"""How much space is looked through for what follows."""

_MAX_CLOSERS = 8
_TAIL_CHARS = 48
_BLOCK_START = re.compile(r"[ \t]*\r?\n")
_BLOCK_START_MAY_COME = re.compile(r"[ \t]{0,32}\r?\Z")
_BLOCK_TAIL = re.compile(r"(?:\r?\n[ \t]{0,32}|\r)\Z")
_CDATA_TAIL = re.compile(r"(?:\]\]>\s{0,40}|\]\]?)\Z")


class TextReader:
    """Reads one text, whose opening tag is taken.

    Args:
        reading: the answer.
        writer: writes the call that the text belongs to.
        tag: the opening tag.
        keys: names of further tags by which the call may go on.
    """

    def __init__(
        self, reading: Reading, writer: CallWriter, tag: Tag, keys: frozenset[str]
    ) -> None:
        self._source = reading.source
        self._output = reading.output
        self._mark = reading.mark
        self._writer = writer
        self._is_empty = tag.empty
        self._is_marked = tag.carries(reading.mark)
        self._is_block = False
        self._in_cdata = False
        self._is_fresh = False
        self._names = ARGUMENTS if tag.name in ARGUMENTS else frozenset({tag.name})
        self._watched = self._names | CALL_TAGS
        self._followers = CALL_TAGS | ARGUMENTS | WRAPPERS | PAIRED | keys

    def read(self, key: str) -> Steps[None]:
        """Give the writer the text as the argument of this name.

        Raises:
            BrokenCallError: the answer ends inside of it.
        """
        self._writer.begin(key)
        if not self._is_empty:
            self._is_block = self._is_fresh = yield from self._skip_line_break()
            self._in_cdata = not self._is_marked and (yield from self._source.skip(CDATA))
            yield from self._read_to_end(key)
        self._writer.end()
        self._output_what_is_certain()

    def _read_to_end(self, key: str) -> Steps[None]:
        size = None
        while size is None:
            tail = yield from self._pass_to_tag(key)
            size = yield from self._closing_size(tail)
            if size is None:
                self._pass(tail + 1)
        self._source.take(size)

    def _pass_to_tag(self, key: str) -> Steps[int]:
        """Pass the text before the next tag; give how many characters before it still wait."""
        source = self._source
        while (place := source.text.find("<", source.at)) < 0:
            self._pass_up_to(len(source.text))
            if source.ended:
                raise BrokenCallError(f"it breaks off inside of the argument {key!r}.")
            yield
        return self._pass_up_to(place)

    def _pass_up_to(self, stop: int) -> int:
        tail = self._tail(stop)
        self._pass(stop - tail - self._source.at)
        return tail

    def _tail(self, stop: int) -> int:
        """How many characters before this place belong to the closing tag, if one follows."""
        source = self._source
        if not self._in_cdata and not self._is_block:
            return 0
        pattern = _CDATA_TAIL if self._in_cdata else _BLOCK_TAIL
        found = pattern.search(source.text, max(source.at, stop - _TAIL_CHARS), stop)
        return stop - found.start() if found else 0

    def _pass(self, count: int) -> None:
        if count <= 0:
            return
        self._is_fresh = False
        self._writer.text(self._source.take(count))
        self._output_what_is_certain()

    def _output_what_is_certain(self) -> None:
        if self._output.pass_on(self._writer):
            self._source.forget()

    def _skip_line_break(self) -> Steps[bool]:
        """Take the line break behind an opening tag; true if there is one."""
        source = self._source
        while True:
            found = _BLOCK_START.match(source.text, source.at)
            if found:
                source.take(found.end() - source.at)
                return True
            if source.ended or not _BLOCK_START_MAY_COME.match(source.text, source.at):
                return False
            yield

    def _closing_size(self, tail: int) -> Steps[int | None]:
        """What to take where the text ends, its tail and its closing tag; None if it goes on."""
        tag = yield from self._source.tag(tail, self._watched)
        if tag is None:
            return None
        begins_line = self._is_fresh or (tail > 0 and not self._in_cdata)
        is_marked = tag.carries(self._mark)
        if tag.closing and tag.name in self._names:
            whole = tail + tag.size
            if is_marked and (begins_line or not self._is_block):
                return whole
            ends = yield from self._is_followed(whole)
            return whole if ends else None
        if is_marked and begins_line and (tag.closing or tag.given):
            return tail
        if tag.closing and tag.name in CALL_TAGS and (yield from self._ends_answer(tail)):
            return tail
        return None

    def _is_followed(self, ahead: int) -> Steps[bool]:
        """Whether behind a closing tag the call goes on or ends: else the tag is part of a text."""
        if self._is_marked:
            return (yield from self._is_followed_by_mark(ahead))
        source = self._source
        place = yield from source.past_space(ahead, MAX_SPACE_CHARS)
        if place is None:
            return False
        if source.peek(place) != "<":
            return not source.peek(place)
        tag = yield from source.tag(place, self._followers)
        return tag is not None or source.is_cut_closer(place)

    def _is_followed_by_mark(self, ahead: int) -> Steps[bool]:
        """Whether behind a doubtful closing tag a tag with the mark comes, or the answer ends."""
        place = yield from self._source.past_space(ahead, MAX_SPACE_CHARS)
        if place is None:
            return False
        tag = yield from self._source.tag(place, CALL_TAGS | ARGUMENTS)
        if tag is not None and tag.carries(self._mark):
            return True
        return (yield from self._ends_answer(ahead))

    def _ends_answer(self, ahead: int) -> Steps[bool]:
        """Whether from here to the answer's end there is nothing but closing tags."""
        source = self._source
        place: int | None = ahead
        for _ in range(_MAX_CLOSERS):
            place = yield from source.past_space(place or 0, MAX_SPACE_CHARS)
            if place is None or not source.peek(place):
                return place is not None and not source.truncated
            tag = yield from source.tag(place, CALL_TAGS)
            if tag is None or not tag.closing:
                return False
            place += tag.size
        return False
