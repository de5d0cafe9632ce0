"""Bots as Google's models."""

from __future__ import annotations

from dataclasses import replace

from poeflask.core.bot import Bot
from poeflask.endpoints.gemini.model_card import card, model_list

BOT = Bot(id="echo", handle="Echo", description="Says what you said.")


def test_a_card_says_what_the_bot_is_and_what_may_be_called():
    """Under the name that stands in its path."""
    got = card(replace(BOT, context_tokens=200_000, max_output_tokens=8_000, reasoning={"a": 1}))

    assert "models/Echo" == got["name"]
    assert (200_000, 8_000) == (got["inputTokenLimit"], got["outputTokenLimit"])
    assert got["thinking"]
    assert "generateContent" in got["supportedGenerationMethods"]


def test_what_poe_does_not_say_is_left_out():
    """No limit is better than a wrong one."""
    assert not {"inputTokenLimit", "outputTokenLimit"} & card(BOT).keys()
    assert not card(BOT)["thinking"]


def test_the_list_is_one_page():
    """In Poe's order, and with no token of another page."""
    other = replace(BOT, handle="B")

    assert {"models": [card(BOT), card(other)]} == model_list([BOT, other])
