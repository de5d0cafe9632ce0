"""POST /v1/embeddings: vectors of texts, made here; Poe is not asked."""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core import json_text
from poeflask.embedder import MODEL, Embedder
from poeflask.endpoints.describing import described
from poeflask.endpoints.embeddings.decode import EmbeddingRequest, decode
from poeflask.endpoints.embeddings.encode import embedding_list
from poeflask.endpoints.embeddings.schema import EMBEDDING_ENVELOPE
from poeflask.web import auth, body
from poeflask.web.asking import ignored_header, spending
from poeflask.web.services import services

embeddings = Blueprint("embeddings", __name__)


@embeddings.post("/v1/embeddings")
@described(body=EMBEDDING_ENVELOPE, example={"model": MODEL, "input": "Hello!"})
def create_embeddings() -> Response:
    """Turn one or more texts into vectors."""
    here = services()
    caller = auth.caller_of(request.headers)
    asked = decode(body.json_object(request), model=MODEL)
    with spending(caller, MODEL, asked.inputs) as spent:
        # Half a million numbers take a while to be written, too.
        answer, tokens = here.threads.run(_answer, here.embedder, asked)
        spent(tokens)
    response = Response(answer, mimetype="application/json")
    response.headers.update(ignored_header(asked.ignored))
    return response


def _answer(embedder: Embedder, asked: EmbeddingRequest) -> tuple[str, int]:
    made = embedder.embed(asked.inputs, asked.dimensions)
    told = embedding_list(MODEL, made.vectors, made.tokens, base64=asked.base64)
    return json_text.write(told), made.tokens
