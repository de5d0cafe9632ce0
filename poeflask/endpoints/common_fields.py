"""What requests of several dialects have in common beside their own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from marshmallow import Schema

from poeflask.core.prompt import Message

SkipSystemPrompt = Literal["auto", "always", "never"]

_HEADER_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def unknown_fields(sent: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], list[str]]:
    """Fields that the schema does not know: those with plain values, and the names of the others.

    A plain value may be a bot's own parameter that an SDK's `extra_body` put beside the known
    fields; only the bot's profile can tell.
    """
    unknown = {
        name: value
        for name, value in sent.items()
        if name not in schema.fields and value is not None
    }
    plain = {name: value for name, value in unknown.items() if _is_plain(value)}
    others = [name for name in unknown if name not in plain and _HEADER_SAFE.fullmatch(name)]
    return plain, others


def own_parameters(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The bot's own parameters; `poe` is the deliberate place for them and wins."""
    return {**envelope.get("extra_body", {}), **envelope.get("poe", {})}


def skips_system_prompt(wish: SkipSystemPrompt, messages: Iterable[Message]) -> bool:
    """Whether the bot leaves its own persona aside: "auto" if the client brought one."""
    if wish == "auto":
        return any(message.role == "system" for message in messages)
    return wish == "always"


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int)) or (isinstance(value, float) and abs(value) < float("inf"))
