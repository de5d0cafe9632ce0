"""Arguments of tool calls between JSON text, as we keep them, and objects, as some dialects do."""

from __future__ import annotations

from typing import Any, cast

from poeflask.core import json_text
from poeflask.endpoints.shapes import handed_on


def as_object(arguments: str) -> dict[str, Any]:
    """The arguments as the object that they should be.

    Text that is no JSON object, as broken calls and free text are, is kept under "input".
    """
    if not arguments.strip():
        return {}
    try:
        value = json_text.read(arguments)
    except json_text.NotJsonError:
        value = arguments
    return cast(dict[str, Any], value) if isinstance(value, dict) else {"input": value}


def as_text(value: object, param: str) -> str:
    """A call's arguments as a client sends them back: an object, JSON text, or none.

    Raises:
        ClientError: kind INVALID_REQUEST, if they are anything else.
    """
    match value:
        case None:
            return "{}"
        case str():
            return value or "{}"
    return json_text.write(handed_on(value, param))
