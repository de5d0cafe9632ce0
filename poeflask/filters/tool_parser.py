"""Reads tool calls out of a bot's text while it comes.

What is no call goes on at once; only a tail that could still become the beginning of one waits. A
call is known by its tags, and believed only if it names a tool that was offered and gives
arguments. Read are the form of `tool_text`, and what bots write instead:

    <tool_call>{"name": "x", "arguments": {...}}</tool_call>    also lists, several, in a fence
    <function_calls><invoke name="x"><parameter name="k">v</parameter></invoke></function_calls>
    <function=x><parameter=k>v</parameter></function>
    <tool_call>x <arg_key>k</arg_key><arg_value>v</arg_value></tool_call>
    <tool_code>print(default_api.x(k="v"))</tool_code>
    ```tool_call, ```tool_code, or ```json with {"name": ..., "arguments": ...} at the answer's end
    {"name": ..., "arguments": ...} as the whole answer
    [TOOL_CALLS], <|tool_call_begin|>, <|python_tag|> and other tokens of models' own templates

with any prefix before a tag's name (`ns:invoke`), `-` for `_`, and letters in any case.

Two kinds of body are treated differently, because they break differently. JSON can be broken
anywhere, so it is held until it is whole, then read, mended if need be, and written anew as the
tool's schema wants it. A text between tags can only lack its end, so a long one streams.

Inside of fences, inline code and JSON strings a tag is not a tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from poeflask.core.coerce import properties, required
from poeflask.core.prompt import Tool
from poeflask.core.reply import ReplyEvent, TextDelta, ToolCallDelta
from poeflask.filters.tool_source import NotACallError, Source, Steps, Tag
from poeflask.filters.tool_text import CUSTOM_KEY
from poeflask.filters.tool_values import (
    HOLD_CHARS,
    BrokenCallError,
    CallWriter,
    Repair,
    Toolbox,
    arguments_of,
    calls_in,
    fits,
    mend_json,
    placed,
    python_calls,
    read_json,
    written,
)

MAX_CALLS = 128
"""The most calls of one answer; what follows them is not read."""

_MAX_RESCANS = 16
_MAX_NESTING = 8
_MAX_SPACE_CHARS = 200
_MAX_CLOSERS = 8
_SHOWN_CHARS = 40

_CONTAINERS = frozenset(
    {
        "tool_call",
        "tool_calls",
        "toolcall",
        "toolcalls",
        "function_call",
        "function_calls",
        "functioncall",
        "tool_use",
        "use_tool",
        "tool_code",
        "python_tag",
        "tool_calls_begin",
        "tool_call_begin",
        "tool_calls_section_begin",
    }
)
_DIRECT = frozenset({"invoke", "function"})
_ENDS = frozenset({"tool_call_end", "tool_calls_end", "tool_calls_section_end"})
_OPENERS = _CONTAINERS | _DIRECT
_CALL_TAGS = _OPENERS | _ENDS
_TEXT_TAGS = _CALL_TAGS | {"think"}
_ARGUMENTS = frozenset({"arg", "argument", "parameter", "param"})
_WRAPPERS = frozenset(
    {
        "arguments",
        "parameters",
        "args",
        "params",
        "input",
        "args_json",
        "tool_call_argument_begin",
        "tool_sep",
    }
)
_NAMES = frozenset({"name", "tool_name", "tool", "function_name"})
_PAIRED = frozenset({"arg_key", "arg_value"})
_INSIDE = _CALL_TAGS | _ARGUMENTS | _WRAPPERS | _NAMES | _PAIRED
_CALL_FENCES = frozenset(
    {
        "tool_call",
        "tool_calls",
        "tool_code",
        "tool_use",
        "function_call",
        "function_calls",
        "tool",
    }
)
_JSON_FENCES = frozenset({"", "json", "json5", "jsonc"})
_FENCES = _CALL_FENCES | _JSON_FENCES

_SIGN = re.compile(r"[<`~&\[]")
_RUN = re.compile(r"`{1,64}|~{1,64}")
_MAX_RUN = 64
_FENCE_LINE = re.compile(r"(?:`{3,64}|~{3,64})[ \t]{0,20}([\w-]{0,20})[ \t]{0,20}(\r?\n|\Z)")
_MAX_FENCE_LINE = 130
_FENCE_END = re.compile(r"[ \t]*\r?(?:\n|\Z)")
_FENCE_END_MAY_COME = re.compile(r"[ \t]*\r?\Z")
_WORD = re.compile(r"[\w.:/-]{1,128}")
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
_END_SIGN = re.compile("[<`]")
_BLOCK_START = re.compile(r"[ \t]*\r?\n")
_BLOCK_START_MAY_COME = re.compile(r"[ \t]{0,32}\r?\Z")
_BLOCK_TAIL = re.compile(r"(?:\r?\n[ \t]{0,32}|\r)\Z")
_CDATA = "<![CDATA["
_CDATA_END = "]]>"
_CDATA_TAIL = re.compile(r"(?:\]\]>\s{0,40}|\]\]?)\Z")
_TAIL_CHARS = 48
_CALL_KEYS = (
    "name|tool|tool_name|function_name|function|function_call|tool_calls|type|id|arguments"
    "|parameters|input|args|params|recipient_name"
)
_LOOKS = re.compile(rf"[\[{{][\s\[{{]{{0,40}}[\"'](?:{_CALL_KEYS})[\"']")
_MAY_LOOK = re.compile(r"[\[{][\s\[{]{0,40}(?:[\"']\w{0,20})?\Z")
_ESCAPED_NAME = re.compile(r"&lt;(?:tool_calls?|function_calls?|invoke)\b")
_ESCAPED_OPEN = re.compile(
    r"&lt;(tool_calls?|function_calls?|invoke)\b[^<>&\n]{0,60}"
    r"(?:&quot;[^<>&\n]{0,60}&quot;)?&gt;\s{0,20}(?:[{\[]|&lt;)"
)
_ESCAPED_OPEN_CHARS = 200
_ESCAPED_MAY_COME = re.compile(r"&(?:l(?:t(?:;[a-z_]{0,15})?)?)?\Z")
_MISTRAL = "[TOOL_CALLS]"
_MISTRAL_ARGUMENTS = "[ARGS]"
_SEPARATORS = " \t\r\n,;*\u200b\u200c\u200d\u2060\ufeff"


_MISSING = object()


class _EnoughError(Exception):
    """All calls have come: what follows is not wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A call that could not be read.

    Attributes:
        error: a sentence that says why.
        text: the answer from the call's beginning to its end, as it came.
        sent: parts of the call have been sent already.
    """

    error: str
    text: str
    sent: bool


class ToolParser:
    """Makes reply events of one answer's text.

    Args:
        tools: those that may be called.
        mark: the mark that this conversation's tags carry.
        new_call_id: makes a call's id; every id must be new and hard to guess.
        repair: makes a value of a text that is nearly JSON.
        parallel: false if one call is the limit.
        position: the number of the first call.
        hold_chars: how much of a call is held until it is whole.

    Attributes:
        calls: how many calls were made.
        done: everything that counts has been read; further text is not wanted.
        broken: the call that could not be read, if there is one; nothing after it was read.
    """

    def __init__(
        self,
        tools: Iterable[Tool],
        mark: str,
        *,
        new_call_id: Callable[[], str],
        repair: Repair,
        parallel: bool = True,
        position: int = 0,
        hold_chars: int = HOLD_CHARS,
    ) -> None:
        self.calls = 0
        self.done = False
        self.broken: Broken | None = None
        self._tools = tuple(tools)
        self._toolbox = Toolbox(self._tools)
        self._tool_names = frozenset(tool.name for tool in self._tools)
        self._mark = mark
        self._new_call_id = new_call_id
        self._repair = repair
        self._parallel = parallel
        self._position = position
        self._hold_chars = hold_chars
        self._truncated = False
        self._source = Source()
        self._out: list[ReplyEvent] = []
        self._line_is_blank = True
        self._code = 0
        self._rescans = 0
        self._nesting = 0
        self._writer: CallWriter | None = None
        self._reader: Steps[None] | None = self._read()

    def feed(self, text: str) -> list[ReplyEvent]:
        """The events that this text makes certain."""
        if self.done or not text:
            return []
        self._source.feed(text)
        return self._go_on()

    @property
    def holds(self) -> bool:
        """Whether text has come that is not given yet."""
        return bool(self._source.left) or self._source.records or self.broken is not None

    def end(self, *, truncated: bool = False) -> list[ReplyEvent]:
        """No more text comes: the last events.

        Args:
            truncated: the answer was cut off, so that nothing unfinished may be completed.
        """
        self._truncated = truncated
        self._source.ended = True
        return self._go_on()

    def _go_on(self) -> list[ReplyEvent]:
        if self._reader is not None:
            try:
                next(self._reader)
            except StopIteration:
                self._reader = None
            except _EnoughError:
                self._reader = None
                self._source.forget()
                self.done = True
        out, self._out = self._out, []
        return joined(out)

    # Text

    def _read(self) -> Steps[None]:
        yield from self._read_whole_json()
        while (yield from self._find_sign()):
            match self._source.peek():
                case "<":
                    yield from self._read_angle()
                case "`" | "~":
                    yield from self._read_run()
                case "&":
                    yield from self._read_escaped()
                case _:
                    yield from self._read_bracket()

    def _find_sign(self) -> Steps[bool]:
        """Say everything up to the next character that may begin something."""
        source = self._source
        while True:
            found = _SIGN.search(source.text, source.at)
            if found:
                self._say(source.take(found.start() - source.at))
                return True
            self._say(source.take(source.left))
            if source.ended:
                return False
            yield

    def _say(self, text: str) -> None:
        """Text of the answer. After a call it means that the calls are complete."""
        if not text:
            return
        if self.calls:
            if text.strip(_SEPARATORS):
                raise _EnoughError
            return
        self._out.append(TextDelta(text))
        line = text.rpartition("\n")
        if line[1]:
            self._code = 0
            self._line_is_blank = True
        self._line_is_blank = self._line_is_blank and not line[2].strip()

    def _wait(self) -> Steps[bool]:
        """Wait for the next character; false if the answer has ended."""
        while not self._source.left:
            if self._source.ended:
                return False
            yield
        return True

    def _read_angle(self) -> Steps[None]:
        source = self._source
        tag = None if self._code else (yield from source.tag(0, _TEXT_TAGS))
        if tag is None:
            self._say(source.take(1))
        elif tag.closing or tag.name == "think":
            raw = source.take(tag.size)
            self._say("" if self.calls and tag.closing else raw)
        else:
            self._say((yield from self._attempt(self._read_opened(tag))))

    def _read_run(self) -> Steps[None]:
        """Backticks or tildes: inline code, a fence, or nothing."""
        source = self._source
        size = yield from self._run_size()
        is_tick = source.peek() == "`"
        if size >= 3 and self._line_is_blank and not self._code:
            yield from self._read_fence(size)
            return
        if is_tick:
            self._code = 0 if self._code == size else self._code or size
        self._say(source.take(size))

    def _run_size(self) -> Steps[int]:
        source = self._source
        while True:
            found = _RUN.match(source.text, source.at)
            size = found.end() - source.at if found else 0
            if size < source.left or size == _MAX_RUN or source.ended:
                return size
            yield

    def _read_bracket(self) -> Steps[None]:
        source = self._source
        if self._code or not (yield from source.comes(_MISTRAL)):
            self._say(source.take(1))
            return
        tag = Tag(name="tool_calls", size=len(_MISTRAL))
        self._say((yield from self._attempt(self._read_opened(tag))))

    def _attempt(self, reader: Steps[None]) -> Steps[str]:
        """Try to read calls; give back what turned out to be none."""
        self._source.record()
        self._writer = None
        self._nesting = 0
        try:
            yield from reader
        except NotACallError:
            if not self._is_sending:
                return self._source.recorded()
            yield from self._give_up("it does not go on as a call.")
        except BrokenCallError as error:
            yield from self._give_up(str(error))
        self._source.forget()
        return ""

    @property
    def _is_sending(self) -> bool:
        """Whether the client has a part of the call that is being read."""
        return self._writer is not None and self._writer.sent

    def _give_up(self, error: str) -> Steps[None]:
        """Nothing is read behind a broken call: what comes belongs to it."""
        source = self._source
        sent = self._is_sending
        pieces = [source.recorded()]
        while True:
            pieces.append(source.take(source.left))
            if source.ended:
                break
            yield
        self.broken = Broken(error=error, text="".join(pieces), sent=sent)

    # Fences and whole answers

    def _read_fence(self, size: int) -> Steps[None]:
        info = yield from self._fence_info()
        if self.calls and info == "":
            self._skip_fence_start()
            return
        if info in _CALL_FENCES:
            text = yield from self._attempt(self._read_fenced_calls())
        elif info in _JSON_FENCES:
            text = yield from self._attempt(self._read_lone_json(fenced=True))
        else:
            yield from self._read_prose_fence(size)
            return
        if text:
            self._source.put_back(text)
            yield from self._read_prose_fence(size)

    def _skip_fence_start(self) -> None:
        line = _FENCE_LINE.match(self._source.text, self._source.at)
        self._source.take(line.end() - line.start() if line else 1)

    def _fence_info(self) -> Steps[str | None]:
        """The word behind an opening fence if it may hold calls; None if it cannot."""
        source = self._source
        while True:
            line = _FENCE_LINE.match(source.text, source.at)
            if line and (line[2] or source.ended):
                info = line[1].lower().replace("-", "_")
                return info if info in _FENCES else None
            if source.left > _MAX_FENCE_LINE:
                return None
            rest = source.text[source.at :].lstrip("`~").strip(" \t\r").lower().replace("-", "_")
            if source.ended or not any(info.startswith(rest) for info in _FENCES):
                return None
            yield

    def _read_prose_fence(self, size: int) -> Steps[None]:
        """A fence whose content is text: say it up to its closing line or the answer's end."""
        source = self._source
        char = source.peek()
        self._say(source.take(size))
        self._line_is_blank = False
        while True:
            place = source.text.find(char, source.at)
            if place < 0:
                self._say(source.take(source.left))
                if source.ended:
                    return
                yield
                continue
            self._say(source.take(place - source.at))
            run = yield from self._run_size()
            if run < size or not self._line_is_blank:
                self._say(source.take(run))
            elif (yield from self._line_ends_after(run)):
                self._say(source.take(run))
                return
            else:
                self._say(source.take(run))

    def _line_ends_after(self, count: int) -> Steps[bool]:
        source = self._source
        while True:
            place = source.at + count
            if source.ended or not _FENCE_END_MAY_COME.match(source.text, place):
                return _FENCE_END.match(source.text, place) is not None
            yield

    def _read_fenced_calls(self) -> Steps[None]:
        info = (yield from self._fence_info()) or ""
        self._skip_fence_start()
        name = "tool_code" if info == "tool_code" else "tool_call"
        yield from self._read_container(Tag(name=name))

    def _read_whole_json(self) -> Steps[None]:
        """An answer that is nothing but calls as JSON."""
        source = self._source
        while (yield from self._wait()) and source.peek().isspace():
            self._say(source.take(1))
        if source.peek() and source.peek() in "{[":
            self._say((yield from self._attempt(self._read_lone_json(fenced=False))))

    def _read_lone_json(self, *, fenced: bool) -> Steps[None]:
        """JSON without tags: calls only if nothing else follows it."""
        found: list[tuple[Tool, Any]] = []
        while True:
            if fenced:
                self._skip_fence_start()
            yield from self._skip_space()
            yield from self._need_look_of_call()
            found += yield from self._lone_json_calls()
            yield from self._skip_space()
            if fenced and (yield from self._source.comes("```")):
                yield from self._take_fence_end()
            yield from self._skip_space()
            if not self._source.left:
                break
            if self._source.peek() not in ("`" if fenced else "{["):
                raise NotACallError
            if fenced and (yield from self._fence_info()) not in _JSON_FENCES:
                raise NotACallError
        if self._truncated:
            raise NotACallError
        self._make_all(found)

    def _lone_json_calls(self) -> Steps[list[tuple[Tool, Any]]]:
        """The calls of JSON that no tag calls one: broken, it is text."""
        try:
            return (yield from self._json_calls())
        except BrokenCallError as error:
            raise NotACallError from error

    def _take_fence_end(self) -> Steps[None]:
        size = yield from self._run_size()
        self._source.take(size)

    def _need_look_of_call(self) -> Steps[None]:
        """Go on only if the first key is one that a call may begin with."""
        source = self._source
        while not _LOOKS.match(source.text, source.at):
            if source.ended or not _MAY_LOOK.match(source.text, source.at):
                raise NotACallError
            yield

    # Calls

    def _read_opened(self, tag: Tag) -> Steps[None]:
        self._source.take(tag.size)
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise NotACallError
        if tag.given:
            yield from self._read_named(tag.given, tag)
        else:
            yield from self._read_container(tag)

    def _read_container(self, tag: Tag) -> Steps[None]:
        """What stands in tags that hold calls, up to the first thing that is none."""
        source = self._source
        made = False
        while True:
            yield from self._skip_space()
            char = source.peek()
            if char and char in "{[":
                self._make_all((yield from self._json_calls()))
            elif made or not char:
                break
            elif char == "`" and (yield from self._skip_fence_line()):
                continue
            elif char == "<":
                yield from self._read_inner_tag()
            else:
                yield from self._read_worded(tag)
            made = True
        if not made:
            raise NotACallError

    def _read_inner_tag(self) -> Steps[None]:
        source = self._source
        if (yield from source.comes(_CDATA)):
            source.take(len(_CDATA))
            self._nesting += 1
            yield from self._read_container(Tag(name="tool_call"))
            return
        tag = yield from source.tag(0, _INSIDE | self._tool_names)
        if tag is None or tag.closing:
            raise NotACallError
        if tag.name in _OPENERS:
            yield from self._read_opened(tag)
        elif tag.name in _NAMES and not tag.given:
            source.take(tag.size)
            name = yield from self._read_short_text(tag.name)
            yield from self._read_named(name, tag)
        elif tag.name in self._tool_names | _NAMES:
            source.take(tag.size)
            yield from self._read_named(tag.given or tag.name, tag)
        else:
            raise NotACallError

    def _read_worded(self, tag: Tag) -> Steps[None]:
        """A call that begins with its tool's bare name, or is Python."""
        source = self._source
        if tag.name == "tool_code":
            yield from self._read_python("")
            return
        word = yield from self._read_word()
        yield from self._skip_space()
        sep = (yield from source.tag(0, frozenset({"tool_sep"}))) if source.peek() == "<" else None
        if word == "function" and sep:
            source.take(sep.size)
            word = yield from self._read_word()
            yield from self._skip_space()
        if (yield from source.comes(_MISTRAL_ARGUMENTS)):
            source.take(len(_MISTRAL_ARGUMENTS))
            yield from self._skip_space()
        tool = self._toolbox.find(word)
        if tool is None or not source.peek():
            raise NotACallError
        if source.peek() == "(":
            yield from self._read_python(word)
        elif source.peek() in "{<`":
            yield from self._read_body(tool, tag)
        else:
            raise NotACallError

    def _read_word(self) -> Steps[str]:
        source = self._source
        while True:
            found = _WORD.match(source.text, source.at)
            size = found.end() - source.at if found else 0
            if size < source.left or source.ended:
                return source.take(size)
            yield

    def _read_python(self, head: str) -> Steps[None]:
        text = head + (yield from self._read_to_end_of_call())
        try:
            found = list(python_calls(text))
        except ValueError as error:
            raise NotACallError from error
        calls: list[tuple[Tool, Any]] = []
        for name, by_place, by_name in found:
            tool = self._toolbox.find(name)
            if tool is None:
                raise NotACallError
            try:
                calls.append((tool, placed(tool, by_place, by_name)))
            except ValueError as error:
                raise BrokenCallError(f"{error}.") from error
        self._make_all(calls)

    def _read_to_end_of_call(self) -> Steps[str]:
        """The text up to a tag of calls, a fence or the answer's end."""
        source = self._source
        pieces: list[str] = []
        while True:
            found = _END_SIGN.search(source.text, source.at)
            pieces.append(source.take((found.start() if found else len(source.text)) - source.at))
            if not found:
                if source.ended:
                    return "".join(pieces)
                yield
                continue
            if (yield from self._at_end_of_call()):
                return "".join(pieces)
            pieces.append(source.take(1))

    def _at_end_of_call(self) -> Steps[bool]:
        source = self._source
        if source.peek() == "`":
            return (yield from self._run_size()) >= 3
        return (yield from source.tag(0, _CALL_TAGS)) is not None

    def _read_named(self, name: str, tag: Tag) -> Steps[None]:
        tool = self._toolbox.find(name)
        if tool is None:
            raise NotACallError
        yield from self._read_body(tool, tag)

    def _read_body(self, tool: Tool, tag: Tag) -> Steps[None]:
        """The arguments of a call whose tool is known, and its closing tag."""
        writer = CallWriter(
            tool, self._new_call_id(), self._position + self.calls, self._hold_chars
        )
        self._writer = writer
        keys = frozenset(properties(tool.schema)) | self._tool_names
        if tool.kind == "custom" and (yield from self._is_bare_text()):
            yield from self._read_value(writer, CUSTOM_KEY, tag, keys)
            tag = replace(tag, empty=True)
        while not tag.empty:
            yield from self._skip_space()
            char = self._source.peek()
            if char == "<":
                if (yield from self._read_body_tag(writer, tag, keys)):
                    break
            elif char == "{":
                yield from self._read_body_json(writer)
            elif not char and self._may_end(writer):
                break
            elif char != "`" or not (yield from self._skip_fence_line()):
                raise (yield from self._spoilt(writer, tag))
        self._finish(writer, tag)

    def _is_bare_text(self) -> Steps[bool]:
        """Whether a custom tool's text follows as it is, without tags or JSON around it."""
        place = yield from self._source.past_space(0, _MAX_SPACE_CHARS)
        if place is None or self._source.peek(place) != "<":
            return place is None or self._source.peek(place) not in ("", "{")
        return (yield from self._source.tag(place, _INSIDE)) is None

    def _read_body_tag(self, writer: CallWriter, outer: Tag, keys: frozenset[str]) -> Steps[bool]:
        """One tag of a call's body, with what belongs to it; true if the call ends with it."""
        source = self._source
        if (yield from source.comes(_CDATA)):
            source.take(len(_CDATA))
            return False
        tag = yield from source.tag(0, _INSIDE | keys)
        if tag is None:
            return (yield from self._is_cut_closer(writer, outer))
        if tag.name in keys and tag.name in properties(writer.tool.schema) and not tag.closing:
            source.take(tag.size)
            yield from self._read_value(writer, tag.given or tag.name, tag, keys)
            return False
        if tag.closing:
            source.take(tag.size)
            return tag.name in _CALL_TAGS | _NAMES | self._tool_names
        if tag.name in _CALL_TAGS or tag.name in self._tool_names:
            return True
        source.take(tag.size)
        if tag.name in _ARGUMENTS and tag.given:
            yield from self._read_value(writer, tag.given, tag, keys)
        elif tag.name == "arg_key":
            yield from self._read_pair(writer, keys)
        elif tag.name not in _WRAPPERS:
            raise (yield from self._spoilt(writer, outer))
        return False

    def _is_cut_closer(self, writer: CallWriter, outer: Tag) -> Steps[bool]:
        rest = self._source.text[self._source.at :]
        is_cut = self._source.ended and rest.startswith("</") and ">" not in rest
        if is_cut and self._may_end(writer):
            self._source.take(len(rest))
            return True
        raise (yield from self._spoilt(writer, outer))

    def _read_pair(self, writer: CallWriter, keys: frozenset[str]) -> Steps[None]:
        key = yield from self._read_short_text("arg_key")
        yield from self._skip_space()
        tag = yield from self._source.tag(0, _PAIRED)
        if tag is None or tag.closing or tag.name != "arg_value":
            raise BrokenCallError(f"there is no <arg_value> behind the key {key!r}.")
        self._source.take(tag.size)
        yield from self._read_value(writer, key, tag, keys)

    def _read_body_json(self, writer: CallWriter) -> Steps[None]:
        value, guessed = yield from self._json_value(writer.tool)
        if not isinstance(value, dict):
            raise BrokenCallError("the arguments are no JSON object.")
        is_whole_call = set(value) == {"name", "arguments"}
        if is_whole_call and "arguments" not in properties(writer.tool.schema):
            value = arguments_of(writer.tool, value["arguments"], self._repair)
        if guessed and not fits(writer.tool, value):
            raise BrokenCallError("the JSON object of the arguments is broken.")
        writer.merge(value if isinstance(value, dict) else {CUSTOM_KEY: value})

    def _may_end(self, writer: CallWriter) -> bool:
        """Whether a call that lacks its closing tag at the answer's end lacks nothing else."""
        return not self._truncated and writer.has(required(writer.tool.schema))

    def _spoilt(self, writer: CallWriter, tag: Tag) -> Steps[Exception]:
        """What to raise where a call's body does not go on as one: broken, or no call at all."""
        if not writer.seen and not self._is_marked(tag):
            return NotACallError()
        while self._source.left < _SHOWN_CHARS and not self._source.ended:
            yield
        rest = self._source.text[self._source.at : self._source.at + _SHOWN_CHARS]
        if not rest:
            return BrokenCallError("it breaks off before its closing tag.")
        return BrokenCallError(
            f"there is {rest!r} where an argument or the closing tag should stand."
        )

    def _is_marked(self, tag: Tag) -> bool:
        return bool(self._mark) and tag.mark == self._mark

    def _finish(self, writer: CallWriter, tag: Tag) -> None:
        if not writer.seen and (required(writer.tool.schema) or writer.tool.kind == "custom"):
            raise BrokenCallError(f"it gives {writer.tool.name!r} no arguments.")
        was_sent = writer.sent
        self._out += writer.close()
        self._writer = None
        self._count(0 if was_sent else 1)

    # Values between tags

    def _read_value(
        self, writer: CallWriter, key: str, tag: Tag, keys: frozenset[str]
    ) -> Steps[None]:
        """A text up to the tag that closes it; its opening tag is taken already."""
        writer.begin(key)
        if tag.empty:
            writer.end()
            return
        is_block = yield from self._skip_line_break()
        value = _Value(tag, keys, is_block=is_block, is_marked=self._is_marked(tag))
        if not value.is_marked:
            value.in_cdata = yield from self._skip_cdata()
        source = self._source
        while True:
            place = source.text.find("<", source.at)
            stop = len(source.text) if place < 0 else place
            tail = value.tail(source.text, source.at, stop)
            self._pass(writer, value, stop - tail - source.at)
            if place < 0:
                if source.ended:
                    raise BrokenCallError(f"it breaks off inside of the argument {key!r}.")
                yield
                continue
            size = yield from self._closing_size(value, tail)
            if size is not None:
                source.take(size)
                break
            self._pass(writer, value, tail + 1)
        writer.end()
        self._flush(writer)

    def _pass(self, writer: CallWriter, value: _Value, count: int) -> None:
        if count <= 0:
            return
        value.fresh = False
        writer.text(self._source.take(count))
        self._flush(writer)

    def _flush(self, writer: CallWriter) -> None:
        if not writer.sent:
            return
        deltas = writer.take()
        self._out += deltas
        if any(delta.name for delta in deltas):
            self.calls += 1
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

    def _skip_cdata(self) -> Steps[bool]:
        is_cdata = yield from self._source.comes(_CDATA)
        self._source.take(len(_CDATA) if is_cdata else 0)
        return is_cdata

    def _closing_size(self, value: _Value, tail: int) -> Steps[int | None]:
        """What to take where a value ends, its tail and its closing tag; None if it goes on."""
        source = self._source
        tag = yield from source.tag(tail, value.watched)
        if tag is None:
            return None
        begins_line = value.fresh or (tail > 0 and not value.in_cdata)
        marked = self._is_marked(tag)
        if tag.closing and value.is_closed_by(tag):
            whole = tail + tag.size
            if marked and (begins_line or not value.is_block):
                return whole
            if value.is_marked:
                ends = yield from self._goes_on_marked(whole)
            else:
                ends = yield from self._is_followed(whole, value)
            return whole if ends else None
        if marked and begins_line and (tag.closing or tag.given):
            return tail
        if tag.closing and tag.name in _CALL_TAGS and (yield from self._ends_answer(tail)):
            return tail
        return None

    def _is_followed(self, ahead: int, value: _Value) -> Steps[bool]:
        """Whether behind a closing tag the call goes on or ends: else the tag is part of a text."""
        source = self._source
        place = yield from source.past_space(ahead, _MAX_SPACE_CHARS)
        if place is None:
            return False
        if not source.peek(place):
            return True
        if source.peek(place) != "<":
            return False
        tag = yield from source.tag(place, value.followers)
        if tag is not None:
            return True
        rest = source.text[source.at + place :]
        return source.ended and rest.startswith("</") and ">" not in rest

    def _goes_on_marked(self, ahead: int) -> Steps[bool]:
        """Whether behind a doubtful closing tag a tag with the mark comes, or the answer ends."""
        place = yield from self._source.past_space(ahead, _MAX_SPACE_CHARS)
        if place is None:
            return False
        tag = yield from self._source.tag(place, _CALL_TAGS | _ARGUMENTS)
        if tag is not None and self._is_marked(tag):
            return True
        return (yield from self._ends_answer(ahead))

    def _ends_answer(self, ahead: int) -> Steps[bool]:
        """Whether from here to the answer's end there is nothing but closing tags."""
        source = self._source
        place: int | None = ahead
        for _ in range(_MAX_CLOSERS):
            place = yield from source.past_space(place or 0, _MAX_SPACE_CHARS)
            if place is None or not source.peek(place):
                return place is not None and not self._truncated
            tag = yield from source.tag(place, _CALL_TAGS)
            if tag is None or not tag.closing:
                return False
            place += tag.size
        return False

    # JSON

    def _json_calls(self) -> Steps[list[tuple[Tool, Any]]]:
        """The calls that the JSON here stands for."""
        value, guessed = yield from self._json_value(None)
        try:
            found = list(calls_in(value, self._toolbox))
        except KeyError as error:
            tool = self._toolbox.named_at_all_in(str(value)) if "arguments" in str(error) else None
            if tool is None:
                raise NotACallError from error
            raise BrokenCallError(f'the call of {tool.name!r} has no "arguments".') from error
        if not found:
            raise NotACallError
        calls = [(tool, arguments_of(tool, given, self._repair)) for tool, given in found]
        if guessed and not all(fits(tool, given) for tool, given in calls):
            raise BrokenCallError(f"its JSON is broken: {guessed}.")
        return calls

    def _json_value(self, tool: Tool | None) -> Steps[tuple[Any, str]]:
        """The JSON value here, and what was wrong with it if it had to be mended.

        Raises:
            BrokenCallError: it is a call, of this tool or of one that it names, but beyond mending.
            NotACallError: nor is it a call.
        """
        text, whole, in_string = yield from self._json_text()
        try:
            if whole:
                return read_json(text), ""
            wrong = "it breaks off inside of a string" if in_string else "it is not closed"
        except ValueError as error:
            wrong = str(error)
        text = yield from self._json_extent(text, whole=whole)
        at_end = not whole and not self._source.left
        is_cut = at_end and (self._truncated or not text.rstrip().endswith(("}", "]")))
        mended = _MISSING if is_cut else self._mended(text)
        if mended is not _MISSING:
            return mended, wrong
        if tool is None and self._toolbox.named_in(text) is None:
            raise NotACallError
        raise BrokenCallError(f"its JSON is broken: {wrong}.")

    def _mended(self, text: str) -> Any:
        try:
            return mend_json(text, self._repair)
        except ValueError:
            return _MISSING

    def _json_text(self) -> Steps[tuple[str, bool, bool]]:
        """The text of one JSON value, whether its brackets are closed, and a string is open."""
        source = self._source
        pieces: list[str] = []
        depth = 0
        in_string = False
        place = source.at
        while True:
            found = (_IN_STRING if in_string else _OUTSIDE).search(source.text, place)
            if found is None:
                past_end = max(0, place - len(source.text))
                pieces.append(source.take(source.left))
                if source.ended:
                    return "".join(pieces), False, in_string
                yield from self._wait()
                place = source.at + past_end
                continue
            place = found.end()
            match found[0]:
                case "\\":
                    place += 1
                case '"':
                    in_string = not in_string
                case "{" | "[":
                    depth += 1
                case "<":
                    pieces.append(source.take(found.start() - source.at))
                    if (yield from source.tag(0, _CALL_TAGS)) is not None:
                        return "".join(pieces), False, False
                    pieces.append(source.take(1))
                    place = source.at
                case _:
                    depth -= 1
            if not depth:
                pieces.append(source.take(place - source.at))
                return "".join(pieces), True, False

    def _json_extent(self, text: str, *, whole: bool) -> Steps[str]:
        """How far JSON goes whose brackets and quotes cannot be trusted."""
        source = self._source
        close = _CLOSE_TEXT.search(text)
        if close and (not whole or _OPEN_TEXT.search(text, close.end())):
            self._rescans += 1
            if self._rescans > _MAX_RESCANS:
                raise NotACallError
            source.put_back(text[close.start() :])
            return text[: close.start()]
        more = yield from self._read_to_end_of_call()
        if whole and not source.left:
            source.put_back(more)
            return text
        return text + more

    # Small things

    def _make_all(self, calls: Iterable[tuple[Tool, Any]]) -> None:
        for tool, given in calls:
            self._make(tool, written(tool, given))

    def _make(self, tool: Tool, arguments: str) -> None:
        self._out.append(
            ToolCallDelta(
                position=self._position + self.calls,
                call_id=self._new_call_id(),
                name=tool.name,
                arguments=arguments,
                kind=tool.kind,
            )
        )
        self._count(1)

    def _count(self, more: int) -> None:
        self.calls += more
        if not self._parallel or self.calls >= MAX_CALLS:
            raise _EnoughError

    def _skip_space(self) -> Steps[None]:
        """Take spaces, what stands between calls in a list, and the end of a CDATA section."""
        source = self._source
        while (yield from self._wait()):
            if source.peek() in _SEPARATORS:
                source.take(1)
                continue
            if not (yield from source.comes(_CDATA_END)):
                return
            source.take(len(_CDATA_END))

    def _skip_fence_line(self) -> Steps[bool]:
        """Take a fence around what is inside of tags; false if there is none."""
        size = yield from self._run_size()
        if size < 3:
            return False
        self._source.take(size)
        yield from self._read_word()
        return True

    def _read_short_text(self, name: str) -> Steps[str]:
        """The text of a small element whose opening tag is taken."""
        source = self._source
        while "<" not in source.text[source.at :]:
            if source.ended or source.left > _MAX_SPACE_CHARS:
                raise NotACallError
            yield
        text = source.take(source.text.index("<", source.at) - source.at)
        tag = yield from source.tag(0, frozenset({name}))
        if tag is None or not tag.closing:
            raise NotACallError
        source.take(tag.size)
        return text.strip()

    def _read_escaped(self) -> Steps[None]:
        """A call whose angle brackets are written as entities."""
        source = self._source
        while not source.ended and (
            _ESCAPED_MAY_COME.match(source.text, source.at)
            or (_ESCAPED_NAME.match(source.text, source.at) and source.left < _ESCAPED_OPEN_CHARS)
        ):
            yield
        found = None if self._code else _ESCAPED_OPEN.match(source.text, source.at)
        if found is None:
            self._say(source.take(1))
            return
        self._say((yield from self._attempt(self._read_escaped_call(found[1]))))

    def _read_escaped_call(self, name: str) -> Steps[None]:
        source = self._source
        closing = f"&lt;/{name}&gt;"
        pieces: list[str] = []
        while (place := source.text.find(closing, source.at)) < 0:
            if source.ended:
                source.take(source.left)
                raise NotACallError
            pieces.append(source.take(max(0, source.left - len(closing))))
            yield
        pieces.append(source.take(place + len(closing) - source.at))
        inner = ToolParser(
            self._tools,
            self._mark,
            new_call_id=self._new_call_id,
            repair=self._repair,
            parallel=self._parallel,
            position=self._position + self.calls,
        )
        events = inner.feed(html.unescape("".join(pieces))) + inner.end()
        if not inner.calls or not all(isinstance(event, ToolCallDelta) for event in events):
            raise NotACallError
        self._out += events
        self._count(inner.calls)


