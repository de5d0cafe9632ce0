"""The bodies of POST /v1/images/…: which fields there are and what each may hold."""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import Array, Envelope, Flag, Name, Table, Whole, Words

MAX_PICTURES = 10
"""Each picture is a question of its own to the bot, paid for on its own. OpenAI's bound, too."""

MAX_REFERENCES = 16
MAX_PROMPT_CHARS = 32_000

_QUALITIES = ("low", "medium", "high", "xhigh", "max", "auto", "standard", "hd")


class _ImageEnvelope(Envelope):
    """What all three have in common."""

    model = Name(required=True)
    n = Whole(1, MAX_PICTURES)
    size = Words()
    response_format = Words("url", "b64_json")
    user = Words()
    safety_identifier = Words()
    negative_prompt = Words()
    poe = Table()
    extra_body = Table()


class _DrawingEnvelope(_ImageEnvelope):
    """What generations and edits have in common."""

    prompt = Name(MAX_PROMPT_CHARS, required=True)
    quality = Words(*_QUALITIES)
    style = Words()
    background = Words("transparent", "opaque", "auto")
    moderation = Words()
    output_format = Words("png", "webp", "jpeg", "jpg", "gif", "svg")
    output_compression = Whole(0, 100)
    stream = Flag()
    partial_images = Whole(0, 3)
    complexity = Words()
    frame_count = Whole(1, 1000)
    frame_duration_ms = Whole(1, 60_000)
    svg = Table()


class GenerationEnvelope(_DrawingEnvelope):
    """POST /v1/images/generations."""


class EditEnvelope(_DrawingEnvelope):
    """POST /v1/images/edits; pictures in a form's files are no fields."""

    image = fields.Raw()
    images = Array(MAX_REFERENCES)
    mask = fields.Raw()
    markup = fields.Raw()
    input_fidelity = Words("high", "low")


class VariationEnvelope(_ImageEnvelope):
    """POST /v1/images/variations."""

    image = fields.Raw()


GENERATION_ENVELOPE = GenerationEnvelope()
EDIT_ENVELOPE = EditEnvelope()
VARIATION_ENVELOPE = VariationEnvelope()
