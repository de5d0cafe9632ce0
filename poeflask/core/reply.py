"""The ten reply events, the smallest things that can happen in an answer, and their sum.

An answer is a list of events that ends with exactly one `Finish` or `Failure`. Whoever makes
events (the wire), changes them (the filters) or writes them down (the dialects) knows only this
file of each other. No event says how a client or Poe spells it.

Events are values: frozen, compared by content, never subclassed. `index` numbers parallel answers
to one prompt (a client's `n`, or a bot that answers several times); filters only ever see 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from poeflask.core.errors import PoeflaskError

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
ToolKind = Literal["function", "custom"]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer. Never empty."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the bot thought before it answered. Never empty."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta:
    """The next piece of one tool call.

    The first delta of a call carries `call_id` and `name`; later ones leave both empty and add to
    `arguments`. All pieces of one call's arguments, joined, are one JSON text (kind "function") or
    the free text itself (kind "custom").

    Attributes:
        position: which call of the answer this is, counted from 0 without gaps.
        extra: what the bot attached to the call and wants back with the result
            (`extra_content`, such as a thought signature); only on the first delta.
    """

    position: int
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    kind: ToolKind = "function"
    extra: Mapping[str, Any] | None = None
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEvent:
    """A file that belongs to the answer.

    `inline_ref` is the name by which the text cites it (`![title][ref]`); empty means that it is
    shown after the text.
    """

    url: str
    content_type: str
    name: str
    inline_ref: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Replace:
    """All text so far is void; this is what should have been said. May be empty."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Something said beside the answer: `suggested_reply`, `meta` or `data`.

    For dialects that want it also `progress` and `preview`, which a filter makes.
    """

    name: str
    data: Mapping[str, Any]
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens spent. `exact` is true if the bot's provider counted them, false if we did."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    exact: bool = False
    index: int = 0

    def __add__(self, other: Usage) -> Usage:
        """The tokens of two answers together; exact only if both are."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            exact=self.exact and other.exact,
            index=self.index,
        )


@dataclass(frozen=True, slots=True)
class Pause:
    """Upstream has nothing more to say right now: the moment to flush. Carries no order."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is complete; `stop` is the stop sequence that ended it, or empty."""

    reason: FinishReason = "stop"
    index: int = 0
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer broke off; what was said before it still holds."""

    error: PoeflaskError
    index: int = 0


ReplyEvent = (
    TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | FileEvent
    | Replace
    | Note
    | Usage
    | Pause
    | Finish
    | Failure
)

OUTPUT = (TextDelta, ReasoningDelta, ToolCallDelta, FileEvent)
"""Events that a client sees as part of the answer: after one of them nothing may be retried."""

END = (Finish, Failure)
"""Events that end an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyMeta:
    """All of an answer's chance and clock: made once, at the edge, and handed to the encoders.

    Attributes:
        id: the answer's id as the dialect spells it, such as "chatcmpl-…".
        created: seconds since 1970.
        model: the model's name as the client should see it.
    """

    id: str
    created: int
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDone:
    """One whole tool call of an answer; fields as in `ToolCallDelta`."""

    call_id: str
    name: str
    arguments: str
    kind: ToolKind = "function"
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """All events of one answer, folded. `end` is None only while the answer is still open."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDone, ...] = ()
    files: tuple[FileEvent, ...] = ()
    notes: tuple[Note, ...] = ()
    usage: Usage | None = None
    end: Finish | Failure | None = None
    index: int = 0


@dataclass(slots=True)
class _Fold:
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[int, list[ToolCallDelta]] = field(default_factory=dict)
    files: list[FileEvent] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    usage: Usage | None = None
    end: Finish | Failure | None = None

    def add(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta():
                self.text.append(event.text)
            case ReasoningDelta():
                self.reasoning.append(event.text)
            case ToolCallDelta():
                self.calls.setdefault(event.position, []).append(event)
            case FileEvent():
                self.files.append(event)
            case Replace():
                self.text[:] = [event.text]
            case Note():
                self.notes.append(event)
            case Usage():
                self.usage = event
            case Finish() | Failure():
                self.end = event
            case Pause():
                pass

    def reply(self, index: int) -> Reply:
        return Reply(
            text="".join(self.text),
            reasoning="".join(self.reasoning),
            tool_calls=tuple(_whole_call(self.calls[position]) for position in sorted(self.calls)),
            files=tuple(self.files),
            notes=tuple(self.notes),
            usage=self.usage,
            end=self.end,
            index=index,
        )


def _whole_call(deltas: list[ToolCallDelta]) -> ToolCallDone:
    first = deltas[0]
    return ToolCallDone(
        call_id=first.call_id,
        name=first.name,
        arguments="".join(delta.arguments for delta in deltas),
        kind=first.kind,
        extra=first.extra,
    )


def gather(events: Iterable[ReplyEvent]) -> Reply:
    """Fold the events of one answer into a value, whatever their index."""
    fold = _Fold()
    for event in events:
        fold.add(event)
    return fold.reply(0)


def gather_all(events: Iterable[ReplyEvent]) -> tuple[Reply, ...]:
    """Fold the events of parallel answers, one Reply for each index, in the order of the index."""
    folds: dict[int, _Fold] = {}
    for event in events:
        if not isinstance(event, Pause):
            folds.setdefault(event.index, _Fold()).add(event)
    return tuple(folds[index].reply(index) for index in sorted(folds))


def renumbered(event: ReplyEvent, index: int) -> ReplyEvent:
    """The same event as part of the answer number `index`."""
    return event if isinstance(event, Pause) else replace(event, index=index)
