"""A cheap upstream: Poe's way of answering a query, and OpenAI's for the pass-through beside it.

`python -m bench.upstream PORT` serves on 127.0.0.1. What a bot answers stands in its name
(`bench.scenarios.Answer`). As servers do, it sends each event as an HTTP chunk of its own.
`GET /left` tells when each client left that did not hear its answer to the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import cache

from bench.scenarios import Answer, word

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_SILENCE_S = 60

left_at: list[float] = []
"""When clients left early, in seconds of the system's monotonic clock."""


def _chunk(event: str) -> bytes:
    content = event.encode()
    return b"%x\r\n%b\r\n" % (len(content), content)


def _poe_event(text: str) -> str:
    return f"event: text\r\ndata: {json.dumps({'text': text})}\r\n\r\n"


def _openai_event(text: str) -> str:
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**chunk, 'choices': [delta]})}\n\n"


_FORMS = {
    True: (_poe_event, "event: done\r\ndata: {}\r\n\r\n"),
    False: (_openai_event, "data: [DONE]\n\n"),
}


@cache
def _pieces(name: str, poe: bool) -> tuple[tuple[bytes, ...], bytes]:
    """The chunks of an answer, and what ends it."""
    write, end = _FORMS[poe]
    words = tuple(_chunk(write(word(number))) for number in range(Answer.of(name).events))
    return words, _chunk(end) + b"0\r\n\r\n"


async def _stream(name: str, poe: bool, writer: asyncio.StreamWriter) -> None:
    answer = Answer.of(name)
    words, end = _pieces(name, poe)
    writer.write(_STREAM_HEAD)
    if not answer.gap_ms:
        writer.write(b"".join(words) + end)
        await writer.drain()
        return
    for number, piece in enumerate(words):
        writer.write(piece)
        silent = answer.style == "silent" and number == 0
        await asyncio.sleep(_SILENCE_S if silent else answer.gap_ms / 1000)
    writer.write(end)


def _json(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def _other(path: str, asked: dict[str, object]) -> bytes:
    """What is answered whole."""
    if path == "/left":
        return _json(left_at)
    if path == "/v1/models":
        return _json({"object": "list", "data": [{"id": "plain", "object": "model"}]})
    text = Answer.of(str(asked["model"])).text
    message = {"role": "assistant", "content": text}
    return _json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


async def _answer(
    path: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    if path.startswith("/bot/"):
        await _watched(_stream(path.removeprefix("/bot/"), True, writer), reader)
        return
    asked = json.loads(body) if body else {}
    if asked.get("stream"):
        await _watched(_stream(asked["model"], False, writer), reader)
    else:
        writer.write(_other(path, asked))


async def _watched(answer: asyncio.Coroutine, reader: asyncio.StreamReader) -> None:
    """Give the answer, but only as long as the client is there."""
    giving = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(reader.read(1))
    await asyncio.wait((giving, leaving), return_when=asyncio.FIRST_COMPLETED)
    left = not giving.done()
    giving.cancel()
    leaving.cancel()
    await asyncio.wait((giving, leaving))
    if left:
        left_at.append(time.monotonic())
        raise ConnectionResetError


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split()[1]
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
            body = await reader.readexactly(int(fields.get("content-length", 0)))
            await _answer(path, body, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port: int) -> None:
    """Serve until the process ends."""
    server = await asyncio.start_server(_serve, "127.0.0.1", port, limit=1 << 22, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
