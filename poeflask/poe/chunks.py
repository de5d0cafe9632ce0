"""Reads the `json` events of Poe's protocol: OpenAI's stream chunks, as bots really write them.

A bot that was given tools answers in them: text, reasoning, calls and token counts. Providers
differ in what they leave out, so every field may be missing; what cannot be understood is left out
of the answer, never the reason to break it off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core import json_text
from poeflask.core.reply import (
    FinishReason,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
}


@dataclass(frozen=True, slots=True)
class _Call:
    position: int
    wire_id: str
    name: str


@dataclass(frozen=True, slots=True)
class _Fragment:
    """One entry of a chunk's `tool_calls`, with what is missing as None or empty."""

    slot: int | None
    wire_id: str
    name: str
    arguments: str
    is_custom: bool
    extra: Mapping[str, Any] | None


@dataclass(slots=True)
class _Calls:
    """The calls of one answer: which fragment belongs to which."""

    opened: list[_Call] = field(default_factory=list)
    by_slot: dict[int, _Call] = field(default_factory=dict)
    by_wire_id: dict[str, _Call] = field(default_factory=dict)
    given_ids: set[str] = field(default_factory=set)

    def find(self, fragment: _Fragment) -> _Call | None:
        """The opened call that the fragment goes on with; None if there is none."""
        if fragment.slot is not None:
            return self._in_slot(fragment.slot, fragment)
        if fragment.wire_id:
            return self.by_wire_id.get(fragment.wire_id)
        if fragment.name or not self.opened:
            return None
        return self.opened[-1]

    def _in_slot(self, slot: int, fragment: _Fragment) -> _Call | None:
        call = self.by_slot.get(slot)
        if call is None:
            return None if fragment.name else self.by_wire_id.get(fragment.wire_id)
        if not fragment.name or _is_repeated(call, fragment):
            return call
        # Several providers number all calls 0 and tell them apart by their ids alone.
        return self.by_wire_id.get(fragment.wire_id)

    def open(self, fragment: _Fragment, chunk_id: str, answer: int) -> ToolCallDelta:
        """The beginning of a call that no fragment before belonged to."""
        call = _Call(len(self.opened), fragment.wire_id, fragment.name)
        self.opened.append(call)
        if fragment.slot is not None:
            self.by_slot[fragment.slot] = call
        if fragment.wire_id:
            self.by_wire_id[fragment.wire_id] = call
        return ToolCallDelta(
            position=call.position,
            call_id=self._unique_id(call, chunk_id),
            name=call.name,
            arguments=fragment.arguments,
            kind="custom" if fragment.is_custom else "function",
            extra=fragment.extra,
            index=answer,
        )

    def _unique_id(self, call: _Call, chunk_id: str) -> str:
        call_id = call.wire_id or _made_up_id(chunk_id, call)
        while call_id in self.given_ids:
            call_id = f"{call_id}_{call.position}"
        self.given_ids.add(call_id)
        return call_id


def _is_repeated(call: _Call, fragment: _Fragment) -> bool:
    """Whether a fragment that names a tool only says again what the call's first one said."""
    return call.name == fragment.name and fragment.wire_id in ("", call.wire_id)


def _made_up_id(chunk_id: str, call: _Call) -> str:
    """An id for a call without one: the same each time it is read, another in another answer."""
    origin = f"{chunk_id}\n{call.position}\n{call.name}".encode("utf-8", "surrogatepass")
    return "call_" + hashlib.sha256(origin).hexdigest()[:24]


class ChunkReader:
    """Reads the chunks of one reply.

    Attributes:
        finish_reason: the last reason that a chunk gave for its end, or None.
        usage: the last token counts that a chunk gave, or None.
    """

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self._calls: dict[int, _Calls] = {}
        self._with_deltas: set[int] = set()

    def read(self, chunk: Mapping[str, Any], index: int | None) -> list[ReplyEvent]:
        """The events that one chunk stands for.

        Args:
            chunk: the event's JSON object.
            index: the parallel answer that the event names; None takes the choice's own.
        """
        usage = chunk.get("usage")
        if isinstance(usage, dict):
            self.usage = _usage(usage)
        events: list[ReplyEvent] = []
        for choice in _objects(chunk.get("choices")):
            answer = index if index is not None else whole_number(choice.get("index")) or 0
            events += self._choice(choice, answer, _text(chunk.get("id")))
        return events

    def _choice(
        self, choice: Mapping[str, Any], answer: int, chunk_id: str
    ) -> Iterable[ReplyEvent]:
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.finish_reason = FINISH_REASONS.get(reason, "stop")
        said = self._said(choice, answer)
        reasoning = _text(said.get("reasoning_content")) or _text(said.get("reasoning"))
        if reasoning:
            yield ReasoningDelta(reasoning, answer)
        for text in (_content(said.get("content")), _text(said.get("refusal"))):
            if text:
                yield TextDelta(text, answer)
        for entry in _objects(said.get("tool_calls")):
            yield from self._call(_fragment(entry), answer, chunk_id)

    def _said(self, choice: Mapping[str, Any], answer: int) -> Mapping[str, Any]:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._with_deltas.add(answer)
            return delta
        # A whole message behind deltas says all of it a second time.
        return {} if answer in self._with_deltas else _object(choice.get("message"))

    def _call(self, fragment: _Fragment, answer: int, chunk_id: str) -> Iterable[ReplyEvent]:
        calls = self._calls.setdefault(answer, _Calls())
        call = calls.find(fragment)
        if call is not None and fragment.arguments:
            yield ToolCallDelta(position=call.position, arguments=fragment.arguments, index=answer)
        elif call is None and fragment.name:
            yield calls.open(fragment, chunk_id, answer)


def whole_number(value: Any) -> int | None:
    """The value if it is an integer from 0 on; JSON's true and false are none."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def _fragment(entry: Mapping[str, Any]) -> _Fragment:
    is_custom = isinstance(entry.get("custom"), dict)
    inner = _object(entry.get("custom" if is_custom else "function"))
    extra = entry.get("extra_content")
    return _Fragment(
        slot=whole_number(entry.get("index")),
        wire_id=_text(entry.get("id")),
        name=_text(inner.get("name")),
        arguments=_arguments(inner.get("input" if is_custom else "arguments")),
        is_custom=is_custom,
        extra=extra if isinstance(extra, dict) else None,
    )


def _arguments(value: Any) -> str:
    """Arguments as JSON text, also of providers that send the object itself."""
    return json_text.write(value) if isinstance(value, dict | list) else _text(value)


def _content(value: Any) -> str:
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in _objects(value))
    return _text(value)


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        reasoning_tokens=_count(usage.get("completion_tokens_details"), "reasoning_tokens"),
        cached_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
        exact=True,
    )


def _count(counts: Any, name: str) -> int:
    return whole_number(_object(counts).get(name)) or 0


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
