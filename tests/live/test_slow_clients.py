"""Clients that are slow on purpose: each part of a request and of an answer has its time."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from gevent.pool import Pool

from tests.live.conftest import Live, Simulator, serving
from tests.live.test_client_gone import aborted
from tests.raw_requests import Heard, ask, say

LIMIT_S = 1.0
HEADER_S = 2.0
SLACK_S = 5.0
"""So much later it may be where other programs have the processors."""
HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
    "Content-Type: application/json\r\n"
)


@pytest.fixture(scope="module")
def strict(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask that waits a second for a body and for a reader."""
    with serving(
        simulator,
        tmp_path_factory.mktemp("strict"),
        POEFLASK_BODY_TIMEOUT_S=str(LIMIT_S),
        POEFLASK_SEND_TIMEOUT_S=str(LIMIT_S),
    ) as live:
        yield live


SLOW = {
    "nothing": b"",
    "a line": b"POST /v1/chat",
    "headers without their end": HEAD.encode(),
    "half a body": f"{HEAD}Content-Length: 50\r\n\r\n".encode() + b'{"a":',
    "half a chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + b'5\r\n{"a',
    "half a chunk's size": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + b"5",
}


@pytest.fixture(scope="module")
def heard(strict: Live) -> dict[str, Heard]:
    """What each of them is told, all waiting together."""
    answers = Pool().map(lambda sent: ask(strict.port, sent), SLOW.values())
    return dict(zip(SLOW, answers, strict=True))


@pytest.mark.parametrize("begun", ["nothing", "a line", "headers without their end"])
def test_headers_must_come_soon(heard: dict[str, Heard], begun: str) -> None:
    """A connection on which no request arrives is closed without a word."""
    assert heard[begun].closed
    assert heard[begun].text == b""
    assert heard[begun].took_s < HEADER_S + SLACK_S


@pytest.mark.parametrize("begun", ["half a body", "half a chunk", "half a chunk's size"])
def test_a_body_must_come_soon(heard: dict[str, Heard], begun: str) -> None:
    """Else its client hears that it was too slow, and the connection closes."""
    assert (408,) == heard[begun].statuses[:1]
    assert b'"code":"request_timeout"' in heard[begun].text
    assert heard[begun].closed
    assert heard[begun].took_s < LIMIT_S + HEADER_S + SLACK_S


def test_headers_that_drip_must_come_soon_too(strict: Live) -> None:
    """The time is that of all of them, not of each."""
    with socket.create_connection(("127.0.0.1", strict.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            drip(client)

    assert time.monotonic() - began < HEADER_S + SLACK_S


def drip(client: socket.socket) -> None:
    """Send a header now and again for ten seconds."""
    for _ in range(100):
        client.sendall(b"X-A: 1\r\n")
        time.sleep(0.1)


def small_reader(live: Live) -> socket.socket:
    """A client that takes only little ahead."""
    client = socket.socket()
    client.settimeout(10)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", live.port))
    return client


def listening(live: Live, bot: str, stream: bool, **poe: int) -> socket.socket:
    """A client with a small buffer that has asked this bot and reads nothing yet."""
    asked = {"model": bot, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    body = json.dumps({**asked, "poe": poe})
    client = small_reader(live)
    client.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return client


def worker_bytes(live: Live) -> int:
    """How much memory its worker holds."""
    (worker,) = Path(f"/proc/{live.pid}/task/{live.pid}/children").read_text().split()
    return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * 4096


def running(live: Live, bot: str) -> int:
    """How many answers this bot is giving."""
    return live.simulator.connections().get(bot, {}).get("open", 0)


def test_who_reads_nothing_is_cut_off(strict: Live) -> None:
    """The answer ends, Poe's connection closes, and little was kept meanwhile."""
    # What tokens are counted by is loaded for the first answer, and stays.
    with listening(strict, "Echo", stream=False) as client:
        assert b"200 OK" in client.recv(1000)
    before, cut_before = worker_bytes(strict), aborted(strict, "Flood")
    with listening(strict, "Flood", stream=True, words=5_000_000):
        deadline = time.monotonic() + LIMIT_S + SLACK_S
        most = before
        while aborted(strict, "Flood") == cut_before:
            most = max(most, worker_bytes(strict))
            assert time.monotonic() < deadline
            time.sleep(0.02)

        assert 0 == running(strict, "Flood")
        assert most - before < 32 * 2**20


def test_who_reads_nothing_of_a_file_is_cut_off(strict: Live) -> None:
    """What is sent whole is not kept for ever for someone who never takes it."""
    size = 16_000_000
    kept = requests.post(
        f"{strict.url}/v1/files",
        headers={"Authorization": "Bearer k"},
        files={"file": ("a.bin", bytes(size))},
        data={"purpose": "user_data"},
        timeout=20,
    ).json()
    with small_reader(strict) as client:
        path = f"/v1/files/{kept['id']}/content"
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n".encode()
        )
        time.sleep(LIMIT_S + 1)
        heard = say(client, b"")

    assert (200,) == heard.statuses
    assert heard.closed
    assert len(heard.text) < size


def test_who_reads_slowly_is_served(strict: Live) -> None:
    """As long as something is read now and then, the answer goes on to its end."""
    with listening(strict, "Flood", stream=True, words=60_000) as client:
        got = b""
        for _ in range(12):
            got += client.recv(65536)
            time.sleep(LIMIT_S / 4)
        while b"[DONE]" not in got[-200:]:
            piece = client.recv(1 << 20)
            assert piece
            got += piece

    assert b"59999" in got[-1000:]
