"""Who is measured, and in which order."""

from bench.__main__ import compared, turned
from bench.scenarios import SCENARIOS


def test_each_server_begins_in_its_turn():
    """Three rounds are three orders, and each server is once the first."""
    names = ("nginx", "floor", "poeflask")

    assert [
        ("nginx", "floor", "poeflask"),
        ("floor", "poeflask", "nginx"),
        ("poeflask", "nginx", "floor"),
    ] == [turned(names, number) for number in range(3)]


def test_a_peer_is_asked_only_where_there_is_a_goal(monkeypatch):
    """And only if there is a checkout of it."""
    short, leave = (one for one in SCENARIOS if one.name in ("short", "leave"))
    without = compared(short)
    monkeypatch.setattr("bench.__main__.CHECKOUT", "/somewhere")

    assert ("nginx", "poeflask") == without
    assert ("nginx", "poeflask", "poe-api-bridge") == compared(short)
    assert ("nginx", "poeflask") == compared(leave)
