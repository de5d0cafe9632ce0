"""POST /v1/completions with the official SDK as judge."""

from __future__ import annotations

import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live

TEXT = "Hello there, bridge!"


def test_whole(client: OpenAI) -> None:
    """A whole answer goes on with the text and has usage."""
    answer = client.completions.create(model="Echo", prompt=TEXT)

    assert TEXT in answer.choices[0].text
    assert "stop" == answer.choices[0].finish_reason
    assert "text_completion" == answer.object
    assert answer.id.startswith("cmpl-")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_stream(client: OpenAI) -> None:
    """A stream has one id, the same text, and usage at its end if asked."""
    whole = client.completions.create(model="Echo", prompt=TEXT)
    chunks = list(
        client.completions.create(
            model="Echo", prompt=TEXT, stream=True, stream_options={"include_usage": True}
        )
    )

    assert 1 == len({(chunk.id, chunk.model) for chunk in chunks})
    said = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert whole.choices[0].text == said
    assert whole.usage == chunks[-1].usage


def test_several_prompts_and_choices(client: OpenAI) -> None:
    """Each prompt gets its own choices, numbered in order, and echo puts it in front."""
    answer = client.completions.create(model="Echo", prompt=["red", "blue"], n=2, echo=True)

    assert [0, 1, 2, 3] == [choice.index for choice in answer.choices]
    wanted = ["red", "red", "blue", "blue"]
    got = [choice.text for choice in answer.choices]
    assert all(text.startswith(begin) for text, begin in zip(got, wanted, strict=True))
    assert len(got[0]) > len("red")


def test_the_instruction_and_the_suffix_reach_the_bot(client: OpenAI, live: Live) -> None:
    """The bot gets a system message with the suffix in it, and the text as the user's."""
    live.simulator.reset()
    client.completions.create(model="Echo", prompt="def f(", suffix="return 1")
    query = str(live.simulator.queries()[-1])

    assert "You complete texts." in query
    assert "return 1" in query


def test_limits_hold(client: OpenAI) -> None:
    """Stop texts and token limits work as in a chat."""
    stopped = client.completions.create(model="Echo", prompt=TEXT, stop=["there"])
    short = client.completions.create(model="Echo", prompt=TEXT, max_tokens=2)

    assert "there" not in stopped.choices[0].text
    assert "length" == short.choices[0].finish_reason


def test_what_cannot_be_given_is_refused(client: OpenAI) -> None:
    """Probabilities and token ids end in a sentence."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model="Echo", prompt=TEXT, logprobs=3)
    assert "unsupported_parameter" == caught.value.code

    with pytest.raises(openai.BadRequestError, match="token ids"):
        client.completions.create(model="Echo", prompt=[1, 2, 3])


def test_unknown_model(client: OpenAI) -> None:
    """Poe's word on a bot that does not exist is OpenAI's model_not_found, also in a stream."""
    with pytest.raises(openai.NotFoundError):
        client.completions.create(model="No-Such-Bot", prompt=TEXT, stream=True)


def test_the_path_without_its_version(live: Live) -> None:
    """Clients that know no /v1 are served; the end mark is there."""
    answer = requests.post(
        f"{live.url}/completions",
        headers={"Authorization": "Bearer k"},
        json={"model": "Echo", "prompt": TEXT, "stream": True, "best_of": 3},
        timeout=10,
    )

    assert answer.text.endswith("data: [DONE]\n\n")
    assert "best_of" in answer.headers["x-poeflask-ignored"]
