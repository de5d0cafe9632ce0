"""A bot as a model object that satisfies OpenAI's clients and Anthropic's at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from poeflask.core.bot import Bot
from poeflask.core.override import KnownBot
from poeflask.endpoints.shapes import wrong


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
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def known_model(known: KnownBot) -> dict[str, Any]:
    """All that is known of a bot, for the owner: what clients see, what the owner says, and whence.

    `sources` says for each value that may differ whether it is Poe's, the owner's (from
    `models.yaml`), or what holds for every bot of which nothing is said.
    """
    override = known.override
    profile = override.applied(known.bot.profile)
    return {
        **model(known.bot),
        "listed_by_poe": known.is_listed,
        "shown": known.shows_its_name,
        "hidden": bool(override.hidden),
        "disabled": bool(override.disabled),
        "custom": bool(override.custom),
        "shadowed_by": known.shadowed_by or None,
        "aliases": list(override.aliases),
        "groups": list(known.groups),
        "fallbacks": list(override.fallbacks),
        "default_parameters": dict(override.parameters),
        "native_tools": profile.native_tools,
        "tools": profile.tools_mode,
        "thinking_marks": profile.thinking_marks,
        "buffered": profile.buffered,
        "flags": profile.flags,
        "sources": _sources(known),
    }


def known_list(bots: Iterable[KnownBot]) -> dict[str, Any]:
    """Every bot that is known, hidden and disabled ones too."""
    return {"object": "list", "data": [known_model(known) for known in bots]}


def _sources(known: KnownBot) -> dict[str, str]:
    from_poe = "poe" if known.is_listed else "default"
    described = dict.fromkeys(_DESCRIBED_BY, from_poe)
    treated = dict.fromkeys(_TREATED_BY, "default")
    said = {
        name: "models.yaml"
        for name, attribute in {**_DESCRIBED_BY, **_TREATED_BY}.items()
        if getattr(known.override, attribute) not in _SAYS_NOTHING
    }
    return {**described, **treated, **said}


_SAYS_NOTHING: tuple[object, ...] = (None, (), {})

_DESCRIBED_BY: Mapping[str, str] = {
    "owned_by": "owner",
    "created": "created_s",
    "description": "description",
    "context_length": "context_tokens",
    "max_output_tokens": "max_output_tokens",
    "input_modalities": "input_modalities",
    "output_modalities": "output_modalities",
    "pricing": "price",
}
_TREATED_BY: Mapping[str, str] = {
    "hidden": "hidden",
    "disabled": "disabled",
    "custom": "custom",
    "aliases": "aliases",
    "fallbacks": "fallbacks",
    "default_parameters": "parameters",
    "tools": "tools",
    "thinking_marks": "reasoning",
    "buffered": "buffered",
    "flags": "flags",
}
"""By the names of values: the attribute of `Override` that says otherwise than Poe, or at all."""


def model_list(bots: Sequence[Bot], *, has_more: bool = False) -> Mapping[str, Any]:
    """Models as one page, which the whole list is too."""
    data = [model(bot) for bot in bots]
    return {
        "object": "list",
        "data": data,
        "has_more": has_more,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


def model_page(
    bots: Sequence[Bot], *, limit: str = "", after_id: str = "", before_id: str = ""
) -> Mapping[str, Any]:
    """The models that Anthropic's clients ask for page by page; without a limit all of them.

    Args:
        bots: all bots.
        limit: the most models of a page, as the client wrote it, or empty.
        after_id: the model behind which the page begins, or empty.
        before_id: the model in front of which it ends, or empty; wins over `after_id`.

    Raises:
        ClientError: kind INVALID_REQUEST, if the limit is no such number or a model is not listed.
    """
    most = _limit(limit) if limit else len(bots)
    if before_id:
        end = _place(bots, before_id, "before_id")
        return model_list(bots[max(0, end - most) : end], has_more=end > most)
    start = _place(bots, after_id, "after_id") + 1 if after_id else 0
    return model_list(bots[start : start + most], has_more=len(bots) > start + most)


_LARGEST_PAGE = 1000


def _limit(limit: str) -> int:
    if limit.isdecimal() and len(limit) < 5 and 1 <= int(limit) <= _LARGEST_PAGE:
        return int(limit)
    raise wrong("limit", f"must be a whole number from 1 to {_LARGEST_PAGE}.")


def _place(bots: Sequence[Bot], name: str, param: str) -> int:
    for place, bot in enumerate(bots):
        if name.lower() in (bot.handle.lower(), bot.id):
            return place
    raise wrong(param, "must be the id of a listed model, such as the last page's last_id.")
