"""Ollama's API: /api/chat, /api/generate, and what clients ask before they ask."""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, OwnError, PoeError
from poeflask.core.reply import ReplyMeta
from poeflask.embedder import DIMENSIONS, MODEL
from poeflask.endpoints.describing import JSON, described
from poeflask.endpoints.ollama import model_card
from poeflask.endpoints.ollama.decode import (
    OllamaRequest,
    decode_chat,
    decode_generate,
    decode_show,
)
from poeflask.endpoints.ollama.encode import Form, OllamaEncoder, loaded, nanoseconds
from poeflask.endpoints.ollama.schema import (
    CHAT_ENVELOPE,
    EMBED_ENVELOPE,
    GENERATE_ENVELOPE,
    SHOW_ENVELOPE,
)
from poeflask.endpoints.ollama.vectors import (
    decode_embed,
    decode_embeddings,
    embed_answer,
    embeddings_answer,
)
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask, ignored_header, is_shown, shown, spending
from poeflask.web.services import services

ollama = Blueprint("ollama", __name__)

_API_VERSION = "0.13.0"
"""Of Ollama, whose API is spoken as of then: clients refuse versions that are too old."""

_LINES = "application/x-ndjson"


@ollama.post("/api/chat")
@described(
    body=CHAT_ENVELOPE,
    gives=(_LINES, JSON),
    example={"model": "Echo", "messages": [{"role": "user", "content": "Hello!"}]},
)
def chat() -> Response:
    """Answer a conversation, streamed unless the client says otherwise."""
    caller = _caller()
    skip = services().skip_system_prompt
    return _answer(decode_chat(body.json_object(request), skip_system_prompt=skip), caller, "chat")


@ollama.post("/api/generate")
@described(
    body=GENERATE_ENVELOPE, gives=(_LINES, JSON), example={"model": "Echo", "prompt": "Hello!"}
)
def generate() -> Response:
    """Answer a single prompt, streamed unless the client says otherwise."""
    caller = _caller()
    skip = services().skip_system_prompt
    asked = decode_generate(body.json_object(request), skip_system_prompt=skip)
    return _answer(asked, caller, "generate")


@ollama.get("/api/tags")
@described()
def list_models() -> Response:
    """All bots that Poe lists."""
    caller = _caller()
    catalogue = services().upstream_for(caller).catalogue
    return _json(model_card.tags(shown(caller, catalogue, catalogue.bots())))


@ollama.post("/api/show")
@described(body=SHOW_ENVELOPE, example={"model": "Echo"})
def show() -> Response:
    """What one bot can do."""
    caller = _caller()
    catalogue = services().upstream_for(caller).catalogue
    name = decode_show(body.json_object(request))
    catalogue.bots()
    bot = catalogue.find(name)
    if bot is None or not is_shown(caller, catalogue, bot):
        raise PoeError(ErrorKind.UNKNOWN_MODEL, f"model {name[:100]!r} not found: Poe lists none.")
    return _json(model_card.card(bot))


@ollama.get("/api/version")
@described(open=True)
def version() -> Response:
    """The version of Ollama whose API this is."""
    return _json({"version": _API_VERSION})


@ollama.get("/api/ps")
@described(open=True)
def list_running() -> Response:
    """No model is in this machine's memory."""
    return _json({"models": []})


@ollama.post("/api/embed")
@described(body=EMBED_ENVELOPE, example={"model": MODEL, "input": "Hello!"})
def embed() -> Response:
    """Turn texts into vectors, made here; Poe is not asked."""
    caller = _caller()
    here = services()
    asked = decode_embed(body.json_object(request), model=MODEL, dimensions=DIMENSIONS)

    def answer() -> tuple[str, int]:
        began_s = here.clock()
        made = here.embedder.embed(asked.texts, asked.dimensions or DIMENSIONS)
        took_ns = nanoseconds(here.clock() - began_s)
        told = embed_answer(asked.model, made.vectors, tokens=made.tokens, duration_ns=took_ns)
        return json_text.write(told), made.tokens

    with spending(caller, MODEL, asked.texts) as spent:
        text, tokens = here.threads.run(answer)
        spent(tokens)
    return Response(text, mimetype="application/json")


@ollama.post("/api/embeddings")
@described(body=EMBED_ENVELOPE, example={"model": MODEL, "prompt": "Hello!"})
def embed_one() -> Response:
    """Turn one text into a vector, as old clients ask."""
    caller = _caller()
    here = services()
    asked = decode_embeddings(body.json_object(request), model=MODEL)
    with spending(caller, MODEL, asked.texts) as spent:
        made = here.threads.run(here.embedder.embed, asked.texts)
        spent(made.tokens)
    return _json(embeddings_answer(made.vectors))


@ollama.post("/api/pull")
@ollama.post("/api/push")
@ollama.post("/api/create")
@ollama.post("/api/copy")
@ollama.delete("/api/delete")
@ollama.post("/api/blobs/<digest>")
@described(open=True)
def manage(digest: str = "") -> Response:
    """Refuse: there are no files of models here."""
    raise OwnError(
        ErrorKind.NOT_OFFERED,
        "The models are Poe's bots: they need no pull and cannot be made, copied or deleted here. "
        "GET /api/tags lists them.",
    )


def _caller() -> Caller:
    return auth.caller_or_local(request.headers, services().local_key)


def _answer(asked: OllamaRequest, caller: Caller, form: Form) -> Response:
    here = services()
    meta = ReplyMeta(id=here.new_id("ollama-"), created=int(here.clock()), model=asked.model)
    if asked.asks_nothing:
        return _json(loaded(meta, form, unload=asked.unload))
    upstream = here.upstream_for(caller)
    prompt, left_out = address(asked.prompt, asked.extras, upstream.catalogue)
    encoder = OllamaEncoder(meta, clock=here.clock, form=form, show_thinking=asked.show_thinking)
    answer = ask(caller, upstream, prompt, Wants(usage=True, files_as_text=True))
    headers = ignored_header([*asked.ignored, *left_out])
    return respond.given(
        request, answer, encoder, streamed=asked.stream, headers=headers, mimetype=_LINES
    )


def _json(value: object) -> Response:
    return Response(json_text.write(value), mimetype="application/json")
