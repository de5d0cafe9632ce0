"""The body of POST /v1/videos: which fields there are and what each may hold."""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import Envelope, Name, Table, Words

MAX_PROMPT_CHARS = 32_000


class VideoEnvelope(Envelope):
    """POST /v1/videos; a picture in a form's files is no field. `input_image` is Poe's own word."""

    model = Name(required=True)
    prompt = Name(MAX_PROMPT_CHARS, required=True)
    seconds = fields.Raw()
    size = Words()
    input_reference = fields.Raw()
    input_image = Words()
    negative_prompt = Words()
    user = Words()
    poe = Table()
    extra_body = Table()


VIDEO_ENVELOPE = VideoEnvelope()
