"""Reads JSON that comes in pieces, in a text that may go on behind it.

JSON can be broken anywhere, so it is held until its brackets are closed, then read, and mended if
need be. Where brackets and quotes cannot be trusted, it ends where the call around it ends.
"""

from __future__ import annotations

import re
from typing import Any

from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.arguments import arguments_of, fits
from poeflask.filters.tool_calls.lenient_json import mend_json, read_json
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError, Source, Steps
from poeflask.filters.tool_calls.tags import CALL_TAGS
from poeflask.filters.tool_calls.toolbox import calls_in

_MAX_RESCANS = 16
"""How often in an answer what broken JSON swallowed is read anew; it bounds the work."""

_OUTSIDE = re.compile(r'["{}\[\]<]')
_IN_STRING = re.compile(r'["\\]')
_CLOSE_TEXT = re.compile(
    r"</\s*(?:[\w-]+:)?(?:tool_?calls?|function_?calls?|tool_use|use_tool|tool_code|invoke|function)"
    r"(?::\w+)?\s*>|\n[ \t]*```",
    re.IGNORECASE,
)
_OPEN_TEXT = re.compile(
    r"<(?:[\w-]+:)?(?:tool_?call|function_?call|tool_use|invoke)", re.IGNORECASE
)
_MISSING = object()


class JsonReader:
    """Reads the JSON of one answer, whose next character is a bracket."""

    def __init__(self, reading: Reading) -> None:
        self._source = reading.source
        self._toolbox = reading.toolbox
        self._repair = reading.repair
        self._rescans = 0

    def calls(self) -> Steps[list[tuple[Tool, Any]]]:
        """The calls that the JSON here stands for: tools and their arguments.

        Raises:
            NotACallError: it stands for something else.
            BrokenCallError: it is a call, but no whole one.
        """
        value, wrong = yield from self.value(None)
        found = list(calls_in(value, self._toolbox))
        if not found:
            raise NotACallError
        calls = [(tool, arguments_of(tool, given, self._repair)) for tool, given in found]
        if wrong and not all(fits(tool, given) for tool, given in calls):
            raise BrokenCallError(f"its JSON is broken: {wrong}.")
        return calls

    def value(self, tool: Tool | None) -> Steps[tuple[Any, str]]:
        """The JSON value here, and what was wrong with it if it had to be mended.

        Raises:
            BrokenCallError: it is a call, of this tool or of one that it names, but beyond mending.
            NotACallError: nor is it a call.
        """
        scan = _Scan(self._source)
        yield from scan.run()
        try:
            if scan.is_whole:
                return read_json(scan.text), ""
            wrong = "it breaks off inside of a string" if scan.in_string else "it is not closed"
        except ValueError as error:
            wrong = str(error)
        text = yield from self._extent(scan)
        mended = _MISSING if self._is_cut(scan, text) else self._mended(text)
        if mended is not _MISSING:
            return mended, wrong
        if tool is None and self._toolbox.named_in(text) is None:
            raise NotACallError
        raise BrokenCallError(f"its JSON is broken: {wrong}.")

    def _is_cut(self, scan: _Scan, text: str) -> bool:
        """Whether the answer ended within the value, so that mending would invent its rest."""
        at_end = not scan.is_whole and not self._source.left
        return at_end and (self._source.truncated or not text.rstrip().endswith(("}", "]")))

    def _mended(self, text: str) -> Any:
        try:
            return mend_json(text, self._repair)
        except ValueError:
            return _MISSING

    def _extent(self, scan: _Scan) -> Steps[str]:
        """How far JSON goes whose brackets and quotes cannot be trusted."""
        source = self._source
        text = scan.text
        close = _CLOSE_TEXT.search(text)
        if close and (not scan.is_whole or _OPEN_TEXT.search(text, close.end())):
            self._rescans += 1
            if self._rescans > _MAX_RESCANS:
                raise NotACallError
            source.put_back(text[close.start() :])
            return text[: close.start()]
        more = yield from source.rest_of_call()
        if scan.is_whole and not source.left:
            source.put_back(more)
            return text
        return text + more


class _Scan:
    """Takes one JSON value, up to the bracket that closes it or a tag of calls outside strings.

    Attributes:
        is_whole: its brackets are closed.
        in_string: it breaks off inside of a string.
    """

    def __init__(self, source: Source) -> None:
        self.is_whole = False
        self.in_string = False
        self._source = source
        self._pieces: list[str] = []
        self._depth = 0
        self._place = source.at

    @property
    def text(self) -> str:
        """What was taken."""
        return "".join(self._pieces)

    def run(self) -> Steps[None]:
        """Take the value."""
        while not self.is_whole and (sign := (yield from self._next_sign())):
            if sign == "<" and (yield from self._is_at_tag()):
                return
            self._pass(sign)

    def _next_sign(self) -> Steps[str]:
        """The next character that means something where it stands; empty at the answer's end."""
        source = self._source
        while True:
            signs = _IN_STRING if self.in_string else _OUTSIDE
            found = signs.search(source.text, self._place)
            if found:
                self._place = found.end()
                return found[0]
            # An escaped character that has not come yet is passed by too.
            past_end = max(0, self._place - len(source.text))
            self._take(source.left)
            if not (yield from source.more()):
                return ""
            self._place = source.at + past_end

    def _pass(self, sign: str) -> None:
        match sign:
            case "\\":
                self._place += 1
            case '"':
                self.in_string = not self.in_string
            case "{" | "[":
                self._depth += 1
            case "}" | "]":
                self._depth -= 1
        if not self._depth:
            self._take(self._place - self._source.at)
            self.is_whole = True

    def _is_at_tag(self) -> Steps[bool]:
        self._take(self._place - 1 - self._source.at)
        if (yield from self._source.tag(0, CALL_TAGS)) is not None:
            return True
        self._place = self._source.at + 1
        return False

    def _take(self, count: int) -> None:
        self._pieces.append(self._source.take(count))