class _Value:
    """A text between tags while it is read."""

    def __init__(self, tag: Tag, keys: frozenset[str], *, is_block: bool, is_marked: bool) -> None:
        self.is_block = is_block
        self.is_marked = is_marked
        self.in_cdata = False
        self.fresh = is_block
        self._names = _ARGUMENTS if tag.name in _ARGUMENTS else frozenset({tag.name})
        self.watched = self._names | _CALL_TAGS
        self.followers = _CALL_TAGS | _ARGUMENTS | _WRAPPERS | _PAIRED | keys

    def is_closed_by(self, tag: Tag) -> bool:
        return tag.name in self._names

    def tail(self, text: str, start: int, stop: int) -> int:
        """How many characters before `stop` belong to the closing tag, if one follows."""
        if self.in_cdata:
            found = _CDATA_TAIL.search(text, max(start, stop - _TAIL_CHARS), stop)
        elif self.is_block:
            found = _BLOCK_TAIL.search(text, max(start, stop - _TAIL_CHARS), stop)
        else:
            found = None
        return stop - found.start() if found else 0


def joined(events: Iterable[ReplyEvent]) -> list[ReplyEvent]:
    """The same events with neighbouring pieces of one text or one call put together."""
    out: list[ReplyEvent] = []
    pieces: list[str] = []
    for event in events:
        if out and _continues(out[-1], event):
            pieces.append(_piece(event))
            continue
        _settle(out, pieces)
        out.append(event)
    _settle(out, pieces)
    return out


def _continues(last: ReplyEvent, event: ReplyEvent) -> bool:
    match last, event:
        case TextDelta(), TextDelta():
            return True
        case ToolCallDelta(), ToolCallDelta():
            return event.position == last.position and not event.name
    return False


def _piece(event: ReplyEvent) -> str:
    return event.text if isinstance(event, TextDelta) else getattr(event, "arguments", "")


def _settle(out: list[ReplyEvent], pieces: list[str]) -> None:
    if not pieces:
        return
    more = "".join(pieces)
    pieces.clear()
    match out[-1]:
        case TextDelta() as last:
            out[-1] = TextDelta(last.text + more)
        case ToolCallDelta() as last:
            out[-1] = replace(last, arguments=last.arguments + more)
