"""POST /v1/chat/completions."""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core.reply import ReplyMeta
from poeflask.endpoints.chat.decode import decode
from poeflask.endpoints.chat.encode import ChatEncoder
from poeflask.endpoints.chat.schema import CHAT_ENVELOPE
from poeflask.endpoints.describing import FRAMES, JSON, described
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask, ignored_header
from poeflask.web.services import services

chat = Blueprint("chat", __name__)


@chat.post("/v1/chat/completions")
@described(
    body=CHAT_ENVELOPE,
    gives=(JSON, FRAMES),
    example={"model": "Echo", "messages": [{"role": "user", "content": "Hello!"}], "stream": True},
)
def create_chat_completion() -> Response:
    """Answer a conversation, streamed or whole."""
    here = services()
    caller = auth.caller_of(request.headers)
    asked = decode(body.json_object(request), skip_system_prompt=here.skip_system_prompt)
    upstream = here.upstream_for(caller)
    prompt, left_out = address(asked.prompt, asked.extras, upstream.catalogue)
    meta = ReplyMeta(id=here.new_id("chatcmpl-"), created=int(here.clock()), model=asked.model)
    encoder = ChatEncoder(
        meta,
        include_usage=asked.include_usage,
        legacy_functions=asked.legacy_functions,
        choices=asked.n,
        reasoning_names=asked.reasoning_names,
    )
    wants = Wants(usage=asked.include_usage or not asked.stream)
    answer = ask(caller, upstream, prompt, wants, n=asked.n)
    headers = ignored_header([*asked.ignored, *asked.spelled(left_out)])
    return respond.given(request, answer, encoder, streamed=asked.stream, headers=headers)
