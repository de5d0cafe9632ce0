"""Reply events as Ollama's answers: a line of JSON for each piece, or one object.

Ollama's answers have room for one answer to a prompt; further ones that a bot gives are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from poeflask.core.dialect import ollama_error
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
    ToolCallDone,
    Usage,
    gather,
)
from poeflask.endpoints.call_arguments import as_object
from poeflask.endpoints.file_links import file_as_text

Form = Literal["chat", "generate"]

_NANOSECONDS = 1_000_000_000

_REASONS: Mapping[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "stop",
    "content_filter": "content_filter",
}


class OllamaEncoder:
    """Writes one answer of /api/chat or /api/generate.

    Args:
        meta: time and model, the same in every line.
        clock: seconds since 1970; the answer's durations are measured by it.
        form: which of the two it is.
        show_thinking: whether the bot's thoughts are part of the answer.
    """

    def __init__(
        self,
        meta: ReplyMeta,
        *,
        clock: Callable[[], float],
        form: Form = "chat",
        show_thinking: bool = True,
    ) -> None:
        self._meta = meta
        self._clock = clock
        self._form = form
        self._show_thinking = show_thinking
        self._envelope = _envelope(meta)
        self._text_head = _text_head(meta, form)
        self._began_s = clock()
        self._first_s: float | None = None
        self.text_frame: tuple[bytes, bytes] | None = None
        self._calls: list[ToolCallDelta] = []
        self._usage = Usage()
        self._over = False

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The lines for the next events; nothing more after the answer's end."""
        lines: list[str] = []
        for event in events:
            if self._over:
                break
            lines.append(self._lines(file_as_text(event)))
        return "".join(lines)

    def close(self) -> str:
        """Nothing: the last line says that it is the last."""
        return ""

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The answer as one object."""
        reply = gather(file_as_text(event) for event in events if _is_of_first(event))
        self._usage = reply.usage or self._usage
        reason = reply.end.reason if isinstance(reply.end, Finish) else "stop"
        thinking = reply.reasoning if self._show_thinking else ""
        said = _said(self._form, reply.text, thinking, reply.tool_calls)
        return {**self._envelope, **said, **self._end(reason)}

    def heartbeat(self) -> str:
        """A line that adds nothing, as Ollama itself writes them beside thoughts and calls."""
        return f'{self._text_head}""{_TEXT_TAIL[self._form]}'

    def _lines(self, event: ReplyEvent) -> str:
        if isinstance(event, Pause) or event.index:
            return ""
        match event:
            case TextDelta(text):
                self._has_begun()
                return f"{self._text_head}{write(text)}{_TEXT_TAIL[self._form]}"
            case ReasoningDelta(text):
                self._has_begun()
                return self._line(_said(self._form, "", text)) if self._show_thinking else ""
            case ToolCallDelta():
                self._has_begun()
                self._calls.append(event)
            case Usage():
                self._usage = event
            case Finish(reason):
                self._over, self.text_frame = True, None
                return self._call_line() + self._line(_said(self._form), self._end(reason))
            case Failure(error):
                self._over, self.text_frame = True, None
                return write(ollama_error(error, self._meta.id).body) + "\n"
        return ""

    def _has_begun(self) -> None:
        if self._first_s is None:
            self._first_s = self._clock()
            tail = _TEXT_TAIL[self._form]
            self.text_frame = self._text_head.encode("utf-8"), tail.encode("utf-8")

    def _call_line(self) -> str:
        """All calls at once: their arguments are objects, which cannot come in pieces."""
        calls = gather(self._calls).tool_calls
        return self._line(_said(self._form, calls=calls)) if calls else ""

    def _line(self, said: Mapping[str, Any], end: Mapping[str, Any] | None = None) -> str:
        return write({**self._envelope, **said, **(end or {"done": False})}) + "\n"

    def _end(self, reason: FinishReason) -> dict[str, Any]:
        now_s = self._clock()
        first_s = self._began_s if self._first_s is None else self._first_s
        return {
            "done": True,
            "done_reason": _REASONS[reason],
            "total_duration": nanoseconds(now_s - self._began_s),
            "load_duration": 0,
            "prompt_eval_count": self._usage.prompt_tokens,
            "prompt_eval_duration": nanoseconds(first_s - self._began_s),
            "eval_count": self._usage.completion_tokens,
            "eval_duration": nanoseconds(now_s - first_s),
        }


def loaded(meta: ReplyMeta, form: Form, *, unload: bool) -> dict[str, Any]:
    """The answer to a request that asks nothing: bots are always there."""
    reason = "unload" if unload else "load"
    return {**_envelope(meta), **_said(form), "done": True, "done_reason": reason}


def timestamp(seconds: float) -> str:
    """A time as Go reads and writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def nanoseconds(seconds: float) -> int:
    """A duration as Ollama tells it; never 0, since clients divide by it."""
    return max(1, round(seconds * _NANOSECONDS))


def _envelope(meta: ReplyMeta) -> dict[str, Any]:
    return {"model": meta.model, "created_at": timestamp(meta.created)}


def _text_head(meta: ReplyMeta, form: Form) -> str:
    """A line up to its text, which is nearly all that changes from line to line."""
    key = '"message":{"role":"assistant","content":' if form == "chat" else '"response":'
    return f"{write(_envelope(meta))[:-1]},{key}"


_TEXT_TAIL: Mapping[Form, str] = {
    "chat": '},"done":false}\n',
    "generate": ',"done":false}\n',
}


def _said(
    form: Form, text: str = "", thinking: str = "", calls: Sequence[ToolCallDone] = ()
) -> dict[str, Any]:
    """The part of a line that the bot said, in either form."""
    thoughts = {"thinking": thinking} if thinking else {}
    made = {"tool_calls": [_call(i, call) for i, call in enumerate(calls)]} if calls else {}
    if form == "generate":
        return {"response": text, **thoughts, **made}
    return {"message": {"role": "assistant", "content": text, **thoughts, **made}}


def _call(position: int, call: ToolCallDone) -> dict[str, Any]:
    function = {"index": position, "name": call.name, "arguments": as_object(call.arguments)}
    return {"id": call.call_id, "function": function}


def _is_of_first(event: ReplyEvent) -> bool:
    return isinstance(event, Pause) or not event.index
