"""A request for pictures as a Prompt, wishes and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from marshmallow import Schema

from poeflask.core.form import Form
from poeflask.core.picture_size import is_size
from poeflask.core.prompt import File, Message, Prompt, Text
from poeflask.endpoints.common_fields import own_parameters, unknown_fields
from poeflask.endpoints.form_body import as_body, as_file
from poeflask.endpoints.images.schema import (
    EDIT_ENVELOPE,
    GENERATION_ENVELOPE,
    MAX_REFERENCES,
    VARIATION_ENVELOPE,
)
from poeflask.endpoints.inline_files import file_from_data, file_from_url
from poeflask.endpoints.shapes import kind_of, read_envelope, wrong

ImageFormat = Literal["url", "b64_json"]
Event = Literal["image_generation", "image_edit"]

VARY = "Make a variation of this picture: the same subject and style, composed anew."

_BASE64_MODELS = ("gpt-image", "chatgpt-image")
"""Models whose clients cannot ask for a format and read base64, as OpenAI's own always send it."""

_WISHES = ("size", "quality", "style", "background", "output_format", "output_compression")
_MORE_WISHES = ("input_fidelity", "negative_prompt", "complexity", "frame_count")
_LABELS = ("svg", "frame_duration_ms", "moderation")
"""Fields without effect at Poe; what only labels the request (user) would be missed by nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A request for pictures, understood.

    Attributes:
        model: the bot's name as the client wrote it; also `prompt.bot`.
        prompt: what is asked, with the pictures that it is about.
        event: how a stream calls its events.
        mask: what may change; only some bots look at it.
        n: how many pictures are wanted; None takes what the bot makes of one question.
        format: whether the answer links to the pictures or holds them.
        stream: whether the answer is streamed, with at most `partial_images` previews.
        wishes: what the pictures should be like; see `filters.media_parameters`.
        extras: unknown fields, which may be the bot's own parameters.
        ignored: names of fields that were accepted and have no effect.
    """

    model: str
    prompt: Prompt
    event: Event = "image_generation"
    mask: File | None = None
    n: int | None = None
    format: ImageFormat = "url"
    stream: bool = False
    partial_images: int = 0
    wishes: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def decode_generation(body: object) -> ImageRequest:
    """Read the JSON body of POST /v1/images/generations.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; here and below.
    """
    envelope = _envelope(GENERATION_ENVELOPE, body)
    return _request(GENERATION_ENVELOPE, body, envelope, envelope["prompt"], [])


def decode_edit(sent: Form | object) -> ImageRequest:
    """Read the form or the JSON body of POST /v1/images/edits."""
    body = _body(EDIT_ENVELOPE, sent)
    envelope = _envelope(EDIT_ENVELOPE, body)
    pictures = [*_form_files(sent, "image"), *_references(envelope)]
    if not pictures:
        raise wrong("image", "is missing: it must be a picture or several.")
    markups = [*_form_files(sent, "markup"), *_one(envelope, "markup")]
    masks = [*_form_files(sent, "mask"), *_one(envelope, "mask")]
    if len(pictures) > MAX_REFERENCES:
        raise wrong("image", f"may hold at most {MAX_REFERENCES} pictures, not {len(pictures)}.")
    if len(masks) > 1:
        raise wrong("mask", f"must be one picture, not {len(masks)}.")
    files = [*pictures, *markups]
    asked = _request(EDIT_ENVELOPE, body, envelope, envelope["prompt"], files)
    return replace(asked, event="image_edit", mask=masks[0] if masks else None)


def decode_variation(sent: Form | object) -> ImageRequest:
    """Read the form or the JSON body of POST /v1/images/variations."""
    body = _body(VARIATION_ENVELOPE, sent)
    envelope = _envelope(VARIATION_ENVELOPE, body)
    pictures = [*_form_files(sent, "image"), *_references(envelope)]
    if len(pictures) != 1:
        raise wrong("image", f"must be one picture, not {len(pictures)}.")
    return _request(VARIATION_ENVELOPE, body, envelope, VARY, pictures)


def with_mask(prompt: Prompt, mask: File) -> Prompt:
    """The prompt with the mask as its last file, where bots that know masks look for it."""
    last = prompt.messages[-1]
    return replace(
        prompt, messages=(*prompt.messages[:-1], replace(last, parts=(*last.parts, mask)))
    )


def _request(
    schema: Schema, body: object, envelope: Mapping[str, Any], text: str, files: list[File]
) -> ImageRequest:
    stream = envelope.get("stream", False)
    wishes = {name: envelope[name] for name in (*_WISHES, *_MORE_WISHES) if name in envelope}
    extras, strangers = unknown_fields(body if isinstance(body, dict) else {}, schema)
    unheard = [name for name in _LABELS if envelope.get(name, "auto") != "auto"]
    return ImageRequest(
        model=envelope["model"],
        prompt=Prompt(
            bot=envelope["model"],
            messages=(Message("user", (Text(text), *files)),),
            parameters=own_parameters(envelope),
        ),
        n=envelope.get("n"),
        format="b64_json" if stream else _format(envelope),
        stream=stream,
        partial_images=envelope.get("partial_images", 0),
        wishes=wishes,
        extras=extras,
        ignored=(*unheard, *strangers),
    )


def _format(envelope: Mapping[str, Any]) -> ImageFormat:
    always_base64 = envelope["model"].lower().startswith(_BASE64_MODELS)
    wanted: ImageFormat = envelope.get("response_format", "b64_json" if always_base64 else "url")
    return wanted


def _body(schema: Schema, sent: Form | object) -> object:
    return as_body(schema, sent.texts) if isinstance(sent, Form) else sent


def _envelope(schema: Schema, body: object) -> dict[str, Any]:
    envelope = read_envelope(schema, body)
    size = envelope.get("size")
    if size is not None and not is_size(size):
        raise wrong(
            "size",
            "must be 'auto', a width and height such as '1024x1536', or a ratio like '16:9'.",
        )
    return envelope


def _form_files(sent: Form | object, key: str) -> list[File]:
    """The form's files under a key: `image`, `image[]` and `image[0]` are the same."""
    if not isinstance(sent, Form):
        return []
    return [as_file(file) for file in sent.files if file.key.partition("[")[0] == key]


def _references(envelope: Mapping[str, Any]) -> list[File]:
    """Pictures by link, data URL or id, under `image` or `images`, one or many."""
    named = [("image", envelope.get("image")), ("images", envelope.get("images"))]
    files: list[File] = []
    for name, value in named:
        if isinstance(value, list):
            files += [_reference(item, f"{name}[{place}]") for place, item in enumerate(value)]
        elif value is not None:
            files.append(_reference(value, name))
    return files


def _one(envelope: Mapping[str, Any], name: str) -> list[File]:
    return [_reference(envelope[name], name)] if name in envelope else []


def _reference(value: object, param: str) -> File:
    match value:
        case {"file_id": str(file_id)} if file_id:
            return File(file_id=file_id)
        case {"image_url": {"url": url}} | {"image_url": url}:
            return file_from_url(url, f"{param}.image_url")
        case str():
            return file_from_data(value, param)
    raise wrong(
        param,
        "must be a picture: a link, a data URL, or an object with 'image_url' or 'file_id', "
        f"not {kind_of(value)}.",
    )
