"""Bots as model objects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from poeflask.core.bot import Bot
from poeflask.endpoints.models.encode import model, model_list


def test_a_bot_is_a_model_to_every_family_of_clients() -> None:
    """OpenAI's fields, Anthropic's, and what Poe says besides."""
    effort = {"name": "effort", "schema": {"enum": ["low", "high"]}}
    bot = Bot(
        id="claude-x",
        handle="Claude-X",
        created_s=1_760_000_000,
        owned_by="Anthropic",
        description="Thinks.",
        input_modalities=("text", "image"),
        context_tokens=1000,
        max_output_tokens=200,
        features=("tools",),
        pricing={"prompt": "0.1"},
        reasoning={"required": False},
        entry={"parameters": [effort]},
    )

    assert model(bot) == {
        "id": "Claude-X",
        "object": "model",
        "created": 1_760_000_000,
        "owned_by": "Anthropic",
        "type": "model",
        "display_name": "Claude-X",
        "created_at": "2025-10-09T08:53:20Z",
        "lifecycle": "active",
        "description": "Thinks.",
        "context_length": 1000,
        "max_output_tokens": 200,
        "max_input_tokens": 1000,
        "max_tokens": 200,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
        "supported_features": ["tools"],
        "parameters": [effort],
        "pricing": {"prompt": "0.1"},
        "reasoning": {"required": False},
    }


def test_what_poe_does_not_say_is_null() -> None:
    """And a time that is not known is the beginning of all times."""
    said = model(Bot(id="x", handle="X"))

    assert (0, "1970-01-01T00:00:00Z") == (said["created"], said["created_at"])
    assert {None} == {said[name] for name in ("context_length", "max_tokens", "pricing")}
    assert [] == said["parameters"]


@pytest.mark.parametrize("value", [None, 5, "ab", {"a": 1}, [None], ["ab"], [["a", 1]]])
def test_odd_parameters_hide_no_bot(value: Any) -> None:
    """One entry that is not as it should be must not break the list."""
    assert [] == model(Bot(id="x", handle="X", entry={"parameters": value}))["parameters"]


def test_the_list_is_one_page() -> None:
    """It names its first and its last, and can be written as JSON."""
    page = model_list((Bot(id="a", handle="A"), Bot(id="b", handle="B")))

    assert ("A", "B", False) == (page["first_id"], page["last_id"], page["has_more"])
    assert ["A", "B"] == [entry["id"] for entry in json.loads(json.dumps(page))["data"]]


def test_an_empty_list_has_no_first() -> None:
    """Nor a last."""
    page = model_list(())

    assert (None, None, []) == (page["first_id"], page["last_id"], page["data"])
