"""Clients that ask, read and check: `python -m bench.load PORT SCENARIO [REQUESTS]` tells what.

Every text is compared with what the upstream was to say; an answer that is not exactly that counts
as an error, and its cost means nothing. One loop over bare sockets, as cheap as it can be, because
it runs on the machine that it measures.
"""

from __future__ import annotations

import json
import re
import select
import socket
import statistics
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace

from bench.scenarios import SCENARIOS, WORD_BYTES, Scenario

_LIMIT_S = 150.0
_CONTENT = re.compile(rb'"content": ?"([^"]*)"')
_ARGUMENTS = re.compile(rb'"arguments": ?("(?:[^"\\]|\\.)*")')
_STAMP = re.compile(rb'"content": ?"[0-9a-f]*?([0-9a-f]{16})"')
"""The last of the stamps that came in one event: the others waited for it."""


@dataclass(slots=True)
class Seen:
    """What all clients saw.

    Attributes:
        errors: answers that were not what they should be.
        first_s: seconds to the first text, one for each answer.
        late_s: seconds from the upstream's sending of an event to its arrival.
        left_at: when clients left, in seconds of the system's monotonic clock.
    """

    errors: int = 0
    first_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    left_at: list[float] = field(default_factory=list)


class _Client:
    """One connection that asks so many times, one after the other."""

    def __init__(self, port: int, scenario: Scenario, body: bytes, requests: int) -> None:
        self._port = port
        self._scenario = scenario
        self._request = _request(body)
        self.left = requests
        self.socket: socket.socket | None = None
        self._heard: list[bytes] = []
        self._unsent = b""
        self.asked_s = 0.0
        self._began = False

    def ask(self) -> socket.socket:
        """Connect, if there is no connection, and begin to send the request."""
        self.left -= 1
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self._port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.setblocking(False)
        self._unsent, self._heard, self._began = self._request, [], False
        self.asked_s = time.monotonic()
        self.send()
        return self.socket

    def send(self) -> bool:
        """Send what can be sent; whether something is left."""
        if self._unsent and self.socket is not None:
            with suppress(BlockingIOError):
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        return bool(self._unsent)

    def hear(self, seen: Seen) -> bool:
        """Take what has come; whether the answer is over."""
        if self.socket is None:
            return True
        piece = self.socket.recv(1 << 20)
        self._heard.append(piece)
        if not self._began:
            self._begin(seen)
        if self._scenario.answer.timed:
            now_ns = time.monotonic_ns()
            seen.late_s += [(now_ns - int(at, 16)) / 1e9 for at in _STAMP.findall(piece)]
        if self._began and self._scenario.leave:
            seen.left_at.append(time.monotonic())
            self.close()
            return True
        if not piece:
            raise ValueError("the connection broke")
        return self._is_over()

    def _begin(self, seen: Seen) -> None:
        """Note the first text; the role alone is none."""
        heard = b"".join(self._heard)
        said = _ARGUMENTS if self._scenario.answer.calls else _CONTENT
        self._began = any(said.findall(heard)) if self._scenario.stream else bool(heard)
        if self._began:
            seen.first_s.append(time.monotonic() - self.asked_s)

    def _is_over(self) -> bool:
        if self._scenario.stream:
            return b"".join(self._heard[-4:]).endswith(b"\r\n0\r\n\r\n")
        heard = b"".join(self._heard)
        head, _, body = heard.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return bool(length) and len(body) >= length

    def is_right(self) -> bool:
        """Whether the answer is what it should be."""
        heard = b"".join(self._heard)
        if not heard.startswith(b"HTTP/1.1 200"):
            return False
        if not self._scenario.stream:
            return self._is_right_whole(heard.partition(b"\r\n\r\n")[2])
        heard = _without_chunks(heard)
        answer = self._scenario.answer
        if answer.timed:
            said = b"".join(_CONTENT.findall(heard))
            stamps = [said[at : at + WORD_BYTES] for at in range(0, len(said), WORD_BYTES)]
            return len(stamps) == answer.events and stamps == sorted(stamps)
        if answer.calls:
            text = "".join(map(json.loads, _ARGUMENTS.findall(heard)))
        else:
            text = b"".join(_CONTENT.findall(heard)).decode()
        return text == answer.text and b"data: [DONE]" in heard

    def _is_right_whole(self, body: bytes) -> bool:
        said = json.loads(body)
        if self._scenario.prompt is None:
            return all(model["id"] for model in said["data"]) and bool(said["data"])
        return bool(said["choices"][0]["message"]["content"] == self._scenario.answer.text)

    def close(self) -> None:
        """Leave."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _request(body: bytes) -> bytes:
    """A question, or without a body one for the list of models."""
    head = b"Host: bench\r\nAuthorization: Bearer k\r\n"
    if not body:
        return b"GET /v1/models HTTP/1.1\r\n%b\r\n" % head
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\n%bContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (head, len(body), body)
    )


def _without_chunks(heard: bytes) -> bytes:
    """An answer without the framing of its body, which may stand in the middle of an event."""
    place = heard.index(b"\r\n\r\n") + 4
    pieces = [heard[:place]]
    while place < len(heard):
        line_end = heard.index(b"\r\n", place)
        size = int(heard[place:line_end], 16)
        pieces.append(heard[line_end + 2 : line_end + 2 + size])
        place = line_end + size + 4
    return b"".join(pieces)


class _Clients:
    """All clients of one scenario; they begin one after the other, within a given time."""

    def __init__(self, port: int, scenario: Scenario) -> None:
        each = scenario.requests // scenario.clients
        body = scenario.body()
        self._scenario = scenario
        self._waiting = [_Client(port, scenario, body, each) for _ in range(scenario.clients)]
        self._asking: dict[int, _Client] = {}
        self._leaving: deque[tuple[float, _Client]] = deque()
        self._epoll = select.epoll()
        self.seen = Seen()

    def run(self) -> None:
        """Until all have asked all their questions, or time is up."""
        began_s = time.monotonic()
        step_s = self._scenario.ramp_s / self._scenario.clients
        started = 0
        while (self._waiting or self._asking) and time.monotonic() - began_s < _LIMIT_S:
            while self._waiting and time.monotonic() - began_s >= started * step_s:
                self._ask(self._waiting.pop())
                started += 1
            for fileno, happened in self._epoll.poll(self._patience_s(step_s)):
                self._happened(self._asking[fileno], happened)
            while self._leaving and self._leaving[0][0] <= time.monotonic():
                self._leave(self._leaving.popleft()[1])
        self.seen.errors += len(self._waiting) + len(self._asking)

    def _patience_s(self, step_s: float) -> float:
        if self._waiting:
            return step_s
        return max(0.0, self._leaving[0][0] - time.monotonic()) if self._leaving else 1.0

    def _leave(self, client: _Client) -> None:
        if client.socket is not None:
            self.seen.left_at.append(time.monotonic())
            self._end(client, client.socket.fileno(), stays=False)

    def _ask(self, client: _Client) -> None:
        fileno = client.ask().fileno()
        if self._scenario.leave_after_s:
            self._leaving.append((client.asked_s + self._scenario.leave_after_s, client))
        self._asking[fileno] = client
        wanted = select.EPOLLIN | (select.EPOLLOUT if client.send() else 0)
        self._epoll.register(fileno, wanted)

    def _happened(self, client: _Client, happened: int) -> None:
        fileno = client.socket.fileno() if client.socket is not None else -1
        if happened & select.EPOLLOUT and not client.send():
            self._epoll.modify(fileno, select.EPOLLIN)
        if not happened & ~select.EPOLLOUT:
            return
        try:
            if not client.hear(self.seen):
                return
            right = self._scenario.leave or client.is_right()
        except (OSError, ValueError, LookupError):
            right = False
        self.seen.errors += not right
        self._end(client, fileno, stays=right)

    def _end(self, client: _Client, fileno: int, *, stays: bool) -> None:
        del self._asking[fileno]
        if client.socket is not None:
            self._epoll.unregister(fileno)
        if not stays or not client.left:
            client.close()
        if client.left:
            self._ask(client)


def load(port: int, scenario: Scenario) -> dict[str, object]:
    """Run one scenario's clients against a server; gives what they saw."""
    clients = _Clients(port, scenario)
    clients.run()
    seen = clients.seen
    return {
        "errors": seen.errors,
        "first_s": statistics.median(seen.first_s or [0.0]),
        "late_s": statistics.median(seen.late_s or [0.0]),
        "left_at": seen.left_at,
    }


if __name__ == "__main__":
    chosen = next(one for one in SCENARIOS if one.name == sys.argv[2])
    if len(sys.argv) > 3:
        chosen = replace(chosen, requests=int(sys.argv[3]))
    print(json.dumps(load(int(sys.argv[1]), chosen)))
