"""Which answers the soak counts as right."""

import json
import random

import pytest

from bench.soak.apis import Wish
from bench.soak.clients import Tally, check, mixed

HEAD = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\n\r\n"


def counted(bot: str, status: int, body: bytes) -> dict[str, int]:
    """How a whole answer of the chat API is counted; "a b" was asked for."""
    tally = Tally()
    check(Wish("chat", bot, "a b", False), HEAD % status + body, tally)
    return dict(tally.counts)


def said(text: str) -> bytes:
    """A whole answer."""
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@pytest.mark.parametrize(
    ("bot", "status", "body", "as_what"),
    [
        ("Echo", 200, said("a b"), "whole"),
        ("Echo", 200, said("a"), "wrong"),
        ("Echo", 200, b"{", "wrong"),
        ("Echo", 503, b"{}", "wrong"),
        ("Rate-Limited", 200, said("what it likes"), "ended in the stream or well"),
        ("Rate-Limited", 429, b"{}", "refused with 429"),
        ("Rate-Limited", 502, b"<html>", "wrong"),
    ],
)
def test_an_echo_must_be_right_and_a_fault_must_be_told(bot, status, body, as_what):
    """A refusal in JSON is right where a bot fails, and nowhere else."""
    assert {as_what: 1} == counted(bot, status, body)


def test_a_seed_makes_the_same_wishes():
    """So that a run can be repeated."""
    first, second = ([mixed(random.Random(7)) for _ in range(5)] for _ in range(2))

    assert first == second
