"""The body of POST /v1/embeddings: which fields there are and what each may hold."""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import Envelope, Name, Whole, Words

MAX_DIMENSIONS = 256

MAX_INPUTS = 2048
MAX_CHARS = 100_000
MAX_TOKENS = 25_000
"""OpenAI takes 8192 tokens of one text; here nothing is bound to that number."""

MAX_ALL_CHARS = 2_000_000
MAX_ALL_TOKENS = 500_000
"""Of all inputs together: some seconds of one processor."""


class EmbeddingEnvelope(Envelope):
    """A request for vectors; `decode` reads the input, which has four forms."""

    model = Name(required=True)
    input = fields.Raw()
    dimensions = Whole(1, MAX_DIMENSIONS)
    encoding_format = Words("float", "base64")
    user = Words()


EMBEDDING_ENVELOPE = EmbeddingEnvelope()
