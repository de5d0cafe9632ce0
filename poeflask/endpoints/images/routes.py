"""POST /v1/images/generations, /v1/images/edits and /v1/images/variations."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from poeflask.core.caller import Caller
from poeflask.core.form import Form
from poeflask.endpoints.common_fields import SkipSystemPrompt
from poeflask.endpoints.describing import FRAMES, JSON, described
from poeflask.endpoints.images.decode import (
    ImageRequest,
    decode_edit,
    decode_generation,
    decode_variation,
    with_mask,
)
from poeflask.endpoints.images.encode import ImageStream, Load
from poeflask.endpoints.images.schema import EDIT_ENVELOPE, GENERATION_ENVELOPE, VARIATION_ENVELOPE
from poeflask.endpoints.made_files import as_links
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, forms, respond
from poeflask.web.asking import Making, address_maker, ask, ignored_header
from poeflask.web.fetching import fetch_all
from poeflask.web.services import Upstream, services

images = Blueprint("images", __name__)


@images.post("/v1/images/generations")
@described(
    body=GENERATION_ENVELOPE, gives=(JSON, FRAMES), example={"model": "Painter", "prompt": "A cat"}
)
def create_image() -> Response:
    """Make pictures of a text."""
    caller = auth.caller_of(request.headers)
    return _made(decode_generation(body.json_object(request)), caller)


@images.post("/v1/images/edits")
@described(
    body=EDIT_ENVELOPE,
    form=EDIT_ENVELOPE,
    files={"image": False, "mask": False},
    gives=(JSON, FRAMES),
)
def edit_image() -> Response:
    """Make pictures of pictures and a text."""
    caller = auth.caller_of(request.headers)
    return _made(decode_edit(_sent()), caller)


@images.post("/v1/images/variations")
@described(body=VARIATION_ENVELOPE, form=VARIATION_ENVELOPE, files={"image": False})
def vary_image() -> Response:
    """Make pictures that are like a picture."""
    caller = auth.caller_of(request.headers)
    return _made(decode_variation(_sent()), caller)


def _sent() -> Form | object:
    return forms.form(request) if forms.is_form(request) else body.json_object(request)


def _made(asked: ImageRequest, caller: Caller) -> Response:
    here = services()
    upstream = here.upstream_for(caller)
    making = _addressed(asked, upstream, here.skip_system_prompt)
    encoder = ImageStream(asked, int(here.clock()), making.profile, _loader(asked, upstream))
    wants = Wants(files_as_text=False, progress=True)
    answer = ask(caller, upstream, making.prompt, wants, n=asked.n or 1)
    headers = ignored_header([*asked.ignored, *making.ignored])
    return respond.given(request, answer, encoder, streamed=asked.stream, headers=headers)


def _addressed(asked: ImageRequest, upstream: Upstream, skip: SkipSystemPrompt) -> Making:
    """The request for its bot; the mask is attached only if the bot has a place for it."""
    wishes = dict(asked.wishes) | ({"mask": True} if asked.mask else {})
    making = address_maker(
        asked.prompt, asked.extras, wishes, upstream.catalogue, skip_system_prompt=skip
    )
    if asked.mask is None or "mask" in making.ignored:
        return making
    return making._replace(prompt=with_mask(making.prompt, asked.mask))


def _loader(asked: ImageRequest, upstream: Upstream) -> Load:
    return as_links if asked.format == "url" else partial(fetch_all, upstream.fetch)
