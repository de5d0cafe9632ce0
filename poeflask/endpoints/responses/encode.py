"""Reply events as OpenAI's responses: the events of a stream, or one object.

    created, in_progress
        for each item: output_item.added, what is in it, output_item.done
    completed | incomplete | failed
    [DONE]

One walk writes both: a whole response is what the stream's last event holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from poeflask.core.errors import PoeflaskError
from poeflask.core.json_text import write
from poeflask.core.reply import Failure, Finish, FinishReason, ReplyEvent, ReplyMeta, Usage
from poeflask.endpoints.responses.output import Output
from poeflask.endpoints.responses.tools import Naming

_DONE = "data: [DONE]\n\n"
_HEARTBEAT = ": ping\n\n"

_Object = dict[str, Any]

_ENDS: Mapping[FinishReason, tuple[str, _Object | None]] = {
    "stop": ("completed", None),
    "tool_calls": ("completed", None),
    "length": ("incomplete", {"reason": "max_output_tokens"}),
    "content_filter": ("incomplete", {"reason": "content_filter"}),
}


class ResponsesEncoder:
    """Writes one response.

    The filters have settled all replacements and turned files into text before; a file that comes
    nevertheless is written as a link. Parallel answers of one bot follow the first as more items.

    Args:
        meta: id, time and model.
        echo: the response's fields that repeat the request.
        naming: how the bot's names for tools read in the client's words.
        clock: seconds since 1970, asked once, at the end.
        on_final: told of the finished response, once, before the client is.
    """

    text_frame = None

    def __init__(
        self,
        meta: ReplyMeta,
        echo: Mapping[str, Any],
        naming: Naming,
        *,
        clock: Callable[[], float],
        on_final: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._meta = meta
        self._echo = echo
        self._naming = naming
        self._clock = clock
        self._on_final = on_final
        self._frames = _Frames(echo)
        self._output = Output(meta.id, naming, self._frames)
        self._opened = False
        self.final: _Object | None = None

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The frames for the next events; the first call opens the response."""
        self._open()
        for event in events:
            if self.final is None and (end := self._output.take(event)) is not None:
                self._frames.tell_response(self._end(end, self._output))
        return self._frames.take()

    def close(self) -> str:
        """The end mark."""
        return _DONE

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The `response` object; after a Failure, one that says so. `final` is the same object."""
        output = Output(self._meta.id, self._naming, _Nobody())
        ends = [end for event in events if (end := output.take(event)) is not None]
        return self._end(ends[0], output)

    def heartbeat(self) -> str:
        """The response's opening if nothing was told yet; later a comment, which readers skip."""
        self._open()
        return self._frames.take() or _HEARTBEAT

    def unfinished(self, status: Literal["queued", "in_progress"]) -> Mapping[str, Any]:
        """The response before anything of it has come."""
        return self._response(status)

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            opening = self._response("in_progress")
            self._frames.tell_response(opening, "created")
            self._frames.tell_response(opening)

    def _end(self, end: Finish | Failure, output: Output) -> _Object:
        self.final = self._ended(end, output)
        if self._on_final is not None:
            self._on_final(self.final)
        return self.final

    def _ended(self, end: Finish | Failure, output: Output) -> _Object:
        said = {"output": output.items, "usage": _usage(output.usage)}
        if isinstance(end, Failure):
            return self._response("failed", error=_error(end.error), **said)
        status, details = _ENDS[end.reason]
        completed_at = int(self._clock()) if status == "completed" else None
        return self._response(status, completed_at=completed_at, incomplete_details=details, **said)

    def _response(self, status: str, **fields: Any) -> _Object:
        return {
            "id": self._meta.id,
            "object": "response",
            "created_at": self._meta.created,
            "completed_at": None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self._meta.model,
            "output": [],
            "usage": None,
            **fields,
            **self._echo,
        }


class _Frames:
    """Writes what happens as frames and numbers them."""

    def __init__(self, echo: Mapping[str, Any]) -> None:
        self._echo = echo
        self._echo_text = write(echo)[1:]
        self._written: list[str] = []
        self._heads: dict[str, str] = {}
        self._count = 0

    def take(self) -> str:
        """What was written since the last time."""
        text = "".join(self._written)
        self._written.clear()
        return text

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        self._write(name, write(fields)[1:])

    def delta(self, name: str, place: str, text: str) -> None:
        head = self._heads.get(name) or self._heads.setdefault(name, _head(name))
        self._written.append(f'{head}{self._count},"delta":{write(text)},{place}\n\n')
        self._count += 1

    def tell_response(self, response: Mapping[str, Any], name: str = "") -> None:
        """The event that the response is now as it says; the echo, often long, is written once."""
        own = {field: value for field, value in response.items() if field not in self._echo}
        fields = f'"response":{write(own)[:-1]},{self._echo_text}}}'
        self._write(name or response["status"], fields)

    def _write(self, name: str, fields: str) -> None:
        self._written.append(f"{_head(name)}{self._count},{fields}\n\n")
        self._count += 1


def _head(name: str) -> str:
    """The frame of an event up to its number."""
    return f'event: response.{name}\ndata: {{"type":"response.{name}","sequence_number":'


class _Nobody:
    """Hears everything and tells nobody."""

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        pass

    def delta(self, name: str, place: str, text: str) -> None:
        pass


def _error(error: PoeflaskError) -> _Object:
    """The error in a response, where OpenAI knows few codes: what a server failed at is one.

    Beside them stand "context_length_exceeded" and "insufficient_quota", by which agents decide
    whether to shorten, to stop or to ask again.
    """
    if error.rule.status >= 500:
        return {"code": "server_error", "message": error.message}
    return {
        "code": error.code or error.rule.openai[1] or "invalid_prompt",
        "message": error.message,
    }


def _usage(usage: Usage | None) -> _Object | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
