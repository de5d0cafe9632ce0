"""Names that other APIs give to models find the bot that they mean."""

from __future__ import annotations

import pytest

from poeflask.core.model_names import ModelNames

LISTED = (
    "Assistant",
    "Claude-Opus-4.6",
    "Claude-Sonnet-4.6",
    "Claude-Haiku-4.5",
    "Claude-Sonnet-4.5",
    "Claude-Code",
    "Claude-Opus-4.5",
    "Claude-Opus-4.5-Search",
    "Claude-Sonnet-4",
    "Claude-Sonnet-3.7",
    "Claude-Haiku-3.5",
    "Claude-Haiku-3",
    "GPT-4o",
    "GPT-4.1-mini",
    "Gemini-2.5-Pro",
    "Llama-3.1-405B",
)
NAMES = ModelNames(LISTED)

MEANT = {
    "claude-sonnet-4-5-20250929": "Claude-Sonnet-4.5",
    "claude-sonnet-4-5": "Claude-Sonnet-4.5",
    "claude-sonnet-4.5": "Claude-Sonnet-4.5",
    "claude-opus-4-6[1m]": "Claude-Opus-4.6",
    "claude-opus-4-5-20251101[1m]": "Claude-Opus-4.5",
    "claude-haiku-4-5": "Claude-Haiku-4.5",
    "claude-3-5-haiku-latest": "Claude-Haiku-3.5",
    "claude-3-5-haiku-20241022": "Claude-Haiku-3.5",
    "claude-3-haiku-20240307": "Claude-Haiku-3",
    "claude-sonnet-4-0": "Claude-Sonnet-4",
    "claude-sonnet-4-20250514": "Claude-Sonnet-4",
    "claude-3-7-sonnet-latest": "Claude-Sonnet-3.7",
    "anthropic/claude-opus-4.6": "Claude-Opus-4.6",
    "anthropic.claude-sonnet-4-5-20250929-v1:0": "Claude-Sonnet-4.5",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0": "Claude-Haiku-4.5",
    "claude-opus-4-5@20251101": "Claude-Opus-4.5",
    "gpt-4o-2024-08-06": "GPT-4o",
    "openai/gpt-4o": "GPT-4o",
    "GPT_4o": "GPT-4o",
    "gpt-4.1-mini-2025-04-14": "GPT-4.1-mini",
    "gemini-2-5-pro": "Gemini-2.5-Pro",
    "google/gemini-2.5-pro": "Gemini-2.5-Pro",
    "claude-opus-4-5-search": "Claude-Opus-4.5-Search",
}

STAND_INS = {
    "claude-sonnet-9-9": "Claude-Sonnet-4.6",
    "claude-3-5-sonnet-20241022": "Claude-Sonnet-4.6",
    "claude-3-opus-20240229": "Claude-Opus-4.6",
    "claude-haiku-latest": "Claude-Haiku-4.5",
    "claude-haiku": "Claude-Haiku-4.5",
    "claude-fable-5-20260301": "Claude-Sonnet-4.6",
    "claude-instant-1.2": "Claude-Sonnet-4.6",
    "claude-2.1": "Claude-Sonnet-4.6",
}

STRANGERS = (
    "",
    "gpt-9",
    "my-bot",
    "Claude-Opus-9",
    "Claude-Haiku-4.5-v2",
    "claude",
    "claude-helper",
    "claude-my-own-bot",
    "claude-sonnet-4-5-roleplay",
    "x" * 10_000,
    "-" * 200,
)


@pytest.mark.parametrize(("name", "meant"), MEANT.items())
def test_another_spelling_means_the_same_bot(name: str, meant: str):
    """Dates, vendors, marks, order of words, dots and dashes make no difference."""
    assert meant == NAMES.find(name)


@pytest.mark.parametrize(("name", "meant"), STAND_INS.items())
def test_a_claude_that_is_not_listed_has_a_stand_in(name: str, meant: str):
    """The newest of its family answers; without a family, the newest Sonnet."""
    assert meant == NAMES.find(name)


@pytest.mark.parametrize("name", STRANGERS)
def test_other_names_mean_nothing_listed(name: str):
    """They may be private bots, which nobody lists; so may names with a capital."""
    assert NAMES.find(name) is None


def test_versions_are_compared_as_numbers():
    """4.10 is newer than 4.9."""
    names = ModelNames(("Claude-Opus-4.9", "Claude-Opus-4.10", "Claude-Opus-4"))

    assert "Claude-Opus-4.10" == names.find("claude-opus-5")


def test_any_claude_is_better_than_none():
    """Without Sonnet, an Opus stands in; without any Claude, the name means nothing."""
    assert "Claude-Opus-4" == ModelNames(("Claude-Opus-4",)).find("claude-haiku-4-5")
    assert ModelNames(("GPT-4o", "Claude-Code")).find("claude-haiku-4-5") is None


def test_of_two_bots_of_one_name_the_first_is_meant():
    """Poe's order decides between spellings that only differ in dots and dashes."""
    assert "GPT-4.1" == ModelNames(("GPT-4.1", "GPT-4-1")).find("openai/gpt-4-1")
