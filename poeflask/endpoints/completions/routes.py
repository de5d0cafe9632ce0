"""POST /v1/completions."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from poeflask.core.reply import ReplyMeta
from poeflask.endpoints.completions.decode import decode
from poeflask.endpoints.completions.encode import CompletionEncoder
from poeflask.endpoints.completions.schema import COMPLETION_ENVELOPE
from poeflask.endpoints.describing import FRAMES, JSON, described
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask_all, ignored_header
from poeflask.web.services import services

completions = Blueprint("completions", __name__)


@completions.post("/v1/completions")
@described(
    body=COMPLETION_ENVELOPE, gives=(JSON, FRAMES), example={"model": "Echo", "prompt": "Hello!"}
)
def create_completion() -> Response:
    """Go on with one or more texts, streamed or whole."""
    here = services()
    caller = auth.caller_of(request.headers)
    asked = decode(body.json_object(request), skip_system_prompt=here.skip_system_prompt)
    upstream = here.upstream_for(caller)
    # The prompts differ in their texts alone, so one of them speaks for all.
    addressed, left_out = address(asked.prompts[0], asked.extras, upstream.catalogue)
    prompts = [
        replace(addressed, messages=prompt.messages)
        for prompt in asked.prompts
        for _ in range(asked.n)
    ]
    meta = ReplyMeta(id=here.new_id("cmpl-"), created=int(here.clock()), model=asked.model)
    encoder = CompletionEncoder(
        meta, asked.texts, n=asked.n, echo=asked.echo, include_usage=asked.include_usage
    )
    wants = Wants(usage=asked.include_usage or not asked.stream)
    answer = ask_all(caller, upstream, prompts, wants)
    headers = ignored_header([*asked.ignored, *left_out])
    return respond.given(request, answer, encoder, streamed=asked.stream, headers=headers)
