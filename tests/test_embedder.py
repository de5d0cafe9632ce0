"""The embedder over the real model, which comes with the extra that the tests install."""

from __future__ import annotations

import socket
import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask import embedder
from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.embedder import DIMENSIONS, MODEL, Embedder
from poeflask.endpoints.embeddings.schema import MAX_DIMENSIONS

SHARED = Embedder()


def numbers(vector: bytes) -> list[float]:
    """A vector as numbers."""
    return list(struct.unpack(f"<{len(vector) // 4}f", vector))


def dot(one: bytes, other: bytes) -> float:
    """How near two vectors are: 1 if they are the same."""
    return sum(a * b for a, b in zip(numbers(one), numbers(other), strict=True))


def test_near_meanings_are_near():
    """A question is nearer to its answer than to anything else."""
    question, answer, other = SHARED.embed(
        [
            "How do I reset my password?",
            "Use the link 'forgot password' on the login page.",
            "The harvest of grapes begins in September.",
        ]
    ).vectors

    assert dot(question, answer) > dot(question, other) + 0.1


def test_vectors_have_length_one_also_when_cut():
    """The first numbers of a longer vector point the same way as the shorter one."""
    whole = SHARED.embed(["a sentence"]).vectors[0]
    short = SHARED.embed(["a sentence"], 64).vectors[0]
    begin = struct.pack("<64f", *numbers(whole)[:64])

    assert (256, 64) == (len(numbers(whole)), len(numbers(short)))
    assert pytest.approx(1) == dot(whole, whole)
    assert pytest.approx(1) == dot(short, short)
    assert pytest.approx(1) == dot(short, begin) / dot(begin, begin) ** 0.5


def test_a_vector_is_its_own_whatever_stands_beside_it():
    """Long and short texts of one request do not change each other."""
    texts = [f"{'word ' * n}{n}" for n in range(1, 130)]

    assert SHARED.embed(texts).vectors == tuple(SHARED.embed([t]).vectors[0] for t in texts)


def test_tokens_are_counted():
    """As the model's own tokenizer counts them, over all texts."""
    assert 2 == SHARED.embed(["hello world"]).tokens
    assert 4 == SHARED.embed(["hello world", "hello world"]).tokens


def test_token_ids_stand_for_their_text():
    """Those of OpenAI's embedding models."""
    assert SHARED.embed(["hello world"]) == SHARED.embed([(15339, 1917)])


def test_ids_of_another_vocabulary_are_refused():
    """The error names the input and the id."""
    with pytest.raises(ClientError, match=r"input\[1\].* 199999,") as caught:
        SHARED.embed(["x", (15339, 199_999)])

    assert "input" == caught.value.param


@settings(max_examples=30)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_any_text_has_a_vector(texts: list[str]):
    """Also one of half characters, of nothing that the model knows, or of nothing at all."""
    made = SHARED.embed(texts)

    for vector in made.vectors:
        assert pytest.approx(1) == dot(vector, vector) or not any(numbers(vector))
    assert len(texts) == len(made.vectors)


@pytest.mark.parametrize("text", ["", "\ud800", "\x00"])
def test_odd_texts(text: str):
    """None of them breaks the tokenizer."""
    assert 1024 == len(SHARED.embed([text]).vectors[0])


def test_the_model_comes_without_a_network(monkeypatch):
    """All of it is in the installed package."""
    monkeypatch.setattr(socket, "socket", None)

    assert (32_000, DIMENSIONS) == embedder.load().embedding.shape


def test_the_model_is_loaded_once_and_only_when_needed():
    """Not by making the embedder, and not again."""
    loads: list[int] = []

    def load():
        loads.append(1)
        return embedder.load()

    made = Embedder(load)
    before = list(loads)
    made.embed(["a"])
    made.embed(["b"])

    assert ([], [1]) == (before, loads)


def test_without_the_extra_it_is_not_offered(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(OwnError, match=r"pip install 'poeflask\[embeddings\]'") as caught:
        Embedder().embed(["x"])

    assert ErrorKind.NOT_OFFERED == caught.value.kind


def test_the_name_tells_the_size():
    """And the request's schema agrees."""
    assert f"wordllama-{DIMENSIONS}" == MODEL
    assert DIMENSIONS == MAX_DIMENSIONS
