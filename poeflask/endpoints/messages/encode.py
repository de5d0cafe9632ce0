"""Reply events as Anthropic's messages: the events of a stream, or one object."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from poeflask.core import json_text
from poeflask.core.blocks import (
    Block,
    BlockDelta,
    BlockEvent,
    Blocks,
    BlockStart,
    BlockStop,
    whole_blocks,
)
from poeflask.core.dialect import anthropic_error
from poeflask.core.json_text import write
from poeflask.core.reply import (
    Failure,
    Finish,
    FinishReason,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    ReplyMeta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.endpoints.messages.decode import ThoughtsShown

_PING = 'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_DELTA_END = "}}\n\n"

_STOP_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
}

_DELTAS = {
    "text": ("text_delta", "text"),
    "reasoning": ("thinking_delta", "thinking"),
    "call": ("input_json_delta", "partial_json"),
}


class MessagesEncoder:
    """Writes one message.

    A message holds one answer: what a bot says besides under another index is left out.

    Args:
        meta: id and model; the message has no time.
        request_id: what an error in the stream is found under in the log.
        input_tokens: gives the number of the prompt's tokens; may wait for it.
        thoughts: whether thinking blocks are given: not at all, without their text, or whole.
    """

    def __init__(
        self,
        meta: ReplyMeta,
        *,
        request_id: str,
        input_tokens: Callable[[], int],
        thoughts: ThoughtsShown = "text",
    ) -> None:
        self._meta = meta
        self._request_id = request_id
        self._input_tokens = input_tokens
        self._thoughts = thoughts
        self._said_input_tokens: int | None = None
        self._blocks = Blocks()
        self._open: _OpenBlock | None = None
        self._text_head = ""
        self.text_frame: tuple[bytes, bytes] | None = None
        self._has_calls = False
        self._usage = Usage()
        self._end: Finish | Failure | None = None

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The stream's events for the next reply events, as one string."""
        frames: list[str] = []
        for event in events:
            # Nearly all events are text in an open block of text: there `Blocks` changes nothing.
            if self._text_head and isinstance(event, TextDelta) and not event.index:
                frames.append(self._text_head + write(event.text) + _DELTA_END)
            else:
                frames.append(self._frames(event))
        return "".join(frames)

    def close(self) -> str:
        """The stop reason, the usage and the end. After an error nothing."""
        if not isinstance(self._end, Finish):
            return ""
        delta = {
            "type": "message_delta",
            "delta": self._outcome(self._end, has_calls=self._has_calls),
            "usage": self._usage_at_the_end(),
        }
        return _frame(delta) + _STOP

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The `message` object."""
        own = [event for event in events if self._is_own(event)]
        blocks = whole_blocks(own)
        usage = next((event for event in own if isinstance(event, Usage)), Usage())
        end = next((event for event in own if isinstance(event, Finish)), Finish())
        counts = _input_counts(usage) if usage.exact else {"input_tokens": self._input_tokens()}
        return {
            **self._envelope(),
            "content": [self._whole_block(block) for block in blocks],
            **self._outcome(end, has_calls=any(block.kind == "call" for block in blocks)),
            "usage": {**_NO_USAGE, **counts, **_output_counts(usage)},
        }

    def heartbeat(self) -> str:
        """A ping; in front of it the message's start, since nothing may come before that."""
        return self._start() + _PING

    def _is_own(self, event: ReplyEvent) -> bool:
        if isinstance(event, Pause) or event.index:
            return False
        return self._thoughts != "none" or not isinstance(event, ReasoningDelta)

    def _envelope(self) -> dict[str, Any]:
        return {
            "id": self._meta.id,
            "type": "message",
            "role": "assistant",
            "model": self._meta.model,
        }

    def _frames(self, event: ReplyEvent) -> str:
        if self._end is not None or isinstance(event, Pause) or event.index:
            return ""
        if isinstance(event, Failure):
            return self._failure(event)
        frames = [self._start()]
        if isinstance(event, Usage):
            self._usage = event
        if isinstance(event, Finish):
            self._end = event
        if self._is_own(event):
            frames += [self._block_frames(made) for made in self._blocks.feed(event)]
        return "".join(frames)

    def _failure(self, failure: Failure) -> str:
        """The error, behind the end of what is open; before any start nothing is."""
        self._end = failure
        closing = [self._block_frames(made) for made in self._blocks.feed(failure)]
        body = anthropic_error(failure.error, self._request_id).body
        return "".join(closing) + f"event: error\ndata: {write(body)}\n\n"

    def _start(self) -> str:
        if self._said_input_tokens is not None:
            return ""
        self._said_input_tokens = self._input_tokens()
        message = {
            **self._envelope(),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**_NO_USAGE, "input_tokens": self._said_input_tokens},
        }
        return _frame({"type": "message_start", "message": message})

    def _block_frames(self, event: BlockEvent) -> str:
        match event:
            case BlockStart():
                self._open = _OpenBlock(event, shows_thoughts=self._thoughts == "text")
                self._has_calls = self._has_calls or event.kind == "call"
                head = self._open.head if event.kind == "text" else ""
                self._text_head = head
                self.text_frame = (
                    (head.encode("utf-8"), _DELTA_END.encode("utf-8")) if head else None
                )
                return self._open.start()
            case BlockDelta(_, text) if self._open is not None:
                return self._open.delta(text)
            case BlockStop() if self._open is not None:
                self._text_head, self.text_frame = "", None
                return self._open.stop()
        return ""

    def _whole_block(self, block: Block) -> dict[str, Any]:
        match block.kind:
            case "reasoning":
                shown = block.text if self._thoughts == "text" else ""
                return _thinking_block(shown, _signature([block.text]))
            case "call" if block.call is not None:
                return {**_tool_use(block.call), "input": _input(block.text)}
        return _text_block(block.text)

    def _outcome(self, end: Finish, *, has_calls: bool) -> dict[str, Any]:
        """Why the answer ended; a call always says so, because clients act on this word alone."""
        reason = _STOP_REASONS[end.reason]
        if end.reason in ("stop", "tool_calls"):
            reason = "tool_use" if has_calls else "stop_sequence" if end.stop else "end_turn"
        stop = end.stop if reason == "stop_sequence" else None
        outcome: dict[str, Any] = {"stop_reason": reason, "stop_sequence": stop}
        if reason == "refusal":
            outcome["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
        return outcome

    def _usage_at_the_end(self) -> dict[str, Any]:
        """What was spent; of the prompt only what the provider counted otherwise than we did."""
        counts = _input_counts(self._usage) if self._usage.exact else {}
        said = {"input_tokens": self._said_input_tokens, "cache_read_input_tokens": 0}
        news = {name: count for name, count in counts.items() if count != said[name]}
        return {**news, **_output_counts(self._usage)}


class _OpenBlock:
    """Writes one block of a stream. `head` is what stands before each piece of it."""

    def __init__(self, start: BlockStart, *, shows_thoughts: bool) -> None:
        self._start = start
        self._shows_thoughts = shows_thoughts
        self._held: list[str] = []
        self._is_object: bool | None = None
        kind, name = _DELTAS[start.kind]
        opening = {"type": "content_block_delta", "index": start.number, "delta": {"type": kind}}
        self.head = f'event: content_block_delta\ndata: {write(opening)[:-2]},"{name}":'

    def start(self) -> str:
        number, call = self._start.number, self._start.call
        block = _EMPTY[self._start.kind] if call is None else {**_tool_use(call), "input": {}}
        return _frame({"type": "content_block_start", "index": number, "content_block": block})

    def delta(self, text: str) -> str:
        match self._start.kind:
            case "reasoning":
                self._held.append(text)
                return self._delta(text) if self._shows_thoughts else ""
            case "call":
                return self._input_delta(text)
        return self._delta(text)

    def stop(self) -> str:
        last = ""
        if self._start.kind == "reasoning":
            signed = {"type": "signature_delta", "signature": _signature(self._held)}
            event = {"type": "content_block_delta", "index": self._start.number, "delta": signed}
            last = _frame(event)
        elif self._start.kind == "call" and not self._is_object:
            last = self._delta(write(_input("".join(self._held))))
        return last + _frame({"type": "content_block_stop", "index": self._start.number})

    def _delta(self, text: str) -> str:
        return self.head + write(text) + _DELTA_END

    def _input_delta(self, text: str) -> str:
        """The next piece of an input. What is no object is held, because clients parse at once."""
        if self._is_object is None and text.strip():
            text = text.lstrip()
            self._is_object = text.startswith("{")
        if self._is_object:
            return self._delta(text)
        self._held.append(text)
        return ""


def _frame(event: Mapping[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {write(event)}\n\n"


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _thinking_block(text: str, signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def _tool_use(call: ToolCallDelta) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.call_id, "name": call.name}


def _input(arguments: str) -> dict[str, Any]:
    """A call's arguments as the object they are; broken ones are shown as the text that came."""
    try:
        value = json_text.read(arguments if arguments.strip() else "{}")
    except json_text.NotJsonError:
        value = None
    return value if isinstance(value, dict) else {"input": arguments}


def _signature(thought: Sequence[str]) -> str:
    """What stands for a thought's origin: the same for the same thought; nobody checks it."""
    text = "".join(thought).encode("utf-8", "surrogatepass")
    return b64encode(hashlib.blake2b(text, digest_size=48, person=b"thinking").digest()).decode()


_EMPTY = {"text": _text_block(""), "reasoning": _thinking_block("", "")}

_NO_USAGE: Mapping[str, Any] = {
    "input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 0,
    "service_tier": "standard",
}


def _input_counts(usage: Usage) -> dict[str, int]:
    """The prompt's tokens; what came from a cache is counted apart, unlike in OpenAI's APIs."""
    return {
        "input_tokens": max(0, usage.prompt_tokens - usage.cached_tokens),
        "cache_read_input_tokens": usage.cached_tokens,
    }


def _output_counts(usage: Usage) -> dict[str, Any]:
    return {
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }
