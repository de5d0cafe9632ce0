"""All bots of the simulator, by name; and what Poe's model list says of those it lists."""

from __future__ import annotations

from typing import Any

from poeflask.simulator.bot import Bot
from poeflask.simulator.bots import BOTS
from poeflask.simulator.faults import FAULTS
from poeflask.simulator.json_bots import JSON_BOTS
from poeflask.simulator.tool_bots import TOOL_BOTS

ROSTER: dict[str, Bot] = {bot.name.lower(): bot for bot in (*BOTS, *TOOL_BOTS, *JSON_BOTS, *FAULTS)}
"""Each bot under its name in small letters: Poe does not tell the case of names apart."""

CREATED_MS = 1_767_225_600_000
"""When Poe's list says that our bots were made: milliseconds, the first second of 2026."""


def model_list(base_url: str) -> dict[str, Any]:
    """What GET /v1/models answers; fault bots are not in it, as private bots are not in Poe's."""
    listed = [_model(bot, base_url) for bot in ROSTER.values() if bot.listed]
    return {"object": "list", "data": listed}


def bot_list() -> list[dict[str, str]]:
    """Every bot with what it does."""
    return [{"name": bot.name, "description": bot.description} for bot in ROSTER.values()]


def _model(bot: Bot, base_url: str) -> dict[str, Any]:
    name = bot.name.lower()
    shows_text = bot.gives == ("text",)
    length = {"context_length": bot.context_tokens, "max_output_tokens": 8_000}
    return {
        "id": name,
        "object": "model",
        "created": CREATED_MS,
        "description": bot.description,
        "owned_by": "Simulator",
        "root": name,
        "architecture": {
            "input_modalities": list(bot.takes),
            "output_modalities": list(bot.gives),
            "modality": f"{','.join(bot.takes)}->{','.join(bot.gives)}",
        },
        "supported_features": ["tools"] if bot.tools else [],
        "supported_endpoints": ["/v1/chat/completions"] if shows_text else [],
        "pricing": {"prompt": "0.000001", "completion": "0.000002"} if shows_text else None,
        "context_window": length if shows_text else None,
        "context_length": bot.context_tokens if shows_text else None,
        "metadata": {
            "display_name": bot.name,
            "image": {
                "url": f"{base_url}/simulator/icon",
                "alt": bot.name,
                "width": 64,
                "height": 64,
            },
            "url": f"{base_url}/{bot.name}",
        },
        "reasoning": _reasoning(bot),
        "parameters": [
            {
                "name": knob.name,
                "schema": dict(knob.schema),
                "default_value": knob.default,
                "description": knob.description,
            }
            for knob in bot.knobs
        ],
    }


def _reasoning(bot: Bot) -> dict[str, Any] | None:
    knobs = {knob.name: knob for knob in bot.knobs}
    if "thinking_budget" not in knobs:
        return None
    most = knobs["thinking_budget"].schema["maximum"]
    return {
        "budget": {"max_tokens": most, "min_tokens": 0},
        "required": False,
        "supports_reasoning_effort": "reasoning_effort" in knobs,
    }
