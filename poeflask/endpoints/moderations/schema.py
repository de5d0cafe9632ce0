"""The body of POST /v1/moderations, and the form that a bot's judgement must have."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from poeflask.endpoints.shapes import Envelope, Words

MAX_INPUTS = 32
"""Each is a question of its own to the bot, paid for on its own."""

MAX_PARTS = 64

TEXT_ONLY = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "sexual/minors",
)
"""Categories by which pictures are not judged, as with OpenAI."""

PICTURES_TOO = (
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "violence",
    "violence/graphic",
)
CATEGORIES = tuple(sorted((*TEXT_ONLY, *PICTURES_TOO)))

JUDGEMENT: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "number", "minimum": 0, "maximum": 1} for name in CATEGORIES},
    "required": list(CATEGORIES),
    "additionalProperties": False,
}
"""A score for each category."""


class ModerationEnvelope(Envelope):
    """A request to judge; `decode` reads the input, which has three forms."""

    input = fields.Raw()
    model = Words()


MODERATION_ENVELOPE = ModerationEnvelope()
