"""How each API is asked over HTTP, and how its streams say errors and end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

HELLO = [{"role": "user", "content": "Hello"}]


@dataclass(frozen=True)
class Seen:
    """What a client saw of one answer.

    Attributes:
        status: the HTTP status.
        error: the body or the frame that tells of an error; empty if there was none.
        ended: whether the stream ended as this API's streams do, or the body was JSON.
        text: all that came.
        took_s: how long it took.
    """

    status: int
    error: str
    ended: bool
    text: str
    took_s: float


@dataclass(frozen=True, eq=False)
class Dialect:
    """One API.

    Attributes:
        path: the path, with the bot's name in it if it belongs there; for streams and whole.
        body: what is sent beside the model and the wish for a stream.
        is_end: whether the frames end as a stream does.
        errors: how a frame begins that tells of an error.
        streams: whether it streams at all.
    """

    name: str
    path: Callable[[str, bool], str]
    body: dict[str, Any]
    is_end: Callable[[list[str]], bool]
    errors: tuple[str, ...]
    streams: bool = True

    def ask(self, url: str, bot: str, *, stream: bool, key: str = "any-key", **more: Any) -> Seen:
        """What a client sees of this bot's answer."""
        sent = {**self.body, **more}
        if self.name != "gemini":
            sent |= {"model": bot, **({"stream": stream} if self.streams else {})}
        answer = requests.post(
            url + self.path(bot, stream),
            json=sent,
            headers={"Authorization": f"Bearer {key}", **_VERSION.get(self.name, {})},
            timeout=30,
        )
        return self.seen(answer)

    def seen(self, answer: requests.Response) -> Seen:
        """An answer, read as this API's."""
        text = answer.content.decode()
        took_s = answer.elapsed.total_seconds()
        if answer.status_code != 200:
            return Seen(answer.status_code, text, bool(json.loads(text)), text, took_s)
        if answer.headers["Content-Type"].startswith("application/json"):
            return Seen(200, "", bool(json.loads(text)), text, took_s)
        frames = [frame for frame in text.split(self._between) if frame]
        errors = [frame for frame in frames if frame.startswith(self.errors)]
        return Seen(200, "".join(errors), self.is_end(frames), text, took_s)

    @property
    def _between(self) -> str:
        return "\n" if self.name in ("ollama", "generate") else "\n\n"


_VERSION = {"messages": {"anthropic-version": "2023-06-01"}}
_OPENAI_ERROR = ('data: {"error":{',)


def _at(path: str) -> Callable[[str, bool], str]:
    return lambda bot, stream: path


def _gemini(bot: str, stream: bool) -> str:
    return f"/v1beta/models/{bot}:" + (
        "streamGenerateContent?alt=sse" if stream else "generateContent"
    )


def _is_done(frames: list[str]) -> bool:
    return frames[-1] == "data: [DONE]"


def _ends_with(*begins: str) -> Callable[[list[str]], bool]:
    return lambda frames: frames[-1].startswith(begins)


_ENDED_RESPONSE = _ends_with("event: response.completed\n", "event: response.failed\n")


DIALECTS = (
    Dialect("chat", _at("/v1/chat/completions"), {"messages": HELLO}, _is_done, _OPENAI_ERROR),
    Dialect("completions", _at("/v1/completions"), {"prompt": "Hello"}, _is_done, _OPENAI_ERROR),
    Dialect(
        "responses",
        _at("/v1/responses"),
        {"input": "Hello"},
        lambda frames: _ENDED_RESPONSE(frames[:-1]) and _is_done(frames),
        ("event: response.failed\n",),
    ),
    Dialect(
        "messages",
        _at("/v1/messages"),
        {"messages": HELLO, "max_tokens": 100},
        _ends_with("event: message_stop\n", "event: error\n"),
        ("event: error\n",),
    ),
    Dialect(
        "gemini",
        _gemini,
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
        lambda frames: '"finishReason"' in frames[-1] or frames[-1].startswith(_OPENAI_ERROR),
        _OPENAI_ERROR,
    ),
    Dialect(
        "ollama",
        _at("/api/chat"),
        {"messages": HELLO},
        lambda frames: '"done":true' in frames[-1] or frames[-1].startswith('{"error":'),
        ('{"error":',),
    ),
    Dialect(
        "generate",
        _at("/api/generate"),
        {"prompt": "Hello"},
        lambda frames: '"done":true' in frames[-1] or frames[-1].startswith('{"error":'),
        ('{"error":',),
    ),
)
"""All that answer with text, streamed or whole."""

MAKERS = (
    Dialect("images", _at("/v1/images/generations"), {"prompt": "Hello"}, _is_done, (), False),
    Dialect(
        "speech", _at("/v1/audio/speech"), {"input": "Hello", "voice": "x"}, _is_done, (), False
    ),
)
"""Those that answer with files."""
