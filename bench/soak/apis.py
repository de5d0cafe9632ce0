"""How each API is asked, and what its answers say. Pure: bytes in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class WrongAnswerError(Exception):
    """An answer was not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Api:
    """One API: how it is asked, and where its texts stand.

    Attributes:
        path: for a bot, streamed or not.
        body: for a bot and a text, streamed or not.
        piece: the text within one event of a stream.
        whole: the text within a whole answer.
        ends: what a complete stream holds in its last events.
    """

    path: Callable[[str, bool], str]
    body: Callable[[str, str, bool], Mapping[str, Any]]
    piece: Callable[[Any], str]
    whole: Callable[[Any], str]
    ends: bytes


def _at(path: str) -> Callable[[str, bool], str]:
    return lambda bot, stream: path


def _chat(bot: str, text: str, stream: bool) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": bot, "stream": stream, "messages": messages}


def _delta(event: Any) -> str:
    choices = event.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or choices[0].get("text") or ""


def _gemini_text(answer: Any) -> str:
    parts = answer["candidates"][0]["content"].get("parts", [])
    return "".join(part.get("text", "") for part in parts)


APIS = {
    "chat": Api(
        _at("/v1/chat/completions"),
        _chat,
        _delta,
        lambda answer: answer["choices"][0]["message"]["content"],
        b"data: [DONE]",
    ),
    "completions": Api(
        _at("/v1/completions"),
        lambda bot, text, stream: {"model": bot, "stream": stream, "prompt": text},
        _delta,
        lambda answer: answer["choices"][0]["text"],
        b"data: [DONE]",
    ),
    "responses": Api(
        _at("/v1/responses"),
        lambda bot, text, stream: {"model": bot, "stream": stream, "input": text},
        lambda event: event["delta"] if event["type"] == "response.output_text.delta" else "",
        lambda answer: answer["output"][-1]["content"][0]["text"],
        b"event: response.completed",
    ),
    "messages": Api(
        _at("/v1/messages"),
        lambda bot, text, stream: {**_chat(bot, text, stream), "max_tokens": 4000},
        lambda event: event.get("delta", {}).get("text", ""),
        lambda answer: answer["content"][0]["text"],
        b"event: message_stop",
    ),
    "gemini": Api(
        lambda bot, stream: (
            f"/v1beta/models/{bot}:"
            + ("streamGenerateContent?alt=sse" if stream else "generateContent")
        ),
        lambda bot, text, stream: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        _gemini_text,
        _gemini_text,
        b'"finishReason":"STOP"',
    ),
    "ollama": Api(
        _at("/api/chat"),
        _chat,
        lambda event: event.get("message", {}).get("content", ""),
        lambda answer: answer["message"]["content"],
        b'"done":true',
    ),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """One request to be made.

    Attributes:
        leave_s: after how long its client leaves; None if it stays.
        interval_ms: how long the bot waits after each word.
        limit_s: how long the answer may take.
    """

    api: str
    bot: str
    text: str
    stream: bool
    leave_s: float | None = None
    interval_ms: int = 0
    limit_s: float = 90.0


def request_bytes(wish: Wish) -> bytes:
    """The request as it is sent."""
    api = APIS[wish.api]
    body = dict(api.body(wish.bot, wish.text, wish.stream))
    if wish.interval_ms:
        body["poe"] = {"interval_ms": wish.interval_ms}
    sent = json.dumps(body).encode()
    head = (
        f"POST {api.path(wish.bot, wish.stream)} HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n"
        "Authorization: Bearer k\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def status_and_body(answer: bytes) -> tuple[int, bytes]:
    """The answer taken apart; a chunked body is put together.

    Raises:
        WrongAnswerError: it is not framed as it should be.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 "):
        raise WrongAnswerError(f"no answer: {answer[:60]!r}")
    if b"transfer-encoding: chunked" not in head.lower():
        return int(head[9:12]), body
    pieces: list[bytes] = []
    while True:
        size, _, rest = body.partition(b"\r\n")
        if not size:
            raise WrongAnswerError(f"the stream broke off behind {pieces[-1:]}")
        count = int(size, 16)
        if not count:
            return int(head[9:12]), b"".join(pieces)
        pieces.append(rest[:count])
        body = rest[count + 2 :]


def text_of(wish: Wish, body: bytes) -> str:
    """The text that an answer holds.

    Raises:
        WrongAnswerError: a stream has not its proper end.
    """
    api = APIS[wish.api]
    if not wish.stream:
        return api.whole(json.loads(body))
    if api.ends not in body[-6000:]:
        raise WrongAnswerError(f"no end: {body[-200:]!r}")
    if b'"error":{' in body:
        raise WrongAnswerError(f"an error: {body[-300:]!r}")
    lines = body.splitlines()
    found = [line.removeprefix(b"data: ") for line in lines if line.startswith((b"data: {", b"{"))]
    return "".join(api.piece(json.loads(line)) for line in found)
