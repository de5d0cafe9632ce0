"""Reads what stands in tags that hold calls, whichever of the known forms it has.

{"name": "x", "arguments": {...}}      also several, also in a list, a fence or CDATA
<invoke name="x">...</invoke>          and other tags that begin a call
<name>x</name>, <x>                    tags that hold or are the tool's name
x {...}, x <arg_key>..., function<|tool_sep|>x, x[ARGS]{...}
print(default_api.x(k="v"))            in <tool_code>, or x(k="v")
"""

from __future__ import annotations

from typing import Any

from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.call_reader import CallReader
from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.python_calls import placed, python_calls
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import CDATA, BrokenCallError, NotACallError, Steps
from poeflask.filters.tool_calls.tags import INSIDE, NAMES, OPENERS, Tag

_MAX_NESTING = 8
_MISTRAL_ARGUMENTS = "[ARGS]"
_TOOL_SEP = frozenset({"tool_sep"})


class ContainerReader:
    """Reads the calls of one attempt, and adds them to the output.

    Everything raises NotACallError where no call is found, BrokenCallError where one breaks.
    """

    def __init__(self, reading: Reading, json: JsonReader) -> None:
        self._reading = reading
        self._source = reading.source
        self._toolbox = reading.toolbox
        self._json = json
        self._nesting = 0

    def opened(self, tag: Tag) -> Steps[None]:
        """Read what a tag that comes next holds."""
        self._source.take(tag.size)
        self._nest()
        if tag.given:
            yield from self._named(tag.given, tag)
        else:
            yield from self.container(tag)

    def container(self, tag: Tag) -> Steps[None]:
        """Read what stands behind a tag that holds calls, up to the first thing that is none."""
        source = self._source
        yield from source.skip_space()
        while source.peek() == "`" and (yield from source.skip_fence_line()):
            yield from source.skip_space()
        match source.peek():
            case "":
                raise NotACallError
            case "{" | "[":
                yield from self._json_calls()
            case "<":
                yield from self._inner_tag()
            case _:
                yield from self._worded(tag)
        yield from source.skip_space()
        while source.peek() in ("{", "["):
            yield from self._json_calls()
            yield from source.skip_space()

    def _nest(self) -> None:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise NotACallError

    def _json_calls(self) -> Steps[None]:
        self._reading.output.make_all((yield from self._json.calls()))

    def _inner_tag(self) -> Steps[None]:
        source = self._source
        if (yield from source.skip(CDATA)):
            self._nest()
            yield from self.container(Tag(name="tool_call"))
            return
        tag = yield from source.tag(0, INSIDE | self._toolbox.names)
        if tag is None or tag.closing:
            raise NotACallError
        if tag.name in OPENERS:
            yield from self.opened(tag)
            return
        if tag.name not in self._toolbox.names | NAMES:
            raise NotACallError
        source.take(tag.size)
        name = tag.given or tag.name
        if tag.name in NAMES and not tag.given:
            name = yield from source.short_text(tag.name)
        yield from self._named(name, tag)

    def _named(self, name: str, tag: Tag) -> Steps[None]:
        tool = self._toolbox.find(name)
        if tool is None:
            raise NotACallError
        yield from CallReader(self._reading, self._json, tool, tag).read()

    def _worded(self, tag: Tag) -> Steps[None]:
        """A call that begins with its tool's bare name, or is Python."""
        if tag.name == "tool_code":
            yield from self._python("")
            return
        word = yield from self._first_word()
        tool = self._toolbox.find(word)
        match self._source.peek():
            case "(" if tool is not None:
                yield from self._python(word)
            case "{" | "<" | "`" if tool is not None:
                yield from CallReader(self._reading, self._json, tool, tag).read()
            case _:
                raise NotACallError

    def _first_word(self) -> Steps[str]:
        """The tool's name, with what models put around it and its arguments."""
        source = self._source
        word = yield from source.word()
        yield from source.skip_space()
        sep = (yield from source.tag(0, _TOOL_SEP)) if source.peek() == "<" else None
        if word == "function" and sep is not None:
            source.take(sep.size)
            word = yield from source.word()
            yield from source.skip_space()
        if (yield from source.skip(_MISTRAL_ARGUMENTS)):
            yield from source.skip_space()
        return word

    def _python(self, head: str) -> Steps[None]:
        text = head + (yield from self._source.rest_of_call())
        try:
            found = list(python_calls(text))
        except ValueError as error:
            raise NotACallError from error
        self._reading.output.make_all([self._python_call(*call) for call in found])

    def _python_call(
        self, name: str, by_place: list[Any], by_name: dict[str, Any]
    ) -> tuple[Tool, Any]:
        tool = self._toolbox.find(name)
        if tool is None:
            raise NotACallError
        try:
            return tool, placed(tool, by_place, by_name)
        except ValueError as error:
            raise BrokenCallError(f"{error}.") from error
