"""POST /v1/messages and /v1/messages/count_tokens, and the probe that goes before them."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from poeflask.core import json_text
from poeflask.core.reply import ReplyMeta
from poeflask.endpoints.describing import FRAMES, JSON, described
from poeflask.endpoints.messages.decode import decode, decode_count
from poeflask.endpoints.messages.encode import MessagesEncoder
from poeflask.endpoints.messages.schema import MESSAGES_ENVELOPE, PROMPT_ENVELOPE
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask, ignored_header
from poeflask.web.services import services

messages = Blueprint("messages", __name__)


@messages.post("/v1/messages")
@described(
    body=MESSAGES_ENVELOPE,
    gives=(JSON, FRAMES),
    example={
        "model": "Echo",
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "Hello!"}],
    },
)
def create_message() -> Response:
    """Answer a conversation, streamed or whole."""
    here = services()
    caller = auth.caller_of(request.headers)
    asked = decode(body.json_object(request), skip_system_prompt=here.skip_system_prompt)
    upstream = here.upstream_for(caller)
    prompt, left_out = address(asked.prompt, asked.extras, upstream.catalogue)
    encoder = MessagesEncoder(
        ReplyMeta(id=here.new_id("msg_"), created=int(here.clock()), model=asked.model),
        request_id=g.request_id,
        input_tokens=here.count_prompt(asked.prompt),
        thoughts=asked.thoughts,
    )
    answer = ask(caller, upstream, prompt, Wants(usage=True, files_as_text=True))
    headers = ignored_header([*asked.ignored, *left_out])
    return respond.given(request, answer, encoder, streamed=asked.stream, headers=headers)


@messages.post("/v1/messages/count_tokens")
@described(
    body=PROMPT_ENVELOPE,
    example={"model": "Echo", "messages": [{"role": "user", "content": "Hello!"}]},
)
def count_tokens() -> Response:
    """Count what a prompt would cost, just as the usage of its answer does."""
    auth.caller_of(request.headers)
    prompt = decode_count(body.json_object(request))
    counted = {"input_tokens": services().count_prompt(prompt)()}
    return Response(json_text.write(counted), mimetype="application/json")


@messages.get("/api/hello")
@described(open=True)
def hello() -> Response:
    """What Claude Code asks for (with HEAD, without a key) to see whether a server is there."""
    return Response("{}", mimetype="application/json")
