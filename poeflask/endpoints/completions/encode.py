"""Reply events as OpenAI's legacy completions: chunks of a stream, or one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from poeflask.core.dialect import openai_error
from poeflask.core.json_text import write
from poeflask.core.reply import (
    Failure,
    Finish,
    FinishReason,
    Pause,
    Reply,
    ReplyEvent,
    ReplyMeta,
    TextDelta,
    Usage,
    gather_all,
)

_DONE = "data: [DONE]\n\n"
_HEARTBEAT = ": ping\n\n"
_FRAME_END = "}\n\n"

_REASONS: Mapping[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "stop",
}
"""This API knows no calls."""


class CompletionEncoder:
    """Writes the completions of one or more prompts.

    What the bot thought is left out: this API has no place for it. The filters have settled all
    replacements and made files into text before.

    Args:
        meta: id, time and model, the same in every chunk.
        texts: the texts that are gone on with.
        n: how many choices each text gets; choice i belongs to text i // n.
        echo: whether each choice begins with its text.
        include_usage: whether the stream ends with its usage.
    """

    text_frame = None

    def __init__(
        self,
        meta: ReplyMeta,
        texts: Sequence[str],
        *,
        n: int = 1,
        echo: bool = False,
        include_usage: bool = False,
    ) -> None:
        self._meta = meta
        self._texts = tuple(texts)
        self._n = n
        self._echo = echo
        self._include_usage = include_usage
        envelope = write(_envelope(meta))
        self._chunk_head = f"data: {envelope[:-1]},"
        self._chunk_end = f',"usage":null{_FRAME_END}' if include_usage else _FRAME_END
        self._opened: set[int] = set()
        self._usage_by_index: dict[int, Usage] = {}
        self._failed = False

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The chunks for the next events, as one string."""
        frames: list[str] = []
        for event in events:
            if self._failed:
                break
            frames.append(self._frames(event))
        return "".join(frames)

    def close(self) -> str:
        """The usage, if it was asked for, and the end mark. After an error only the end mark."""
        if self._failed or not self._include_usage:
            return _DONE
        usage = write(self._usage(self._usage_by_index))
        return f'{self._chunk_head}"choices":[],"usage":{usage}{_FRAME_END}{_DONE}'

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The `text_completion` object of all choices."""
        replies = gather_all(events)
        usages = {reply.index: reply.usage for reply in replies if reply.usage is not None}
        return {
            **_envelope(self._meta),
            "choices": [self._choice(reply) for reply in replies],
            "usage": self._usage(usages),
        }

    def heartbeat(self) -> str:
        """A comment, which every reader of server-sent events skips."""
        return _HEARTBEAT

    def _frames(self, event: ReplyEvent) -> str:
        match event:
            case TextDelta(text, index):
                return self._chunk(index, self._lead(index) + text, None)
            case Finish(reason, index):
                return self._chunk(index, self._lead(index), _REASONS[reason])
            case Usage() as usage:
                self._usage_by_index[usage.index] = usage
            case Failure(error):
                self._failed = True
                return f"data: {write(openai_error(error, self._meta.id).body)}\n\n"
            case Pause():
                pass
        return ""

    def _chunk(self, index: int, text: str, reason: str | None) -> str:
        choice = write({"text": text, "index": index, "logprobs": None, "finish_reason": reason})
        return f'{self._chunk_head}"choices":[{choice}]{self._chunk_end}'

    def _lead(self, index: int) -> str:
        """What stands before the first piece of a choice: its text if it is echoed."""
        if index in self._opened:
            return ""
        self._opened.add(index)
        return self._texts[self._text_number(index)] if self._echo else ""

    def _text_number(self, index: int) -> int:
        """Which text a choice belongs to; a bot's further answers come behind all others."""
        return index % (len(self._texts) * self._n) // self._n

    def _choice(self, reply: Reply) -> dict[str, Any]:
        lead = self._texts[self._text_number(reply.index)] if self._echo else ""
        return {
            "text": lead + reply.text,
            "index": reply.index,
            "logprobs": None,
            "finish_reason": _REASONS[reply.end.reason] if isinstance(reply.end, Finish) else None,
        }

    def _usage(self, usages: Mapping[int, Usage]) -> dict[str, Any]:
        """The tokens of all choices: each prompt once, what each choice said added up."""
        by_text: dict[int, list[Usage]] = {}
        for index, usage in usages.items():
            by_text.setdefault(self._text_number(index), []).append(usage)
        prompt = sum(max(one.prompt_tokens for one in said) for said in by_text.values())
        cached = sum(max(one.cached_tokens for one in said) for said in by_text.values())
        completion = sum(usage.completion_tokens for usage in usages.values())
        reasoning = sum(usage.reasoning_tokens for usage in usages.values())
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }


def _envelope(meta: ReplyMeta) -> dict[str, Any]:
    return {
        "id": meta.id,
        "object": "text_completion",
        "created": meta.created,
        "model": meta.model,
    }
