"""Bots as model objects and pages of them."""

from __future__ import annotations

import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from poeflask.core.errors import ClientError
from poeflask.endpoints.models.encode import model, model_list, model_page
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
