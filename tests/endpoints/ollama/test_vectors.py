"""Requests for vectors in Ollama's two forms."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ollama import EmbeddingsResponse, EmbedResponse

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.ollama.schema import MAX_CHARS, MAX_INPUTS
from poeflask.endpoints.ollama.vectors import (
    VectorRequest,
    decode_embed,
    decode_embeddings,
    embed_answer,
    embeddings_answer,
)

VECTOR = struct.pack("<2f", 0.5, -1.0)


def embed(**fields: Any) -> VectorRequest:
    """A request to /api/embed with these fields, read."""
    return decode_embed({"model": "small", **fields}, model="small", dimensions=8)


@pytest.mark.parametrize(
    ("sent", "texts"),
    [("a", ("a",)), (["a", ""], ("a", "")), ("", ()), (None, ()), ([], ())],
)
def test_one_text_or_several(sent: object, texts: tuple[str, ...]):
    """None at all only load the model."""
    assert VectorRequest(model="small", texts=texts) == embed(input=sent)


def test_dimensions_and_the_tag_latest():
    """What else Ollama takes has no effect."""
    got = embed(model="small:latest", input="a", dimensions=4.0, truncate=True, keep_alive="5m")

    assert VectorRequest(model="small:latest", texts=("a",), dimensions=4) == got


def test_the_old_form_has_one_text():
    """Or none."""
    one = decode_embeddings({"model": "small", "prompt": "a"}, model="small")

    assert VectorRequest(model="small", texts=("a",)) == one
    assert () == decode_embeddings({"model": "small"}, model="small").texts


@pytest.mark.parametrize(
    ("fields", "param", "word"),
    [
        ({"model": None}, "model", "missing"),
        ({"input": 5}, "input", "array"),
        ({"input": [5]}, "input[0]", "string"),
        ({"input": [[1, 2]]}, "input[0]", "string"),
        ({"input": ["a"] * (MAX_INPUTS + 1)}, "input", str(MAX_INPUTS)),
        ({"input": "a" * (MAX_CHARS + 1)}, "input", str(MAX_CHARS)),
        ({"input": ["a" * MAX_CHARS] * 21}, "input", "in all"),
        ({"input": "a", "dimensions": 9}, "dimensions", "at most 8"),
        ({"input": "a", "dimensions": 0}, "dimensions", "from 1"),
        ({"prompt": 5}, "prompt", "string"),
    ],
)
def test_a_wrong_request_is_told_what_and_where(fields: dict[str, Any], param: str, word: str):
    """In one sentence that names the field."""
    with pytest.raises(ClientError) as caught:
        embed(**fields)

    assert (ErrorKind.INVALID_REQUEST, param) == (caught.value.kind, caught.value.param)
    assert word in caught.value.message


def test_another_model_is_not_found():
    """The sentence names the one that there is."""
    for read in (embed, lambda **fields: decode_embeddings(fields, model="small")):
        with pytest.raises(ClientError, match="'small'") as caught:
            read(model="nomic-embed-text")
        assert ErrorKind.NOT_FOUND is caught.value.kind


def test_answers_are_ones_that_ollama_s_client_reads():
    """Vectors as numbers, and the numbers beside them."""
    several = EmbedResponse(**embed_answer("m", [VECTOR, VECTOR], tokens=3, duration_ns=7))
    one = EmbeddingsResponse(**embeddings_answer([VECTOR]))

    assert [[0.5, -1.0]] * 2 == [list(vector) for vector in several.embeddings]
    assert ("m", 3, 7) == (several.model, several.prompt_eval_count, several.total_duration)
    assert [0.5, -1.0] == list(one.embedding)
    assert {"embedding": []} == embeddings_answer([])
