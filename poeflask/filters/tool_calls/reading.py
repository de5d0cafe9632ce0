"""What the readers of one answer share: the text, the tools, and what was made of them so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.core.prompt import Tool
from poeflask.core.reply import ReplyEvent, TextDelta, ToolCallDelta
from poeflask.filters.tool_calls.arguments import written
from poeflask.filters.tool_calls.lenient_json import Repair
from poeflask.filters.tool_calls.source import Source
from poeflask.filters.tool_calls.toolbox import Toolbox
from poeflask.filters.tool_calls.writer import HOLD_CHARS, CallWriter

MAX_CALLS = 128
"""The most calls of one answer; what follows them is not read."""


class EnoughError(Exception):
    """All calls have come: what follows is not wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer while it is read.

    Attributes:
        source: the answer's characters.
        output: what was made of them.
        toolbox: the tools that may be called.
        mark: the mark that this conversation's tags carry.
        repair: makes a value of a text that is nearly JSON.
    """

    source: Source
    output: Output
    toolbox: Toolbox
    mark: str
    repair: Repair


class Output:
    """The events that an answer's text became, until they are taken.

    Whatever adds a call raises EnoughError behind the last one that is wanted.

    Args:
        new_call_id: makes a call's id.
        parallel: false if one call is the limit.
        position: the number of the first call.
        hold_chars: how much of a call is held until it is whole.

    Attributes:
        calls: how many calls were made.
        is_sending: the beginning of a call was added, and its end was not.
    """

    def __init__(
        self,
        *,
        new_call_id: Callable[[], str],
        parallel: bool = True,
        position: int = 0,
        hold_chars: int = HOLD_CHARS,
    ) -> None:
        self.calls = 0
        self.is_sending = False
        self._new_call_id = new_call_id
        self._parallel = parallel
        self._position = position
        self._hold_chars = hold_chars
        self._events: list[ReplyEvent] = []

    def say(self, text: str) -> None:
        """Add a piece of text."""
        self._events.append(TextDelta(text))

    def make_all(self, calls: Iterable[tuple[Tool, Any]]) -> None:
        """Add whole calls with their arguments as they were read."""
        for tool, given in calls:
            call = ToolCallDelta(
                position=self.next_position,
                call_id=self._new_call_id(),
                name=tool.name,
                arguments=written(tool, given),
                kind=tool.kind,
            )
            self.add_calls([call])

    def add_calls(self, calls: Sequence[ReplyEvent]) -> None:
        """Add whole calls as they are, one event each."""
        self._events += calls
        self._count(len(calls))

    @property
    def next_position(self) -> int:
        """The number of the next call."""
        return self._position + self.calls

    def begin(self, tool: Tool) -> CallWriter:
        """A writer for the next call; what it writes is added by `pass_on` and `close`."""
        return CallWriter(tool, self._new_call_id(), self.next_position, self._hold_chars)

    def pass_on(self, writer: CallWriter) -> bool:
        """Add what a call lets go before its end; true if it was held until now."""
        deltas = writer.take() if writer.sent else []
        self._events += deltas
        begins = any(delta.name for delta in deltas)
        if begins:
            self.calls += 1
            self.is_sending = True
        return begins

    def close(self, writer: CallWriter) -> None:
        """Add the rest of a call that is whole."""
        was_sent = writer.sent
        self._events += writer.close()
        self.is_sending = False
        self._count(0 if was_sent else 1)

    def take(self) -> list[ReplyEvent]:
        """The events added since the last time."""
        taken, self._events = self._events, []
        return taken

    def _count(self, more: int) -> None:
        self.calls += more
        if not self._parallel or self.calls >= MAX_CALLS:
            raise EnoughError
