"""A client that leaves: Poe's connection closes, in every phase, also while Poe is silent."""

from __future__ import annotations

import json
import socket
import time

import pytest

from tests.live.conftest import Live

LIMIT_S = 2.0
"""Less than the time after which poeflask gives a silent bot up by itself."""


def send(live: Live, bot: str, *, stream: bool) -> socket.socket:
    """A connection on which a chat with this bot was just asked for."""
    body = json.dumps(
        {"model": bot, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    ).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client = socket.create_connection(("127.0.0.1", live.port), timeout=10)
    client.sendall(head.encode() + body)
    return client


def aborted(live: Live, bot: str) -> int:
    """How many of the bot's answers lost their reader."""
    return live.simulator.connections().get(bot, {}).get("aborted", 0)


def wait_for(condition: object) -> float:
    """Seconds until the condition holds; fails after LIMIT_S."""
    assert callable(condition)
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > LIMIT_S:
            pytest.fail("It did not happen in time.")
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("bot", ["Silent-Before", "Silent-Start", "Silent-Middle"])
def test_poes_connection_closes(live: Live, bot: str, stream: bool) -> None:
    """Before the first byte, in the middle, and while a whole answer is awaited."""
    before = aborted(live, bot)
    open_before = live.simulator.connections().get(bot, {}).get("open", 0)
    client = send(live, bot, stream=stream)
    wait_for(lambda: live.simulator.connections().get(bot, {}).get("open", 0) > open_before)
    if bot == "Silent-Middle" and stream:
        client.recv(100)
    client.close()

    assert wait_for(lambda: aborted(live, bot) > before) < LIMIT_S


def test_poes_connection_closes_while_it_talks(live: Live) -> None:
    """A reader that leaves a running stream ends it."""
    before = aborted(live, "Slow-Talker")
    client = send(live, "Slow-Talker", stream=True)
    client.recv(100)
    client.close()

    assert wait_for(lambda: aborted(live, "Slow-Talker") > before) < LIMIT_S


def test_nothing_is_asked_again_for_a_client_that_left(live: Live) -> None:
    """No retry follows a hang-up."""
    live.simulator.reset()
    client = send(live, "Silent-Before", stream=False)
    wait_for(lambda: len(live.simulator.queries()) == 1)
    client.close()
    time.sleep(1)

    assert 1 == len(live.simulator.queries())


def test_heartbeats_while_poe_is_silent(live: Live) -> None:
    """A silent stream is kept alive by comments, and ends when Poe has been silent too long."""
    client = send(live, "Silent-Middle", stream=True)
    client.settimeout(10)
    received = b""
    while b"0\r\n\r\n" not in received:
        piece = client.recv(65536)
        assert piece
        received += piece
    client.close()

    assert received.count(b": ping\n\n") >= 2
    assert b'"code":"timeout"' in received
    assert b"data: [DONE]" in received
