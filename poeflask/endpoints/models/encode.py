"""A bot as a model object that satisfies OpenAI's clients and Anthropic's at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from poeflask.core.bot import Bot


def model(bot: Bot) -> dict[str, Any]:
    """The model object: OpenAI's fields, Anthropic's beside them, and what Poe knows besides."""
    created = datetime.fromtimestamp(bot.created_s, UTC)
    return {
        "id": bot.handle,
        "object": "model",
        "created": bot.created_s,
        "owned_by": bot.owned_by,
        "type": "model",
        "display_name": bot.handle,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "description": bot.description,
        "context_length": bot.context_tokens,
        "max_output_tokens": bot.max_output_tokens,
        "max_input_tokens": bot.context_tokens,
        "max_tokens": bot.max_output_tokens,
        "architecture": {
            "input_modalities": list(bot.input_modalities),
            "output_modalities": list(bot.output_modalities),
        },
        "supported_features": list(bot.features),
        "parameters": _parameters(bot.entry.get("parameters")),
        "pricing": dict(bot.pricing) or None,
        "reasoning": dict(bot.reasoning) or None,
    }


def _parameters(value: Any) -> list[Any]:
    """What the bot can be set to, in Poe's own words, which may be none."""
    return (
        [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    )


def model_list(bots: tuple[Bot, ...]) -> Mapping[str, Any]:
    """All models as one page, which it always is."""
    data = [model(bot) for bot in bots]
    return {
        "object": "list",
        "data": data,
        "has_more": False,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }
