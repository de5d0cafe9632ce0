"""POST /v1/embeddings with the official SDK as judge."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest
from openai import OpenAI

from tests.live.conftest import Simulator, serving

NAME = "wordllama-256"


def test_the_sdk_reads_vectors(client: OpenAI) -> None:
    """It asks for base64 by itself; numbers say the same."""
    short = client.embeddings.create(model=NAME, input=["one", "two words"])
    plain = client.embeddings.create(
        model=NAME, input=["one", "two words"], encoding_format="float"
    )

    assert [256, 256] == [len(one.embedding) for one in short.data]
    assert [one.embedding for one in short.data] == [one.embedding for one in plain.data]
    assert (NAME, 3) == (short.model, short.usage.total_tokens)


def test_tokens_and_dimensions(client: OpenAI) -> None:
    """Token ids stand for their text; a shorter vector is one too."""
    text = client.embeddings.create(model="text-embedding-3-small", input="hello world")
    ids = client.embeddings.create(model="text-embedding-3-small", input=[15339, 1917])
    small = client.embeddings.create(model=NAME, input="hello world", dimensions=64)

    assert text.data == ids.data
    assert NAME == text.model
    assert 64 == len(small.data[0].embedding)


def test_what_cannot_be_is_refused(client: OpenAI) -> None:
    """A larger vector, another model, no text."""
    with pytest.raises(openai.BadRequestError, match="from 1 to 256"):
        client.embeddings.create(model=NAME, input="x", dimensions=1536)
    with pytest.raises(openai.NotFoundError, match=NAME):
        client.embeddings.create(model="Claude-Sonnet-4.5", input="x")
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=NAME, input="")


def test_without_the_extra_it_says_how_to_get_it(simulator: Simulator, tmp_path: Path) -> None:
    """501 in OpenAI's shape; everything else works as ever."""
    tmp_path.joinpath("wordllama.py").write_text(
        "raise ModuleNotFoundError('no wordllama', name='wordllama')\n"
    )
    with (
        serving(simulator, tmp_path, PYTHONPATH=str(tmp_path)) as served,
        OpenAI(base_url=f"{served.url}/v1", api_key="k", max_retries=0, timeout=20) as bare,
    ):
        with pytest.raises(openai.InternalServerError, match=r"poeflask\[embeddings\]") as caught:
            bare.embeddings.create(model=NAME, input="x")
        models = bare.models.list()

    assert (501, "not_offered") == (caught.value.status_code, caught.value.code)
    assert models.data
