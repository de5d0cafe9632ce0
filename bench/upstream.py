"""A cheap upstream: Poe's way of answering a query, and OpenAI's for the pass-through beside it.

`python -m bench.upstream PORT` serves on 127.0.0.1. What a bot answers stands in its name
(`bench.scenarios.Answer`). As servers do, it sends each event as an HTTP chunk of its own.
`GET /left` tells when each client left that did not hear its answer to the end.

One loop over bare sockets: it must send tens of thousands of events a second beside what it
measures, and on the same machine.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from functools import cache
from itertools import count

from bench.scenarios import Answer, stamp

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_LAST = b"0\r\n\r\n"
_SILENCE_S = 60.0

left_at: list[float] = []
"""When clients left early, in seconds of the system's monotonic clock."""


def _content(text: str) -> dict[str, object]:
    return {"content": text}


def _argument(piece: str) -> dict[str, object]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _call() -> dict[str, object]:
    head = {"name": "write", "arguments": ""}
    call = {"index": 0, "id": "call_1", "type": "function", "function": head}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _openai_chunk(delta: dict[str, object], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return json.dumps({**chunk, "choices": [choice]})


def _openai_event(data: str) -> str:
    return f"data: {data}\n\n"


def _json_event(data: str) -> str:
    return f"event: json\r\ndata: {data}\r\n\r\n"


def _poe_event(text: str) -> str:
    return f"event: text\r\ndata: {json.dumps({'text': text})}\r\n\r\n"


def _chunk(event: str) -> bytes:
    content = event.encode()
    return b"%x\r\n%b\r\n" % (len(content), content)


_ENDS = {True: "event: done\r\ndata: {}\r\n\r\n", False: "data: [DONE]\n\n"}


def _events(answer: Answer, poe: bool) -> list[str]:
    """A call is told by Poe as OpenAI tells it, within events of its own."""
    if answer.calls:
        write = _json_event if poe else _openai_event
        chunks = [_openai_chunk(_call())]
        chunks += [_openai_chunk(_argument(piece)) for piece in answer.pieces()]
        return [write(data) for data in (*chunks, _openai_chunk({}, "tool_calls"))]
    said = [stamp(0)] * answer.events if answer.timed else answer.pieces()
    if poe:
        return [_poe_event(text) for text in said]
    return [_openai_event(_openai_chunk(_content(text))) for text in said]


@cache
def _pieces(name: str, poe: bool) -> tuple[bytes, ...]:
    """What is sent of an answer, one after the other; a stamp still stands as a pattern."""
    answer = Answer.of(name)
    pieces = [_chunk(event) for event in _events(answer, poe)]
    pieces.append(_chunk(_ENDS[poe]) + _LAST)
    if not answer.gap_ms:
        return (_HEAD + b"".join(pieces),)
    return (_HEAD + pieces[0], *pieces[1:])


def _whole(value: object) -> bytes:
    body = json.dumps(value).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


class _Connection:
    """One client, and the answer that it is being given."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.received = bytearray()
        self.unsent = b""
        self.rest: Iterator[bytes] | None = None
        self.gap_s = 0.0
        self.timed = False
        self.silent = False

    def next_piece(self) -> bytes | None:
        """The next piece of a paced answer; None behind the last."""
        piece = next(self.rest, None) if self.rest is not None else None
        if piece is None:
            self.rest = None
        elif self.timed:
            piece = piece.replace(stamp(0).encode(), stamp(time.monotonic_ns()).encode())
        return piece


class _Upstream:
    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._connections: dict[int, _Connection] = {}
        self._due: list[tuple[float, int, _Connection]] = []
        self._number = count()

    def run(self) -> None:
        while True:
            wait_s = max(0.0, self._due[0][0] - time.monotonic()) if self._due else -1
            for fileno, happened in self._epoll.poll(wait_s):
                if fileno == self._listener.fileno():
                    self._accept()
                elif (known := self._connections.get(fileno)) is not None:
                    self._happened(known, happened)
            while self._due and self._due[0][0] <= time.monotonic():
                at_s, _, due = heapq.heappop(self._due)
                self._go_on(due, at_s)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[client.fileno()] = _Connection(client)
        self._epoll.register(client, select.EPOLLIN)

    def _happened(self, known: _Connection, happened: int) -> None:
        if happened & select.EPOLLOUT:
            self._send(known, b"")
        if happened & ~select.EPOLLOUT:
            self._receive(known)

    def _receive(self, known: _Connection) -> None:
        try:
            data = known.client.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(known)
            return
        known.received += data
        head_end = known.received.find(b"\r\n\r\n") + 4
        if head_end < 4:
            return
        head = known.received[:head_end].decode("latin-1").lower()
        end = head_end + int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
        if len(known.received) >= end:
            path = known.received.split(b" ", 2)[1].decode()
            body = bytes(known.received[head_end:end])
            del known.received[:end]
            self._answer(known, path, body)

    def _answer(self, known: _Connection, path: str, body: bytes) -> None:
        if path.startswith("/bot/"):
            self._stream(known, path.removeprefix("/bot/"), poe=True)
        elif path == "/left":
            self._send(known, _whole(left_at))
        elif path == "/v1/models":
            self._send(known, _whole({"data": [{"id": "plain", "object": "model"}]}))
        elif path.startswith("/upload"):
            link = "https://pfst.cf2.poecdn.net/base/image/1"
            self._send(known, _whole({"attachment_url": link, "mime_type": "image/png"}))
        else:
            self._complete(known, json.loads(body))

    def _complete(self, known: _Connection, asked: dict[str, object]) -> None:
        """OpenAI's way."""
        name = str(asked["model"])
        if asked.get("stream"):
            self._stream(known, name, poe=False)
            return
        answer = Answer.of(name)
        message = {"role": "assistant", "content": answer.text}
        known.rest = iter([_whole({"choices": [{"index": 0, "message": message}]})])
        known.gap_s, known.timed, known.silent = 0.0, False, False
        self._go_on(known, time.monotonic() + answer.events * answer.gap_ms / 1000)

    def _stream(self, known: _Connection, name: str, *, poe: bool) -> None:
        answer = Answer.of(name)
        known.rest = iter(_pieces(name, poe))
        known.gap_s = answer.gap_ms / 1000
        known.timed, known.silent = answer.timed, answer.style == "silent"
        self._go_on(known, time.monotonic() + (known.gap_s if answer.timed else 0.0))

    def _go_on(self, known: _Connection, at_s: float) -> None:
        if known.rest is None:
            return
        wait_s = at_s - time.monotonic()
        if wait_s <= 0:
            piece = known.next_piece()
            if piece is None:
                return
            self._send(known, piece)
            at_s += _SILENCE_S if known.silent else known.gap_s
        heapq.heappush(self._due, (at_s, next(self._number), known))

    def _send(self, known: _Connection, piece: bytes) -> None:
        had = bool(known.unsent)
        known.unsent += piece
        try:
            known.unsent = known.unsent[known.client.send(known.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._close(known)
            return
        if bool(known.unsent) != had:
            wanted = select.EPOLLIN | (select.EPOLLOUT if known.unsent else 0)
            self._epoll.modify(known.client, wanted)

    def _close(self, known: _Connection) -> None:
        if known.rest is not None or known.unsent:
            left_at.append(time.monotonic())
        known.rest = None
        if self._connections.pop(known.client.fileno(), None) is not None:
            self._epoll.unregister(known.client)
            known.client.close()


if __name__ == "__main__":
    _Upstream(int(sys.argv[1])).run()
