"""Vectors become OpenAI's list of embeddings."""

from __future__ import annotations

import struct
from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from poeflask.endpoints.embeddings.encode import embedding_list

FLOATS = st.floats(-1, 1, width=32)


@given(st.lists(st.lists(FLOATS, min_size=3, max_size=3), max_size=4))
def test_numbers_and_base64_say_the_same(vectors: list[list[float]]):
    """The SDK reads the first; the second are the same numbers, little end first."""
    packed = [struct.pack("<3f", *vector) for vector in vectors]
    plain = CreateEmbeddingResponse.model_validate(
        embedding_list("m", packed, 7, base64=False), strict=True
    )
    short = embedding_list("m", packed, 7, base64=True)

    assert vectors == [one.embedding for one in plain.data]
    assert list(range(len(vectors))) == [one.index for one in plain.data]
    assert packed == [b64decode(one["embedding"]) for one in short["data"]]
    assert ("m", 7, 7) == (plain.model, plain.usage.prompt_tokens, plain.usage.total_tokens)
