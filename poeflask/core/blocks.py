"""An answer as blocks, one after the other: text, thoughts, tool calls.

Reply events may switch between text and thoughts at will, and the pieces of several tool calls may
come in turns. APIs that write an answer as a list of blocks cannot: there a block is opened, filled
and closed before the next one opens, and blocks are numbered without gaps. `Blocks` makes the one
of the other.

Text and thoughts end where something else begins. A call ends where its arguments do: what comes
before that and belongs elsewhere waits behind it, in blocks of its own, so nothing is lost and
nothing is out of order. Calls that come one after the other, as nearly all do, wait for nothing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from poeflask.core.reply import (
    END,
    FileEvent,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
)

BlockKind = Literal["text", "reasoning", "call"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStart:
    """A block opens. `call` is the first delta of a call; its arguments come as `BlockDelta`."""

    number: int
    kind: BlockKind
    call: ToolCallDelta | None = None


@dataclass(frozen=True, slots=True)
class BlockDelta:
    """The next piece of the open block: text, a thought, or a call's arguments. Never empty."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class BlockStop:
    """The open block is complete, or will never be."""

    number: int


BlockEvent = BlockStart | BlockDelta | BlockStop


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A whole block; fields as in `BlockStart`."""

    kind: BlockKind
    text: str
    call: ToolCallDelta | None = None


class Blocks:
    """Makes blocks of the events of one answer. Events that are no part of it make none."""

    def __init__(self) -> None:
        self._opened = 0
        self._open: _Open | None = None
        self._waiting: deque[_Waiting] = deque()
        self._closed_calls: set[int] = set()

    def feed(self, event: ReplyEvent) -> list[BlockEvent]:
        """What the next event does to the blocks; the end closes what is open."""
        match event:
            case TextDelta(text):
                return self._add("text", text)
            case ReasoningDelta(text):
                return self._add("reasoning", text)
            case FileEvent():
                return self._add("text", link(event))
            case ToolCallDelta():
                # Behind a whole JSON object nothing can come that means anything.
                is_late = event.position in self._closed_calls
                return [] if is_late else self._add("call", event.arguments, event)
        return self._close() if isinstance(event, END) else []

    def _add(
        self, kind: BlockKind, text: str, call: ToolCallDelta | None = None
    ) -> list[BlockEvent]:
        given: list[BlockEvent] = []
        if self._open is not None and self._open.is_same(kind, call):
            given += [BlockDelta(self._open.number, text)] if text else []
            self._open.take(text)
        else:
            self._wait(kind, text, call)
        return given + self._advance()

    def _wait(self, kind: BlockKind, text: str, call: ToolCallDelta | None) -> None:
        """Put the piece where it belongs among what waits: to its call, or at the end."""
        candidates = list(self._waiting)[-1:] if call is None else self._waiting
        for block in candidates:
            if _is_same(block.call, call) and block.kind == kind:
                block.pieces.append(text)
                return
        self._waiting.append(_Waiting(kind, call, [text]))

    def _advance(self) -> list[BlockEvent]:
        """Open what waits, as far as what is open may be closed."""
        given: list[BlockEvent] = []
        while self._waiting and (self._open is None or self._open.may_close()):
            given += self._stop()
            given += self._start(self._waiting.popleft())
        return given

    def _start(self, waiting: _Waiting) -> list[BlockEvent]:
        block = _Open(self._opened, waiting.kind, waiting.call)
        self._open = block
        self._opened += 1
        start = BlockStart(number=block.number, kind=block.kind, call=block.call)
        text = "".join(waiting.pieces)
        block.take(text)
        return [start, BlockDelta(block.number, text)] if text else [start]

    def _stop(self) -> list[BlockEvent]:
        closed, self._open = self._open, None
        if closed is None:
            return []
        if closed.call is not None:
            self._closed_calls.add(closed.call.position)
        return [BlockStop(closed.number)]

    def _close(self) -> list[BlockEvent]:
        given: list[BlockEvent] = []
        while self._waiting:
            given += self._stop()
            given += self._start(self._waiting.popleft())
        return given + self._stop()


def whole_blocks(events: Iterable[ReplyEvent]) -> tuple[Block, ...]:
    """The blocks of an answer that has ended."""
    blocks = Blocks()
    starts: list[BlockStart] = []
    texts: list[list[str]] = []
    for block_event in (made for event in events for made in blocks.feed(event)):
        match block_event:
            case BlockStart():
                starts.append(block_event)
                texts.append([])
            case BlockDelta(number, text):
                texts[number].append(text)
    return tuple(
        Block(kind=start.kind, text="".join(pieces), call=start.call)
        for start, pieces in zip(starts, texts, strict=True)
    )


def link(file: FileEvent) -> str:
    """A file as a Markdown link, or a picture, in a paragraph of its own."""
    name = (file.name or "file").translate(_NO_BRACKETS)
    mark = "!" if file.content_type.startswith("image/") else ""
    return f"\n\n{mark}[{name}]({file.url})\n\n"


_NO_BRACKETS = str.maketrans("[]", "()")


@dataclass(slots=True)
class _Waiting:
    kind: BlockKind
    call: ToolCallDelta | None
    pieces: list[str]


class _Open:
    """The block that is open."""

    def __init__(self, number: int, kind: BlockKind, call: ToolCallDelta | None) -> None:
        self.number = number
        self.kind = kind
        self.call = call
        self._arguments = _Arguments()
        self._unread: list[str] = []

    def is_same(self, kind: BlockKind, call: ToolCallDelta | None) -> bool:
        return self.kind == kind and _is_same(self.call, call)

    def take(self, text: str) -> None:
        if self.call is not None:
            self._unread.append(text)

    def may_close(self) -> bool:
        """Whether nothing more of this block can come; arguments are read only when it matters."""
        if self.call is None:
            return True
        if self.call.kind == "custom":
            return False
        self._arguments.read("".join(self._unread))
        self._unread.clear()
        return self._arguments.complete


def _is_same(call: ToolCallDelta | None, other: ToolCallDelta | None) -> bool:
    """Whether both are pieces of one call, or none of a call."""
    if call is None or other is None:
        return call is other
    return call.position == other.position


class _Arguments:
    """Tells where a JSON object that comes in pieces ends."""

    def __init__(self) -> None:
        self.complete = False
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def read(self, text: str) -> None:
        start = 1 if self._escaped and text else 0
        if text:
            self._escaped = False
        for mark in _MARK.finditer(text, start):
            self._take(mark[0])

    def _take(self, mark: str) -> None:
        if mark[0] == "\\":
            self._escaped = len(mark) == 1
        elif mark == '"':
            self._in_string = not self._in_string
        elif not self._in_string:
            self._depth += 1 if mark in "{[" else -1
            self.complete = self.complete or self._depth <= 0


_MARK = re.compile(r'\\.|\\\Z|["{}\[\]]', re.DOTALL)
