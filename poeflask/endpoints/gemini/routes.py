"""Gemini's API: /v1beta/models and the methods behind a model's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, request

from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.reply import ReplyMeta
from poeflask.endpoints.describing import FRAMES, JSON, described
from poeflask.endpoints.gemini import model_card
from poeflask.endpoints.gemini.decode import GeminiRequest, decode, decode_count
from poeflask.endpoints.gemini.encode import Form, GeminiEncoder
from poeflask.endpoints.gemini.schema import COUNT_ENVELOPE, GENERATE_ENVELOPE
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, respond
from poeflask.web.asking import address, ask, ignored_header, is_shown, perhaps, shown
from poeflask.web.services import services

gemini = Blueprint("gemini", __name__)

_EXAMPLE = {"contents": [{"parts": [{"text": "Hello!"}]}]}


def _at(method: str) -> dict[str, str]:
    """The path's last part with the method that it ends in."""
    return {"target": f"{{model}}:{method}"}


_TYPES: Mapping[Form, str] = {"sse": "text/event-stream", "array": "application/json"}


@gemini.get("/v1beta/models")
@gemini.get("/v1alpha/models")
@described()
def list_models() -> Response:
    """All bots that Poe lists, on one page."""
    caller = _caller()
    catalogue = services().upstream_for(caller).catalogue
    return _json(model_card.model_list(shown(caller, catalogue, catalogue.bots())))


@gemini.get("/v1beta/models/<path:name>")
@gemini.get("/v1alpha/models/<path:name>")
@described()
def retrieve_model(name: str) -> Response:
    """One bot, by its name in whatever case."""
    caller = _caller()
    catalogue = services().upstream_for(caller).catalogue
    catalogue.bots()
    bot = catalogue.find(name)
    if bot is None or not is_shown(caller, catalogue, bot):
        hint = perhaps(name, caller, catalogue)
        sentence = f"Poe lists no bot {name[:100]!r}.{hint} A private bot may answer all the same."
        raise PoeError(ErrorKind.UNKNOWN_MODEL, sentence)
    return _json(model_card.card(bot))


@gemini.post("/v1/models/<path:target>")
@gemini.post("/v1beta/models/<path:target>")
@gemini.post("/v1alpha/models/<path:target>")
@described(body=GENERATE_ENVELOPE, path=_at("generateContent"), example=_EXAMPLE)
@described(
    body=GENERATE_ENVELOPE,
    path=_at("streamGenerateContent"),
    gives=(FRAMES, JSON),
    query={"alt": "'sse' for events; else one growing array."},
    example=_EXAMPLE,
)
@described(body=COUNT_ENVELOPE, path=_at("countTokens"), example=_EXAMPLE)
def call_method(target: str) -> Response:
    """Whatever a model's name and a method's, with a colon between them, stand for."""
    caller = _caller()
    model, _, method = target.rpartition(":")
    if method in _METHODS and model:
        return _METHODS[method](model, caller)
    if method in _ABSENT:
        raise OwnError(ErrorKind.NOT_OFFERED, f"{method} is not offered here. {_ABSENT[method]}")
    sentence = f"There is no method {method[:60]!r}; there are {', '.join(_METHODS)}."
    raise ClientError(ErrorKind.UNKNOWN_ROUTE, sentence)


def _generate_content(model: str, caller: Caller) -> Response:
    return _answer(_asked(model), caller)


def _stream_generate_content(model: str, caller: Caller) -> Response:
    form: Form = "sse" if request.args.get("alt", "").lower() == "sse" else "array"
    return _answer(_asked(model), caller, form)


def _count_tokens(model: str, _caller: Caller) -> Response:
    prompt = decode_count(body.json_object(request), model)
    return _json({"totalTokens": services().count_prompt(prompt)()})


_METHODS: Mapping[str, Callable[[str, Caller], Response]] = {
    "generateContent": _generate_content,
    "streamGenerateContent": _stream_generate_content,
    "countTokens": _count_tokens,
}

_PICTURES = "POST /v1/images/generations makes pictures."
_EMBEDDINGS = "POST /v1/embeddings makes vectors."

_ABSENT: Mapping[str, str] = {
    "predict": _PICTURES,
    "predictLongRunning": "POST /v1/videos makes films.",
    "embedContent": _EMBEDDINGS,
    "batchEmbedContents": _EMBEDDINGS,
    "asyncBatchEmbedContent": _EMBEDDINGS,
    "batchGenerateContent": "Poe has no batches; send the requests one by one.",
}
"""Methods of Google's without a counterpart, and what helps instead."""


def _caller() -> Caller:
    return auth.caller_for_google(request.headers, request.args)


def _asked(model: str) -> GeminiRequest:
    skip = services().skip_system_prompt
    return decode(body.json_object(request), model, skip_system_prompt=skip)


def _answer(asked: GeminiRequest, caller: Caller, form: Form | None = None) -> Response:
    here = services()
    upstream = here.upstream_for(caller)
    prompt, left_out = address(asked.prompt, asked.extras, upstream.catalogue)
    meta = ReplyMeta(id=here.new_id("gemini-"), created=int(here.clock()), model=asked.prompt.bot)
    written = form or "sse"
    encoder = GeminiEncoder(meta, form=written, show_thoughts=asked.show_thoughts)
    wants = Wants(usage=True, files_as_text=True)
    answer = ask(caller, upstream, prompt, wants, n=asked.candidates)
    headers = ignored_header([*asked.ignored, *left_out])
    return respond.given(
        request,
        answer,
        encoder,
        streamed=form is not None,
        headers=headers,
        mimetype=_TYPES[written],
    )


def _json(value: object) -> Response:
    return Response(json_text.write(value), mimetype="application/json")
