"""Server-sent events of OpenAI's APIs for pictures and sounds: a name, a type, and no end mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from poeflask.core.dialect import openai_error
from poeflask.core.errors import PoeflaskError
from poeflask.core.json_text import write

HEARTBEAT = ": ping\n\n"
"""A comment, which every reader of server-sent events skips."""


def event_frame(kind: str, data: Mapping[str, Any]) -> str:
    """One event; its type stands in front of it and in it."""
    return f"event: {kind}\ndata: {write({'type': kind, **data})}\n\n"


def error_frame(error: PoeflaskError) -> str:
    """The event that ends a stream which cannot go on."""
    return event_frame("error", openai_error(error, "").body)
