"""What a simulated bot is."""

from __future__ import annotations

from collections.abc import Iterator

from poeflask.simulator.bot import Bot
from poeflask.simulator.query import Query


def _wave(query: Query) -> Iterator[object]:
    """Wave.

    At you,
    twice.
    """
    yield query


def _mute(query: Query) -> Iterator[object]:
    yield query


def test_what_a_bot_does_is_told_in_one_line() -> None:
    """Its docstring, without the breaks; nothing if it has none."""
    assert "Wave. At you, twice." == Bot("Waver", _wave).description
    assert "" == Bot("Mute", _mute).description


def test_a_bot_takes_and_gives_text_and_is_listed() -> None:
    """Unless it says otherwise."""
    bot = Bot("Waver", _wave)

    assert (("text",), ("text",), True, False) == (bot.takes, bot.gives, bot.listed, bot.tools)
