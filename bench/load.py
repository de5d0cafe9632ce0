"""Clients that ask, read and check: `python -m bench.load PORT SCENARIO` prints what they saw.

Every text is compared with what the upstream was to say; an answer that is not exactly that counts
as an error, and its cost means nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

from bench.scenarios import SCENARIOS, Scenario

_LIMIT_S = 60


@dataclass(slots=True)
class Seen:
    """What all clients saw.

    Attributes:
        errors: answers that were not what they should be.
        first_s: seconds to the first text, one for each answer.
        left_at: when clients left, in seconds of the system's monotonic clock.
    """

    errors: int = 0
    first_s: list[float] = field(default_factory=list)
    left_at: list[float] = field(default_factory=list)


class _Client:
    """One connection, kept alive."""

    def __init__(self, port: int, scenario: Scenario, seen: Seen) -> None:
        self._port = port
        self._scenario = scenario
        self._seen = seen
        self._body = scenario.body()
        self._text = scenario.answer.text

    async def run(self, requests: int) -> None:
        for _ in range(requests):
            try:
                await asyncio.wait_for(self._ask(), _LIMIT_S)
            except (OSError, ValueError, LookupError, asyncio.IncompleteReadError, TimeoutError):
                self._seen.errors += 1

    async def _ask(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer k\r\n"
                b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(self._body), self._body)
            )
            await self._hear(reader, time.monotonic())
        finally:
            writer.transport.abort() if self._scenario.leave else writer.close()

    async def _hear(self, reader: asyncio.StreamReader, asked: float) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError
        body = b""
        heard = False
        while not _is_whole(head, body):
            piece = await reader.read(1 << 16)
            if not piece:
                raise ValueError
            body += piece
            if not heard and _says_something(body, self._scenario.stream):
                heard = True
                self._seen.first_s.append(time.monotonic() - asked)
                if self._scenario.leave:
                    self._seen.left_at.append(time.monotonic())
                    return
        if _text(head, body, self._scenario.stream) != self._text:
            raise ValueError


def _is_whole(head: bytes, body: bytes) -> bool:
    if b"chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    return len(body) >= int(fields[b"content-length"])


def _says_something(body: bytes, stream: bool) -> bool:
    """Whether the first word has come; the role alone is none."""
    return b"               0" in body if stream else bool(body)


def _text(head: bytes, body: bytes, stream: bool) -> str:
    if b"chunked" in head.lower():
        body = _without_chunks(body)
    if not stream:
        return json.loads(body)["choices"][0]["message"]["content"]
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    if lines.pop() != b"[DONE]":
        raise ValueError
    deltas = [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def _without_chunks(body: bytes) -> bytes:
    pieces = []
    place = 0
    while place < len(body):
        line_end = body.index(b"\r\n", place)
        size = int(body[place:line_end], 16)
        pieces.append(body[line_end + 2 : line_end + 2 + size])
        place = line_end + size + 4
    return b"".join(pieces)


async def load(port: int, scenario: Scenario) -> Seen:
    """Run one scenario's clients against a server."""
    seen = Seen()
    each = scenario.requests // scenario.clients
    clients = [_Client(port, scenario, seen) for _ in range(scenario.clients)]
    await asyncio.gather(*(client.run(each) for client in clients))
    return seen


if __name__ == "__main__":
    chosen = next(one for one in SCENARIOS if one.name == sys.argv[2])
    result = asyncio.run(load(int(sys.argv[1]), chosen))
    print(json.dumps({name: getattr(result, name) for name in Seen.__slots__}))
