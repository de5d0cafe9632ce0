"""POST /v1/moderations: a bot of the operator's choice judges."""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.core.reply import ReplyMeta, gather_all
from poeflask.endpoints.describing import described
from poeflask.endpoints.moderations.decode import decode
from poeflask.endpoints.moderations.encode import moderation
from poeflask.endpoints.moderations.schema import MODERATION_ENVELOPE
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask_all, ignored_header
from poeflask.web.services import services

moderations = Blueprint("moderations", __name__)


@moderations.post("/v1/moderations")
@described(body=MODERATION_ENVELOPE, example={"input": "Hello!"})
def create_moderation() -> Response:
    """Judge one or more inputs by OpenAI's categories."""
    here = services()
    caller = auth.caller_of(request.headers)
    if not here.moderation_bot:
        raise _not_set_up()
    asked = decode(
        body.json_object(request),
        bot=here.moderation_bot,
        skip_system_prompt=here.skip_system_prompt,
    )
    upstream = here.upstream_for(caller)
    prompts = [address(prompt, {}, upstream.catalogue)[0] for prompt in asked.prompts]
    meta = ReplyMeta(id=here.new_id("modr-"), created=int(here.clock()), model=prompts[0].bot)
    answer = ask_all(caller, upstream, prompts, Wants(usage=False))
    replies = gather_all(respond.all_events(request, answer))
    judged = moderation(meta, asked.inputs, replies)
    return respond.json_body(judged, headers=ignored_header(asked.ignored))


def _not_set_up() -> OwnError:
    return OwnError(
        ErrorKind.NOT_OFFERED,
        "Moderation is not set up here. Whoever runs this server sets POEFLASK_MODERATION_BOT to "
        "the name of the bot that is to judge.",
    )
