"""Bots as Google lists its models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from poeflask.core.bot import Bot

_METHODS = ("generateContent", "streamGenerateContent", "countTokens")


def model_list(bots: Iterable[Bot]) -> dict[str, Any]:
    """All models as one page, which it always is."""
    return {"models": [card(bot) for bot in bots]}


def card(bot: Bot) -> dict[str, Any]:
    """The model object; limits that Poe does not tell are left out."""
    told: dict[str, Any] = {
        "name": f"models/{bot.handle}",
        "baseModelId": bot.handle,
        "version": "001",
        "displayName": bot.handle,
        "description": bot.description,
        "supportedGenerationMethods": list(_METHODS),
        "maxTemperature": 2,
        "thinking": bool(bot.reasoning),
    }
    if bot.context_tokens is not None:
        told["inputTokenLimit"] = bot.context_tokens
    if bot.max_output_tokens is not None:
        told["outputTokenLimit"] = bot.max_output_tokens
    return told
