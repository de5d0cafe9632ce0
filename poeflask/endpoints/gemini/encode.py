"""Reply events as Gemini's answers: a stream of pieces, events or one array, or one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from poeflask.core.dialect import google_error
from poeflask.core.json_text import write
from poeflask.core.reply import (
    Failure,
    Finish,
    FinishReason,
    ReasoningDelta,
    Reply,
    ReplyEvent,
    ReplyMeta,
    TextDelta,
    ToolCallDelta,
    ToolCallDone,
    Usage,
    gather,
    gather_all,
)
from poeflask.endpoints.call_arguments import as_object
from poeflask.endpoints.file_links import file_as_text

Form = Literal["sse", "array"]

_REASONS: Mapping[FinishReason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}

_NOTHING: dict[str, Any] = {"text": ""}
"""A part that adds nothing; a content without any part is taken for a broken one."""


class GeminiEncoder:
    """Writes one answer of generateContent or streamGenerateContent.

    Args:
        meta: id and model, the same in every piece.
        form: how a stream is written, as server-sent events or as one JSON array.
        show_thoughts: whether the bot's thoughts are part of the answer.
    """

    text_frame = None

    def __init__(self, meta: ReplyMeta, *, form: Form = "sse", show_thoughts: bool = False) -> None:
        self._meta = meta
        self._form = form
        self._show_thoughts = show_thoughts
        self._begun = False
        self._failed = False
        self._calls: dict[int, list[ToolCallDelta]] = {}
        self._usage_by_index: dict[int, Usage] = {}
        self._tail = f",{write(_origin(meta))[1:]}"

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The pieces for the next events; nothing more after a Failure."""
        pieces: list[str] = []
        for event in events:
            if self._failed:
                break
            pieces.append(self._pieces(file_as_text(event)))
        return "".join(pieces)

    def close(self) -> str:
        """The array's end; events need none."""
        if self._form == "sse":
            return ""
        return "]" if self._begun else "[]"

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The answer as one object."""
        replies = gather_all(file_as_text(event) for event in events)
        usages = [reply.usage for reply in replies if reply.usage is not None]
        return {
            "candidates": [self._candidate(reply) for reply in replies],
            "usageMetadata": _usage(usages),
            **_origin(self._meta),
        }

    def heartbeat(self) -> str:
        """A piece that adds nothing: Google's own clients cannot read comments."""
        return self._text(write(""), 0)

    def _pieces(self, event: ReplyEvent) -> str:
        match event:
            case TextDelta(text, index):
                return self._text(write(text), index)
            case ReasoningDelta(text, index) if self._show_thoughts:
                return self._piece({"candidates": [_said([_thought(text)], index)]})
            case ToolCallDelta():
                self._calls.setdefault(event.index, []).append(event)
            case Usage():
                self._usage_by_index[event.index] = event
            case Finish(reason, index):
                return self._end(reason, index)
            case Failure(error):
                self._failed = True
                return self._framed(write(google_error(error, self._meta.id).body))
        return ""

    def _end(self, reason: FinishReason, index: int) -> str:
        """The candidate's last piece. Its calls come here: arguments cannot come in pieces."""
        calls = gather(self._calls.pop(index, ())).tool_calls
        parts = [_call(call) for call in calls] or [_NOTHING]
        candidate = {**_said(parts, index), "finishReason": _REASONS[reason]}
        usage = _usage(self._usage_by_index.values())
        return self._piece({"candidates": [candidate], "usageMetadata": usage})

    def _piece(self, body: Mapping[str, Any]) -> str:
        return self._framed(write(body)[:-1] + self._tail)

    def _text(self, written: str, index: int) -> str:
        """A piece of text, which is nearly all that a stream has, with little to write."""
        content = f'{{"parts":[{{"text":{written}}}],"role":"model"}}'
        return self._framed(f'{{"candidates":[{{"content":{content},"index":{index}}}]{self._tail}')

    def _framed(self, piece: str) -> str:
        if self._form == "sse":
            return f"data: {piece}\n\n"
        before = ",\n" if self._begun else "["
        self._begun = True
        return before + piece

    def _candidate(self, reply: Reply) -> dict[str, Any]:
        thoughts = [_thought(reply.reasoning)] if reply.reasoning and self._show_thoughts else []
        text = [{"text": reply.text}] if reply.text else []
        calls = [_call(call) for call in reply.tool_calls]
        said = _said([*thoughts, *text, *calls] or [_NOTHING], reply.index)
        reason = reply.end.reason if isinstance(reply.end, Finish) else "stop"
        return {**said, "finishReason": _REASONS[reason]}


def _origin(meta: ReplyMeta) -> dict[str, Any]:
    return {"modelVersion": meta.model, "responseId": meta.id}


def _said(parts: Sequence[Mapping[str, Any]], index: int) -> dict[str, Any]:
    return {"content": {"parts": list(parts), "role": "model"}, "index": index}


def _thought(text: str) -> dict[str, Any]:
    return {"text": text, "thought": True}


def _call(call: ToolCallDone) -> dict[str, Any]:
    made = {"id": call.call_id, "name": call.name, "args": as_object(call.arguments)}
    signature = _signature(call.extra)
    signed = {"thoughtSignature": signature} if signature else {}
    return {"functionCall": made, **signed}


def _signature(extra: Mapping[str, Any] | None) -> str:
    """What a Gemini bot behind Poe wants back with the call, under the name it has there."""
    match extra:
        case {"google": {"thought_signature": str() as signature}}:
            return signature
    return ""


def _usage(usages: Iterable[Usage]) -> dict[str, Any]:
    """The tokens of all candidates: the prompt they share once, what each of them said added up."""
    known = list(usages) or [Usage()]
    prompt = max(usage.prompt_tokens for usage in known)
    completion = sum(usage.completion_tokens for usage in known)
    thoughts = sum(usage.reasoning_tokens for usage in known)
    cached = max(usage.cached_tokens for usage in known)
    told = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": completion - thoughts,
        "totalTokenCount": prompt + completion,
    }
    if thoughts:
        told["thoughtsTokenCount"] = thoughts
    if cached:
        told["cachedContentTokenCount"] = cached
    return told
