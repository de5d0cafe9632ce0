"""Bots as model objects and pages of them."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from poeflask.core.bot import Bot
from poeflask.core.errors import ClientError
from poeflask.core.override import KnownBot, Override
from poeflask.endpoints.models.encode import (
    known_list,
    known_model,
    model,
    model_list,
    model_page,
)
from poeflask.poe.catalogue import read_bots

BOTS = read_bots(
    {"id": name, "created": 1_760_000_000_123, "owned_by": "Somebody"} for name in "abcde"
)


def ids(page) -> str:
    """The models of a page, as one word."""
    return "".join(entry["id"] for entry in page["data"])


def test_one_object_satisfies_both_families():
    """OpenAI's and Anthropic's own types take the same object."""
    encoded = model(BOTS[0])

    assert "a" == Model.model_validate(encoded, strict=True).id
    info = ModelInfo.model_validate(encoded)
    assert ("model", "active", 2025) == (info.type, info.lifecycle, info.created_at.year)


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


def test_the_whole_list_is_one_page():
    """Nothing follows it."""
    page = model_list(BOTS)

    assert "abcde" == ids(page)
    assert (False, "a", "e") == (page["has_more"], page["first_id"], page["last_id"])


def test_an_empty_list_has_no_ends():
    """Neither first nor last."""
    assert (None, None) == (model_list(())["first_id"], model_page(())["last_id"])


@pytest.mark.parametrize(
    ("asked", "expected", "has_more"),
    [
        ({}, "abcde", False),
        ({"limit": "2"}, "ab", True),
        ({"limit": "5"}, "abcde", False),
        ({"limit": "2", "after_id": "b"}, "cd", True),
        ({"limit": "2", "after_id": "C"}, "de", False),
        ({"after_id": "e"}, "", False),
        ({"limit": "2", "before_id": "d"}, "bc", True),
        ({"limit": "2", "before_id": "b"}, "a", False),
        ({"before_id": "c"}, "ab", False),
        ({"limit": "1000"}, "abcde", False),
    ],
)
def test_pages_are_turned_as_at_anthropic(asked: dict[str, str], expected: str, has_more: bool):
    """Forwards behind one model, backwards in front of another."""
    page = model_page(BOTS, **asked)

    assert (expected, has_more) == (ids(page), page["has_more"])


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"after_id": "z"}, "after_id"),
        ({"before_id": "z"}, "before_id"),
    ],
)
def test_a_wrong_page_is_refused(asked: dict[str, str], param: str):
    """The error names the parameter."""
    with pytest.raises(ClientError) as caught:
        model_page(BOTS, **asked)

    assert param == caught.value.param


def test_the_owner_sees_all_that_is_known() -> None:
    """What clients see, what the owner says, and where each value comes from."""
    said = Override(
        aliases=("x",),
        disabled=True,
        tools="prompted",
        parameters={"a": 1},
        price={"prompt": "2"},
        fallbacks=("Y",),
    )
    bot = Bot(id="b", handle="B", owned_by="Poe", features=("tools",))
    told = known_model(KnownBot(bot=said.shown(bot), override=said, groups=("g",)))

    assert model(said.shown(bot)).items() <= told.items()
    assert {"prompt": "2"} == told["pricing"]
    assert {
        "listed_by_poe": True,
        "shown": False,
        "hidden": False,
        "disabled": True,
        "custom": False,
        "shadowed_by": None,
        "aliases": ["x"],
        "groups": ["g"],
        "fallbacks": ["Y"],
        "default_parameters": {"a": 1},
        "native_tools": True,
        "tools": "prompted",
        "thinking_marks": "any",
        "buffered": False,
        "flags": False,
    }.items() <= told.items()
    assert ("poe", "models.yaml", "default") == tuple(
        told["sources"][name] for name in ("owned_by", "tools", "buffered")
    )
    assert {"pricing", "disabled", "aliases", "fallbacks", "default_parameters", "tools"} == {
        name for name, source in told["sources"].items() if source == "models.yaml"
    }


def test_of_a_bot_of_the_owners_nothing_is_poes() -> None:
    """What the owner does not say of it is what holds for every bot."""
    known = KnownBot(bot=Bot(id="m", handle="M"), override=Override(custom=True), is_listed=False)
    (told,) = known_list([known])["data"]

    assert {"custom"} == {
        name for name, source in told["sources"].items() if source == "models.yaml"
    }
    assert "poe" not in told["sources"].values()
    assert (True, False) == (told["shown"], told["listed_by_poe"])
