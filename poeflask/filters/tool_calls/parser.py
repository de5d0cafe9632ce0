"""Reads tool calls out of a bot's text while it comes: the text, and where in it a call begins.

What begins at which character is a table. A beginning is tried: if it turns out to be no call, what
was read goes on as text; if it is one but broken, the rest of the answer belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from poeflask.core.prompt import Tool
from poeflask.core.reply import ReplyEvent, ToolCallDelta
from poeflask.filters.joining import joined
from poeflask.filters.tool_calls.container_reader import ContainerReader
from poeflask.filters.tool_calls.entities import escaped_name, read_escaped
from poeflask.filters.tool_calls.fences import (
    CALL_FENCES,
    JSON_FENCES,
    fence_info,
    skip_fence_start,
)
from poeflask.filters.tool_calls.json_reader import JsonReader
from poeflask.filters.tool_calls.lenient_json import Repair
from poeflask.filters.tool_calls.lone_json import read_lone_json
from poeflask.filters.tool_calls.prose import Prose
from poeflask.filters.tool_calls.reading import EnoughError, Output, Reading
from poeflask.filters.tool_calls.source import BrokenCallError, NotACallError, Source, Steps
from poeflask.filters.tool_calls.tags import CALL_TAGS, Tag
from poeflask.filters.tool_calls.toolbox import Toolbox
from poeflask.filters.tool_calls.writer import HOLD_CHARS

_MISTRAL = "[TOOL_CALLS]"
_TEXT_TAGS = CALL_TAGS | {"think"}


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
        self.done = False
        self.broken: Broken | None = None
        self._source = Source()
        self._output = Output(
            new_call_id=new_call_id, parallel=parallel, position=position, hold_chars=hold_chars
        )
        self._prose = Prose(self._source, self._output)
        self._reading = Reading(
            source=self._source,
            output=self._output,
            toolbox=Toolbox(tools),
            mark=mark,
            repair=repair,
        )
        self._json = JsonReader(self._reading)
        self._make_inner = partial(
            ToolParser,
            self._reading.toolbox.tools,
            mark,
            new_call_id=new_call_id,
            repair=repair,
            parallel=parallel,
        )
        self._readers: dict[str, Callable[[], Steps[None]]] = {
            "<": self._read_tag,
            "`": self._read_run,
            "~": self._read_run,
            "[": self._read_bracket,
            "&": self._read_entity,
        }
        self._steps: Steps[None] | None = self._read()

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return self._output.calls

    @property
    def holds(self) -> bool:
        """Whether text has come that is not given yet."""
        return bool(self._source.left) or self._source.records or self.broken is not None

    def feed(self, text: str) -> list[ReplyEvent]:
        """The events that this text makes certain."""
        if self.done or not text:
            return []
        self._source.feed(text)
        return self._go_on()

    def end(self, *, truncated: bool = False) -> list[ReplyEvent]:
        """No more text comes: the last events.

        Args:
            truncated: the answer was cut off, so that nothing unfinished may be completed.
        """
        self._source.truncated = truncated
        self._source.ended = True
        return self._go_on()

    def _go_on(self) -> list[ReplyEvent]:
        if self._steps is not None:
            try:
                next(self._steps)
            except StopIteration:
                self._steps = None
            except EnoughError:
                self._steps = None
                self._source.forget()
                self.done = True
        return joined(self._output.take())

    def _read(self) -> Steps[None]:
        yield from self._read_whole_json()
        while sign := (yield from self._prose.to_sign()):
            yield from self._readers[sign]()

    def _read_whole_json(self) -> Steps[None]:
        """An answer that is nothing but calls as JSON."""
        source = self._source
        while (yield from source.more()) and source.peek().isspace():
            self._prose.take(1)
        if source.peek() in ("{", "["):
            reader = read_lone_json(self._reading, self._json, fenced=False)
            self._prose.say((yield from self._attempt(reader)))

    def _read_tag(self) -> Steps[None]:
        tag = None
        if not self._prose.in_code:
            tag = yield from self._source.tag(0, _TEXT_TAGS)
        if tag is None:
            self._prose.take(1)
        elif tag.closing and self.calls:
            self._source.take(tag.size)
        elif tag.closing or tag.name == "think":
            self._prose.take(tag.size)
        else:
            yield from self._read_opened(tag)

    def _read_bracket(self) -> Steps[None]:
        if self._prose.in_code or not (yield from self._source.comes(_MISTRAL)):
            self._prose.take(1)
        else:
            yield from self._read_opened(Tag(name="tool_calls", size=len(_MISTRAL)))

    def _read_opened(self, tag: Tag) -> Steps[None]:
        reader = ContainerReader(self._reading, self._json).opened(tag)
        self._prose.say((yield from self._attempt(reader)))

    def _read_run(self) -> Steps[None]:
        """Backticks or tildes: inline code, a fence, or nothing."""
        size = yield from self._source.run_size()
        if self._prose.may_open_fence(size):
            yield from self._read_fence(size)
        else:
            self._prose.take_run(size)

    def _read_fence(self, size: int) -> Steps[None]:
        info = yield from fence_info(self._source)
        if self.calls and info == "":
            skip_fence_start(self._source)
            return
        if info in CALL_FENCES:
            text = yield from self._attempt(self._read_fenced_calls(info))
        elif info in JSON_FENCES:
            reader = read_lone_json(self._reading, self._json, fenced=True)
            text = yield from self._attempt(reader)
        else:
            yield from self._prose.take_fence(size)
            return
        if text:
            self._source.put_back(text)
            yield from self._prose.take_fence(size)

    def _read_fenced_calls(self, info: str) -> Steps[None]:
        skip_fence_start(self._source)
        name = "tool_code" if info == "tool_code" else "tool_call"
        yield from ContainerReader(self._reading, self._json).container(Tag(name=name))

    def _read_entity(self) -> Steps[None]:
        name = "" if self._prose.in_code else (yield from escaped_name(self._source))
        if not name:
            self._prose.take(1)
        else:
            self._prose.say((yield from self._attempt(self._read_escaped(name))))

    def _read_escaped(self, name: str) -> Steps[None]:
        text = yield from read_escaped(self._source, name)
        inner = self._make_inner(position=self._output.next_position)
        events = joined([*inner.feed(text), *inner.end()])
        if not events or not all(isinstance(event, ToolCallDelta) for event in events):
            raise NotACallError
        self._output.add_calls(events)

    def _attempt(self, reader: Steps[None]) -> Steps[str]:
        """Try to read calls; give back what turned out to be none."""
        self._source.record()
        try:
            yield from reader
        except NotACallError:
            if not self._output.is_sending:
                return self._source.recorded()
            yield from self._give_up("it does not go on as a call.")
        except BrokenCallError as error:
            yield from self._give_up(str(error))
        self._source.forget()
        return ""

    def _give_up(self, error: str) -> Steps[None]:
        """Nothing is read behind a broken call: what comes belongs to it."""
        source = self._source
        pieces = [source.recorded()]
        while (yield from source.more()):
            pieces.append(source.take(source.left))
        self.broken = Broken(error=error, text="".join(pieces), sent=self._output.is_sending)
