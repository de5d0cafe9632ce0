"""Embeddings requests are read, or told what is wrong with them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ClientError
from poeflask.endpoints.embeddings.decode import EmbeddingRequest, decode


def decoded(value: Any, **fields: Any) -> EmbeddingRequest:
    """A request for vectors of this."""
    return decode({"model": "one", "input": value, **fields}, model="one")


@pytest.mark.parametrize(
    ("value", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2, 3], ((1, 2, 3),)),
        ([[1], [2, 3]], ((1,), (2, 3))),
        (["a", [2]], ("a", (2,))),
    ],
)
def test_all_forms_of_the_input(value: Any, inputs: Any):
    """A text, texts, tokens, or lists of tokens."""
    assert inputs == decoded(value).inputs


def test_the_form_of_the_vectors():
    """Numbers and full length if nothing is said."""
    assert (256, False) == (decoded("a").dimensions, decoded("a").base64)
    asked = decoded("a", dimensions=64, encoding_format="base64")
    assert (64, True) == (asked.dimensions, asked.base64)


def test_names_that_clients_send_unasked_are_answered():
    """By the one model there is, and the header says so."""
    asked = decode({"model": "text-embedding-3-small", "input": "a"}, model="one")

    assert ("model",) == asked.ignored
    assert () == decoded("a").ignored


def test_any_other_model_is_not_there():
    """The error names the one there is."""
    with pytest.raises(ClientError, match="the one there is is 'one'") as caught:
        decode({"model": "Claude", "input": "a"}, model="one")

    assert (404, "model_not_found") == (caught.value.rule.status, caught.value.code)


@pytest.mark.parametrize(
    ("value", "param", "word"),
    [
        (None, "input", "missing"),
        ("", "input", "empty"),
        (7, "input", "a number"),
        ({}, "input", "an object"),
        ([], "input", "at least 1"),
        (["a", ""], "input[1]", "empty"),
        (["a", 1], "input[1]", "a number"),
        (["a", None], "input[1]", "null"),
        (["a", []], "input[1]", "empty"),
        ([True], "input[0]", "a boolean"),
        ([1, "a"], "input[1]", "a token id"),
        ([1, 2.5], "input[1]", "a token id"),
        ([[1, True]], "input[0][1]", "a token id"),
        (["a"] * 2049, "input", "at most 2048"),
        ("a" * 100_001, "input", "at most 100000 characters"),
        (["a" * 90_000] * 23, "input", "at most 2000000 characters"),
        ([1] * 25_001, "input", "at most 25000 tokens"),
        ([[1] * 25_000] * 21, "input", "at most 500000 tokens"),
    ],
)
def test_a_wrong_input_is_named(value: Any, param: str, word: str):
    """The error says where and what would be right."""
    with pytest.raises(ClientError) as caught:
        decoded(value)

    assert param == caught.value.param
    assert word in caught.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=8,
)


@given(JSON)
def test_whatever_comes_is_read_or_refused(value: Any):
    """No input breaks the reading."""
    with suppress(ClientError):
        assert decoded(value).inputs
