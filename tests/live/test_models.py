"""GET /v1/models and /v1/models/{id}."""

from __future__ import annotations

import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live


def test_the_list_is_poes(client: OpenAI) -> None:
    """All bots, with times in seconds and what each can do."""
    models = {model.id: model for model in client.models.list()}

    assert {"Echo", "Tool-User", "Painter"} <= set(models)
    assert all(0 <= model.created < 10_000_000_000 for model in models.values())
    extra = models["Tool-User"].model_extra or {}
    assert "tools" in extra["supported_features"]
    assert "text" in extra["architecture"]["output_modalities"]


def test_one_model_in_any_case(client: OpenAI) -> None:
    """A name is found however it is written."""
    assert "Echo" == client.models.retrieve("eCHO").id


def test_an_unknown_model(client: OpenAI) -> None:
    """A bot that Poe does not list cannot be described."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody/such")

    assert "model_not_found" == caught.value.code


def test_paths_without_version(live: Live) -> None:
    """The list is also at /models, and the name of a bot may hold a slash."""
    answer = requests.get(f"{live.url}/models", headers={"x-api-key": "k"}, timeout=10)

    assert "list" == answer.json()["object"]
