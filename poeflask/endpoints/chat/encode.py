"""Reply events as OpenAI's chat completions: chunks of a stream, or one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from poeflask.core.dialect import openai_error
from poeflask.core.json_text import write
from poeflask.core.reply import (
    Failure,
    Finish,
    FinishReason,
    Pause,
    ReasoningDelta,
    Reply,
    ReplyEvent,
    ReplyMeta,
    TextDelta,
    ToolCallDelta,
    ToolCallDone,
    ToolKind,
    Usage,
    gather_all,
)
from poeflask.endpoints.file_links import file_as_text

_DONE = "data: [DONE]\n\n"
_HEARTBEAT = ": ping\n\n"
_FRAME_END = "}\n\n"


class ChatEncoder:
    """Writes one chat completion.

    The filters have settled all replacements and turned files into text before; a file that comes
    nevertheless is written as a link.

    Args:
        meta: id, time and model, the same in every chunk.
        include_usage: whether the stream ends with its usage.
        legacy_functions: whether a call is written as `function_call`, which has room for one.
        choices: how many answers are to come; a stream opens them all at once.
        reasoning_names: the fields that reasoning is written to.
    """

    def __init__(
        self,
        meta: ReplyMeta,
        *,
        include_usage: bool = False,
        legacy_functions: bool = False,
        choices: int = 1,
        reasoning_names: Sequence[str] = ("reasoning_content",),
    ) -> None:
        self._meta = meta
        self._include_usage = include_usage
        self._legacy = legacy_functions
        self._choices = choices
        self._reasoning_names = tuple(reasoning_names)
        envelope = write(_envelope(meta, "chat.completion.chunk"))
        self._chunk_head = f"data: {envelope[:-1]},"
        self._chunk_end = f',"usage":null{_FRAME_END}' if include_usage else _FRAME_END
        self._delta_end = f',"logprobs":null,"finish_reason":null}}]{self._chunk_end}'
        self._text_end = "}" + self._delta_end
        self._text_heads: dict[int, str] = {}
        self.text_frame: tuple[bytes, bytes] | None = None
        self._kind_by_call: dict[tuple[int, int], ToolKind] = {}
        self._usage_by_index: dict[int, Usage] = {}
        self._failed = False

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The chunks for the next events, as one string; the first call opens every choice."""
        if self._failed:
            return ""
        frames = [] if self._text_heads else [self._opening(events)]
        for event in events:
            if isinstance(event, TextDelta) and (head := self._text_heads.get(event.index)):
                frames.append(head + write(event.text) + self._text_end)
                continue
            frames.append(self._frames(event))
            if isinstance(event, Failure):
                break
        return "".join(frames)

    def close(self) -> str:
        """The usage, if it was asked for, and the end mark. After an error only the end mark."""
        if self._failed or not self._include_usage:
            return _DONE
        usage = write(_usage(self._usage_by_index.values()))
        return f'{self._chunk_head}"choices":[],"usage":{usage}{_FRAME_END}{_DONE}'

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The `chat.completion` object of all choices."""
        replies = gather_all(file_as_text(event) for event in events)
        usages = [reply.usage for reply in replies if reply.usage is not None]
        return {
            **_envelope(self._meta, "chat.completion"),
            "choices": [self._choice(reply) for reply in replies],
            "usage": _usage(usages),
        }

    def heartbeat(self) -> str:
        """A comment, which every reader of server-sent events skips."""
        return _HEARTBEAT

    def _opening(self, events: Sequence[ReplyEvent]) -> str:
        first = next((event for event in events if not isinstance(event, Pause)), None)
        if isinstance(first, Failure):
            return ""
        return "".join(self._opened(index) for index in range(self._choices))

    def _opened(self, index: int) -> str:
        """The choice's first chunk, which says who speaks; nothing if it was said before."""
        if index in self._text_heads:
            return ""
        head = self._text_heads[index] = f'{self._choice_head(index)}{{"content":'
        if index == 0:
            self.text_frame = head.encode("utf-8"), self._text_end.encode("utf-8")
        return self._delta(index, {"role": "assistant", "content": ""})

    def _choice_head(self, index: int) -> str:
        return f'{self._chunk_head}"choices":[{{"index":{index},"delta":'

    def _delta(self, index: int, delta: Mapping[str, Any]) -> str:
        return self._choice_head(index) + write(delta) + self._delta_end

    def _frames(self, event: ReplyEvent) -> str:
        match file_as_text(event):
            case TextDelta(text, index):
                return self._opened(index) + self._delta(index, {"content": text})
            case ReasoningDelta(text, index):
                return self._opened(index) + self._delta(index, self._reasoning(text))
            case ToolCallDelta() as call:
                return self._opened(call.index) + self._call_frame(call)
            case Finish(reason, index):
                return self._opened(index) + self._finish_frame(reason, index)
            case Usage() as usage:
                self._usage_by_index[usage.index] = usage
            case Failure(error):
                self._failed = True
                self.text_frame = None
                return f"data: {write(openai_error(error, self._meta.id).body)}\n\n"
        return ""

    def _reasoning(self, text: str) -> dict[str, Any]:
        return dict.fromkeys(self._reasoning_names, text)

    def _finish_frame(self, reason: FinishReason, index: int) -> str:
        reason_text = write(self._reason(reason))
        tail = f'{{}},"logprobs":null,"finish_reason":{reason_text}}}]{self._chunk_end}'
        return self._choice_head(index) + tail

    def _reason(self, reason: FinishReason) -> str:
        return "function_call" if self._legacy and reason == "tool_calls" else reason

    def _call_frame(self, delta: ToolCallDelta) -> str:
        key = delta.index, delta.position
        begins = key not in self._kind_by_call
        kind = self._kind_by_call.setdefault(key, delta.kind)
        if self._legacy:
            return self._legacy_call_frame(delta, begins=begins)
        call: dict[str, Any] = {"index": delta.position}
        if begins:
            call |= _call(delta)
        else:
            call[kind] = {_CONTENT_NAME[kind]: delta.arguments}
        return self._delta(delta.index, {"tool_calls": [call]})

    def _legacy_call_frame(self, delta: ToolCallDelta, *, begins: bool) -> str:
        if delta.position:
            return ""
        name = {"name": delta.name} if begins else {}
        call = {**name, "arguments": delta.arguments}
        return self._delta(delta.index, {"function_call": call})

    def _choice(self, reply: Reply) -> dict[str, Any]:
        reason = self._reason(reply.end.reason) if isinstance(reply.end, Finish) else None
        return {
            "index": reply.index,
            "message": self._message(reply),
            "logprobs": None,
            "finish_reason": reason,
        }

    def _message(self, reply: Reply) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text if reply.text or not reply.tool_calls else None,
            "refusal": None,
            "annotations": [],
        }
        if reply.reasoning:
            message |= self._reasoning(reply.reasoning)
        if reply.tool_calls and self._legacy:
            call = reply.tool_calls[0]
            message["function_call"] = {"name": call.name, "arguments": call.arguments}
        elif reply.tool_calls:
            message["tool_calls"] = [_call(call) for call in reply.tool_calls]
        return message


_CONTENT_NAME: Mapping[ToolKind, str] = {"function": "arguments", "custom": "input"}


def _call(call: ToolCallDelta | ToolCallDone) -> dict[str, Any]:
    content = {"name": call.name, _CONTENT_NAME[call.kind]: call.arguments}
    body: dict[str, Any] = {"id": call.call_id, "type": call.kind, call.kind: content}
    return body if call.extra is None else {**body, "extra_content": call.extra}


def _envelope(meta: ReplyMeta, kind: str) -> dict[str, Any]:
    return {"id": meta.id, "object": kind, "created": meta.created, "model": meta.model}


def _usage(usages: Iterable[Usage]) -> dict[str, Any]:
    """The tokens of all choices: the prompt they share once, what each of them said added up."""
    known = list(usages) or [Usage()]
    prompt = max(usage.prompt_tokens for usage in known)
    completion = sum(usage.completion_tokens for usage in known)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": max(usage.cached_tokens for usage in known),
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": sum(usage.reasoning_tokens for usage in known),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
