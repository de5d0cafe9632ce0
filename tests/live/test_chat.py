"""POST /v1/chat/completions with the official SDK as judge."""

from __future__ import annotations

import asyncio
import json
import time

import openai
import pytest
import requests
from openai import AsyncOpenAI, OpenAI

from tests.live.conftest import Live

HELLO = [{"role": "user", "content": "Hello there, bridge!"}]


def test_whole(client: OpenAI) -> None:
    """A whole answer has text, a reason and usage with details."""
    answer = client.chat.completions.create(model="Echo", messages=HELLO)

    assert "Hello there, bridge!" in (answer.choices[0].message.content or "")
    assert "stop" == answer.choices[0].finish_reason
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.prompt_tokens > 5
    assert answer.usage.completion_tokens_details is not None
    assert answer.id.startswith("chatcmpl-")
    assert abs(answer.created - time.time()) < 60


def test_stream(client: OpenAI) -> None:
    """A stream says the role first, one id throughout, and the same text."""
    stream = client.chat.completions.create(model="Echo", messages=HELLO, stream=True)
    chunks = list(stream)

    assert "assistant" == chunks[0].choices[0].delta.role
    assert 1 == len({(chunk.id, chunk.created, chunk.model) for chunk in chunks})
    assert "Hello there, bridge!" in "".join(c.choices[0].delta.content or "" for c in chunks)
    assert "stop" == chunks[-1].choices[0].finish_reason
    assert all(chunk.usage is None for chunk in chunks)


def test_stream_with_usage(client: OpenAI) -> None:
    """Usage comes in one last chunk without choices, if it was asked for."""
    chunks = list(
        client.chat.completions.create(
            model="Echo",
            messages=HELLO,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    assert [] == chunks[-1].choices
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > 5
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_stream_helper(client: OpenAI) -> None:
    """The SDK's accumulating helper ends with the whole answer."""
    with client.chat.completions.stream(model="Echo", messages=HELLO) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()

    assert "Hello there, bridge!" in (final.choices[0].message.content or "")


def test_async_client(live: Live) -> None:
    """The asynchronous SDK gets the same, streamed and whole."""

    async def ask() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=f"{live.url}/v1", api_key="k", max_retries=0) as client:
            whole = await client.chat.completions.create(model="Echo", messages=HELLO)
            stream = await client.chat.completions.create(model="Echo", messages=HELLO, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content or "", "".join(pieces)

    whole, streamed = asyncio.run(ask())

    assert whole == streamed
    assert "Hello there, bridge!" in whole


def test_several_choices(client: OpenAI) -> None:
    """`n` gives that many answers, streamed and whole."""
    whole = client.chat.completions.create(model="Echo", messages=HELLO, n=3)
    chunks = list(client.chat.completions.create(model="Echo", messages=HELLO, n=3, stream=True))

    assert [0, 1, 2] == [choice.index for choice in whole.choices]
    assert {0, 1, 2} == {choice.index for chunk in chunks for choice in chunk.choices}
    ends = [c.index for chunk in chunks for c in chunk.choices if c.finish_reason]
    assert [0, 1, 2] == sorted(ends)


def test_stop_and_length(client: OpenAI) -> None:
    """Stop texts and token limits hold, whether or not the bot knows them."""
    stopped = client.chat.completions.create(model="Echo", messages=HELLO, stop="there")
    short = client.chat.completions.create(model="Echo", messages=HELLO, max_tokens=2)

    assert "there" not in (stopped.choices[0].message.content or "")
    assert "stop" == stopped.choices[0].finish_reason
    assert "length" == short.choices[0].finish_reason
    assert short.usage is not None
    assert 2 == short.usage.completion_tokens


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/chat/completions",
        "//v1/chat/completions",
        "/v1/v1/chat/completions",
    ],
)
def test_spellings_of_the_path(live: Live, path: str) -> None:
    """Clients with a wrong base address are served all the same."""
    answer = requests.post(
        live.url + path,
        headers={"Authorization": "Bearer k"},
        json={"model": "Echo", "messages": HELLO},
        timeout=10,
    )

    assert 200 == answer.status_code
    assert answer.headers["x-request-id"].startswith("req_")


def test_raw_stream_ends_with_done(live: Live) -> None:
    """The stream's type and last frame are what OpenAI's are."""
    answer = requests.post(
        f"{live.url}/v1/chat/completions",
        headers={"x-api-key": "k"},
        json={"model": "Echo", "messages": HELLO, "stream": True},
        timeout=10,
    )

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert "no" == answer.headers["X-Accel-Buffering"]
    frames = answer.content.decode().split("\n\n")
    assert ["data: [DONE]", ""] == frames[-2:]
    assert all(json.loads(frame.removeprefix("data: ")) for frame in frames[:-2])


def test_ignored_fields_are_named(live: Live) -> None:
    """What cannot be honoured is accepted, and one header says so."""
    wishes = {"seed": 7, "presence_penalty": 1, "reasoning_effort": "low", "zzz": [1], "yyy": 1}
    answer = requests.post(
        f"{live.url}/v1/chat/completions",
        headers={"Authorization": "Bearer k"},
        json={"model": "Echo", "messages": HELLO, **wishes},
        timeout=10,
    )

    assert 200 == answer.status_code
    assert set(wishes) == set(answer.headers["x-poeflask-ignored"].split(", "))


def test_unknown_model(client: OpenAI) -> None:
    """Poe's word on a bot that does not exist is OpenAI's model_not_found, with a better name."""
    with pytest.raises(openai.NotFoundError, match="Perhaps 'Painter' is meant") as caught:
        client.chat.completions.create(model="Paintr", messages=HELLO)

    assert "model_not_found" == caught.value.code
