"""Reads the arguments of a call whose tool is known, up to the tag that closes it.

They stand in a JSON object, in tags that are named as they are or name them (`<path>`,
`<arg name="path">`, `<parameter=path>`), in pairs of `<arg_key>` and `<arg_value>`, or, for a
custom tool, as bare text.
"""

from __future__ import annotations

from poeflask.core.coerce import properties, required
from poeflask.core.prompt import Tool
from poeflask.filters.tool_calls.arguments import arguments_of, fits
from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.reading import Reading
from poeflask.filters.tool_calls.source import CDATA, BrokenCallError, NotACallError, Steps
from poeflask.filters.tool_calls.tags import (
    ARGUMENTS,
    CALL_TAGS,
    INSIDE,
    NAMES,
    PAIRED,
    WRAPPERS,
    Tag,
)
from poeflask.filters.tool_calls.text_reader import MAX_SPACE_CHARS, TextReader
from poeflask.filters.tool_text import CUSTOM_KEY

_SHOWN_CHARS = 40
"""How much of what is wrong the bot is shown."""


class CallReader:
    """Reads one call, whose opening tag is taken.

    Args:
        reading: the answer.
        json: reads its JSON.
        tool: what is called.
        tag: the opening tag.
    """

    def __init__(self, reading: Reading, json: JsonReader, tool: Tool, tag: Tag) -> None:
        self._reading = reading
        self._source = reading.source
        self._json = json
        self._tool = tool
        self._tag = tag
        self._properties = frozenset(properties(tool.schema))
        self._tool_names = reading.toolbox.names
        self._keys = self._properties | self._tool_names
        self._known = INSIDE | self._keys
        self._writer = reading.output.begin(tool)

    def read(self) -> Steps[None]:
        """Read the call and add it to the output.

        Raises:
            NotACallError: it does not go on as a call.
            BrokenCallError: it does, but then breaks.
        """
        if self._tool.kind == "custom" and (yield from self._is_bare_text()):
            yield from self._read_text(CUSTOM_KEY, self._tag)
        elif not self._tag.empty:
            while not (yield from self._read_next()):
                pass
        if not self._writer.seen and (required(self._tool.schema) or self._tool.kind == "custom"):
            raise BrokenCallError(f"it gives {self._tool.name!r} no arguments.")
        self._reading.output.close(self._writer)

    def _is_bare_text(self) -> Steps[bool]:
        """Whether a custom tool's text follows as it is, without tags or JSON around it."""
        place = yield from self._source.past_space(0, MAX_SPACE_CHARS)
        if place is None or self._source.peek(place) != "<":
            return place is None or self._source.peek(place) not in ("", "{")
        return (yield from self._source.tag(place, INSIDE)) is None

    def _read_next(self) -> Steps[bool]:
        """Read one thing of the body; true if the call ends with it."""
        yield from self._source.skip_space()
        match self._source.peek():
            case "<":
                return (yield from self._read_tag())
            case "{":
                yield from self._read_json()
                return False
            case "" if self._may_end():
                return True
        if self._source.peek() == "`" and (yield from self._source.skip_fence_line()):
            return False
        raise (yield from self._spoilt())

    def _read_tag(self) -> Steps[bool]:
        """Read one tag, with what belongs to it; true if the call ends with it."""
        source = self._source
        if (yield from source.skip(CDATA)):
            return False
        tag = yield from source.tag(0, self._known)
        if tag is None:
            yield from self._need_cut_closer()
            return True
        if tag.closing:
            source.take(tag.size)
            return tag.name in CALL_TAGS | NAMES | self._tool_names
        if tag.name not in self._properties and tag.name in CALL_TAGS | self._tool_names:
            return True
        source.take(tag.size)
        yield from self._read_argument(tag)
        return False

    def _read_argument(self, tag: Tag) -> Steps[None]:
        if tag.name in self._properties:
            yield from self._read_text(tag.given or tag.name, tag)
        elif tag.name in ARGUMENTS and tag.given:
            yield from self._read_text(tag.given, tag)
        elif tag.name == "arg_key":
            yield from self._read_pair()
        elif tag.name not in WRAPPERS:
            raise (yield from self._spoilt())

    def _read_text(self, key: str, tag: Tag) -> Steps[None]:
        yield from TextReader(self._reading, self._writer, tag, self._keys).read(key)

    def _read_pair(self) -> Steps[None]:
        source = self._source
        key = yield from source.short_text("arg_key")
        yield from source.skip_space()
        tag = yield from source.tag(0, PAIRED)
        if tag is None or tag.closing or tag.name != "arg_value":
            raise BrokenCallError(f"there is no <arg_value> behind the key {key!r}.")
        source.take(tag.size)
        yield from self._read_text(key, tag)

    def _read_json(self) -> Steps[None]:
        value, wrong = yield from self._json.value(self._tool)
        if not isinstance(value, dict):
            raise BrokenCallError("the arguments are no JSON object.")
        if set(value) == {"name", "arguments"} and "arguments" not in self._properties:
            value = arguments_of(self._tool, value["arguments"], self._reading.repair)
        if wrong and not fits(self._tool, value):
            raise BrokenCallError("the JSON object of the arguments is broken.")
        self._writer.merge(value if isinstance(value, dict) else {CUSTOM_KEY: value})

    def _need_cut_closer(self) -> Steps[None]:
        """Take the first characters of a closing tag that the answer's end cut off."""
        if not self._source.is_cut_closer(0) or not self._may_end():
            raise (yield from self._spoilt())
        self._source.take(self._source.left)

    def _may_end(self) -> bool:
        """Whether a call that lacks its closing tag at the answer's end lacks nothing else."""
        return not self._source.truncated and self._writer.has(required(self._tool.schema))

    def _spoilt(self) -> Steps[Exception]:
        """What to raise where a call's body does not go on as one: broken, or no call at all."""
        if not self._writer.seen and not self._tag.carries(self._reading.mark):
            return NotACallError()
        source = self._source
        while source.left < _SHOWN_CHARS and not source.ended:
            yield
        rest = source.text[source.at : source.at + _SHOWN_CHARS]
        if not rest:
            return BrokenCallError("it breaks off before its closing tag.")
        return BrokenCallError(
            f"there is {rest!r} where an argument or the closing tag should stand."
        )
