"""Bots as Ollama's models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ollama import ListResponse, ShowResponse

from poeflask.core.bot import Bot
from poeflask.core.profile import Parameter
from poeflask.endpoints.ollama.model_card import capabilities, card, tags

BOT = Bot(id="echo", handle="Echo", created_s=1_780_000_000, entry={"id": "echo"})


def test_the_list_is_one_that_ollama_s_client_reads():
    """With a tag, a time, and a digest of its own for each."""
    other = replace(BOT, id="b", handle="B", entry={"id": "b"})
    got = ListResponse(**tags([BOT, other])).models

    assert ["Echo:latest", "B:latest"] == [model.model for model in got]
    assert 2 == len({model.digest for model in got})
    assert got[0].modified_at is not None
    assert 2026 == got[0].modified_at.year


def test_the_digest_follows_what_poe_says():
    """The same bot has the same one, a changed bot another."""
    again, changed = tags([BOT]), tags([replace(BOT, entry={"id": "echo", "x": 1})])

    assert tags([BOT]) == again
    assert again["models"][0]["digest"] != changed["models"][0]["digest"]


def test_a_card_is_one_that_ollama_s_client_reads():
    """The context stands where clients look for it; what Poe does not say is left out."""
    got = ShowResponse(**card(replace(BOT, context_tokens=200_000)))

    assert got.modelinfo is not None
    assert 200_000 == got.modelinfo[f"{got.modelinfo['general.architecture']}.context_length"]
    assert "poe.context_length" not in card(BOT)["model_info"]


@pytest.mark.parametrize(
    ("bot", "expected"),
    [
        (BOT, ["completion", "tools"]),
        (replace(BOT, input_modalities=("text", "image")), ["completion", "tools", "vision"]),
        (replace(BOT, output_modalities=("image",)), ["completion"]),
        (replace(BOT, reasoning={"required": False}), ["completion", "tools", "thinking"]),
        (
            replace(BOT, parameters=(Parameter(name="enable_thinking"),)),
            ["completion", "tools", "thinking"],
        ),
    ],
)
def test_what_a_bot_can_do_is_told_in_ollama_s_words(bot: Bot, expected: list[str]):
    """Every bot that writes takes tools, by Poe's way or by ours."""
    assert expected == capabilities(bot)
