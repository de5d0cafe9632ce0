"""POST /v1/moderations with the official SDK as judge."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.live.conftest import Live, Simulator, serving


@pytest.fixture(scope="module")
def judging(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """The SDK before a poeflask whose bot for moderation always gives a score of 1."""
    folder = tmp_path_factory.mktemp("judging")
    with (
        serving(simulator, folder, POEFLASK_MODERATION_BOT="json-writer") as served,
        OpenAI(base_url=f"{served.url}/v1", api_key="k", max_retries=0, timeout=20) as made,
    ):
        yield made


def test_each_input_is_judged(judging: OpenAI) -> None:
    """By the bot that the setting names, under its own name."""
    answer = judging.moderations.create(input=["one", "two"], model="omni-moderation-latest")

    assert "Json-Writer" == answer.model
    assert answer.id.startswith("modr-")
    assert [True, True] == [result.flagged for result in answer.results]
    scores = answer.results[0].category_scores.model_dump(by_alias=True)
    assert 13 == len(scores)
    assert {1.0} == set(scores.values())


def test_parts_are_one_input(judging: OpenAI) -> None:
    """A text and a picture together."""
    answer = judging.moderations.create(
        input=[
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ]
    )

    applied = answer.results[0].category_applied_input_types
    assert (["text"], ["text", "image"]) == (applied.hate, applied.violence)


def test_a_wrong_input_is_refused(judging: OpenAI) -> None:
    """As OpenAI does."""
    with pytest.raises(openai.BadRequestError) as caught:
        judging.moderations.create(input="")

    assert "input" == caught.value.param


def test_without_a_bot_it_is_not_offered(live: Live, client: OpenAI) -> None:
    """The error says who can change that, and how."""
    with pytest.raises(openai.InternalServerError, match="POEFLASK_MODERATION_BOT") as caught:
        client.moderations.create(input="x")

    assert (501, "not_offered") == (caught.value.status_code, caught.value.code)
