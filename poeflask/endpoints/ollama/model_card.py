"""Bots as Ollama lists and shows its models. What only files of weights have is empty."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from poeflask.core import json_text
from poeflask.core.bot import Bot
from poeflask.endpoints.ollama.encode import timestamp

_FAMILY = "poe"
_THINKING_WORDS = ("thinking", "reasoning")


def tags(bots: Iterable[Bot]) -> dict[str, Any]:
    """The answer of /api/tags."""
    return {"models": [_listed(bot) for bot in bots]}


def card(bot: Bot) -> dict[str, Any]:
    """The answer of /api/show."""
    info: dict[str, Any] = {"general.architecture": _FAMILY, "general.basename": bot.handle}
    if bot.context_tokens is not None:
        info[f"{_FAMILY}.context_length"] = bot.context_tokens
    return {
        "license": "",
        "modelfile": f"# {bot.handle} is a bot of Poe's; there is no Modelfile.",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": _details(bot),
        "model_info": info,
        "capabilities": capabilities(bot),
        "modified_at": timestamp(bot.created_s),
    }


def capabilities(bot: Bot) -> list[str]:
    """What the bot can do, in Ollama's words. Bots without tools of their own are taught them."""
    names = [parameter.name.lower() for parameter in bot.parameters]
    thinks = any(word in name for word in _THINKING_WORDS for name in names)
    can = {
        "completion": True,
        "tools": "text" in bot.output_modalities,
        "vision": "image" in bot.input_modalities,
        "thinking": bool(bot.reasoning) or thinks,
    }
    return [word for word, is_so in can.items() if is_so]


def _listed(bot: Bot) -> dict[str, Any]:
    name = f"{bot.handle}:latest"
    return {
        "name": name,
        "model": name,
        "modified_at": timestamp(bot.created_s),
        "size": 0,
        "digest": _digest(bot),
        "details": _details(bot),
    }


def _digest(bot: Bot) -> str:
    """Changes when what Poe says of the bot does: clients remember by it what they were shown."""
    described = json_text.write([bot.handle, bot.entry])
    return hashlib.sha256(described.encode()).hexdigest()


def _details(bot: Bot) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "",
        "family": _FAMILY,
        "families": [_FAMILY],
        "parameter_size": "",
        "quantization_level": "",
    }
