"""What goes on on one connection: broken bodies, several requests, early bytes."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.live.conftest import Live
from tests.live.test_client_gone import aborted, send, wait_for

HEAD = (
    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
    "Content-Type: application/json\r\n"
)


def chat(bot: str, *, stream: bool) -> bytes:
    """A whole request."""
    body = json.dumps(
        {"model": bot, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    )
    return f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
def wire(live: Live) -> Iterator[socket.socket]:
    """A bare connection."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as made:
        yield made


def receive(wire: socket.socket, until: bytes) -> bytes:
    """All that comes up to this, or up to the end of the connection."""
    received = b""
    while until not in received:
        piece = wire.recv(65536)
        if not piece:
            break
        received += piece
    return received


@pytest.mark.parametrize(
    "chunks", [b'5\r\n{"a":\r\nxyz\r\n', b"-1\r\n", b"2\r\n{}}\r\n0\r\n\r\n", b"5\r\n{}"]
)
def test_a_chunked_body_that_is_framed_wrong(wire: socket.socket, chunks: bytes) -> None:
    """It is the request that is wrong, and the answer says so in the API's shape."""
    wire.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
    wire.shutdown(socket.SHUT_WR)
    got = receive(wire, b"}}")

    assert got.startswith(b"HTTP/1.1 400 ")
    assert b'"type":"invalid_request_error"' in got


def test_requests_that_follow_each_other_early_are_all_answered(wire: socket.socket) -> None:
    """Nothing of the second is lost to whoever watches the first."""
    wire.sendall(chat("Echo", stream=True) + chat("Echo", stream=False))
    got = receive(wire, b'"chat.completion"')

    assert 2 == got.count(b"HTTP/1.1 200 ")
    assert 1 == got.count(b"data: [DONE]")


def test_a_second_request_during_an_answer_waits_for_its_turn(
    live: Live, wire: socket.socket
) -> None:
    """It is no hang-up: the running answer goes on to its end."""
    wire.sendall(chat("Slow-Talker", stream=True))
    got = receive(wire, b"data: ")
    wire.sendall(chat("Echo", stream=False))
    got += receive(wire, b'"chat.completion"')

    assert b"client_closed" not in got
    assert 2 == got.count(b"HTTP/1.1 200 ")
    assert got.index(b"data: [DONE]") < got.index(b'"chat.completion"')


def test_a_client_that_leaves_after_early_bytes_is_noticed(live: Live) -> None:
    """Also then Poe's connection closes, though there is something left to read."""
    before = aborted(live, "Silent-Start")
    opened = live.simulator.connections().get("Silent-Start", {}).get("open", 0)
    client = send(live, "Silent-Start", stream=False)
    client.sendall(b"\r\n")
    wait_for(lambda: live.simulator.connections().get("Silent-Start", {}).get("open", 0) > opened)
    client.close()

    assert wait_for(lambda: aborted(live, "Silent-Start") > before) < 2


def test_many_requests_on_one_connection(live: Live) -> None:
    """Each is watched anew, and the end of one does not disturb the next."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer k"
        body = {"model": "Echo", "messages": [{"role": "user", "content": "hi"}]}
        got = [
            session.post(
                f"{live.url}/v1/chat/completions", json={**body, "stream": bool(number % 2)}
            ).status_code
            for number in range(10)
        ]

    assert [200] * 10 == got


def test_the_log_tells_how_a_stream_really_ended(live: Live) -> None:
    """Its status was 200 when it broke off; the line names what broke it."""
    marks = {"Silent-Middle": "poe_timeout", "Slow-Talker": "client_gone"}
    for bot in marks:
        client = send(live, bot, stream=True)
        receive(client, b"data: [DONE]" if bot == "Silent-Middle" else b"data: ")
        client.close()

    wait_for(lambda: set(marks.items()) <= outcomes(live))


def outcomes(live: Live) -> set[tuple[str, str]]:
    """(model, outcome) of all chats in the log."""
    lines = [line for line in live.log.read_text().splitlines() if "chat/completions" in line]
    told = [
        re.search(r"model=(\S+).*outcome=(\w+)", re.sub(r"\x1b\[\d*m", "", line)) for line in lines
    ]
    return {(found[1], found[2]) for found in told if found}
