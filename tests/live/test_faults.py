"""What goes wrong at Poe, as the official SDK sees it: before the first byte, and after it."""

from __future__ import annotations

import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live

HELLO = [{"role": "user", "content": "Hello"}]

BEFORE = [
    ("Http-400", 400, None),
    ("Http-401", 401, "invalid_api_key"),
    ("Http-402", 429, "insufficient_quota"),
    ("Http-403", 403, "content_policy"),
    ("Http-404", 404, "model_not_found"),
    ("Http-408", 504, "timeout"),
    ("Http-413", 400, "context_length_exceeded"),
    ("Http-429", 429, "rate_limit_exceeded"),
    ("Http-500", 500, "poe_error"),
    ("Http-502", 502, "poe_unreachable"),
    ("Http-503", 503, "service_unavailable"),
    ("Http-529", 529, "overloaded"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("bot", "status", "code"), BEFORE)
def test_a_refusal_has_its_status(
    client: OpenAI, bot: str, status: int, code: str | None, stream: bool
) -> None:
    """Whatever Poe refuses with, the client gets a status that means the same, streamed or not."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=bot, messages=HELLO, stream=stream)

    assert (status, code) == (caught.value.status_code, caught.value.code)


EVENTS = [
    ("Too-Long", 400, "context_length_exceeded"),
    ("No-Points", 429, "insufficient_quota"),
    ("User-Error", 400, None),
    ("Privacy-Error", 403, "content_policy"),
    ("Error-No-Retry", 500, "poe_error"),
    ("Internal-Error", 500, "poe_error"),
    ("Rate-Limited", 429, "rate_limit_exceeded"),
    ("No-Such-Bot", 404, "model_not_found"),
    ("Bad-Token", 401, "invalid_api_key"),
    ("Bad-Json-First", 502, "poe_broken"),
    ("Empty", 502, "empty_reply"),
    ("Empty-Body", 502, "empty_reply"),
    ("Blank", 502, "empty_reply"),
    ("Cut-At-Once", 502, "poe_unreachable"),
    ("Cut-After-Headers", 502, "poe_broken"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("bot", "status", "code"), EVENTS)
def test_a_failure_in_poes_stream_has_its_status(
    client: OpenAI, bot: str, status: int, code: str | None, stream: bool
) -> None:
    """An error that is the first thing Poe's stream says is a status, not a stream."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=bot, messages=HELLO, stream=stream)

    assert (status, code) == (caught.value.status_code, caught.value.code)


@pytest.mark.parametrize("bot", ["Html-403", "Html-502", "Plain-200", "Html-200"])
def test_what_is_no_answer_at_all_is_told_without_its_markup(client: OpenAI, bot: str) -> None:
    """A page of the network in between is named as such and never passed on."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=bot, messages=HELLO)

    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    ("bot", "code"),
    [
        ("Error-Late", "poe_error"),
        ("Bad-Json", "poe_broken"),
        ("Cut-Between", "poe_broken"),
        ("Cut-In-Event", "poe_broken"),
        ("Cut-In-Letter", "poe_broken"),
        ("Cut-Reset", "poe_broken"),
    ],
)
def test_an_error_after_text_is_raised_by_the_sdk(client: OpenAI, bot: str, code: str) -> None:
    """What was said stays said, then the SDK raises; nothing is asked again."""
    stream = client.chat.completions.create(model=bot, messages=HELLO, stream=True)
    said: list[str] = []
    with pytest.raises(openai.APIError) as caught:
        said.extend(chunk.choices[0].delta.content or "" for chunk in stream)

    assert "".join(said).startswith("Hello")
    assert code == caught.value.code


def test_an_error_frame_is_followed_by_the_end(live: Live) -> None:
    """The stream of a failed answer ends as every stream does."""
    answer = requests.post(
        f"{live.url}/v1/chat/completions",
        headers={"Authorization": "Bearer k"},
        json={"model": "Error-Late", "messages": HELLO, "stream": True},
        timeout=10,
    )
    frames = answer.text.split("\n\n")

    assert ["data: [DONE]", ""] == frames[-2:]
    assert frames[-3].startswith('data: {"error":{')


@pytest.mark.parametrize("bot", ["Fail-Once", "Fail-Once-Http", "Cut-Once"])
def test_a_passing_fault_is_not_seen(client: OpenAI, bot: str) -> None:
    """One more try before the first byte, and the client knows nothing of it."""
    answer = client.chat.completions.create(model=bot, messages=HELLO)

    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    "bot",
    [
        "No-Done",
        "Comments",
        "Cr-Lines",
        "Lf-Lines",
        "No-Space",
        "Many-Lines",
        "Bom",
        "Strange-Events",
        "Late-Meta",
        "After-Done",
        "Strange-Index",
        "Byte-Writer",
        "One-Write",
        "Empty-Text",
    ],
)
def test_oddities_of_the_wire_do_not_show(client: OpenAI, bot: str) -> None:
    """However Poe writes its stream, the answer is what was meant."""
    whole = client.chat.completions.create(model=bot, messages=HELLO)
    streamed = "".join(
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(model=bot, messages=HELLO, stream=True)
    )

    assert (whole.choices[0].message.content or "").startswith("Hello")
    assert whole.choices[0].message.content == streamed


def test_half_an_emoji_does_not_break_the_stream(client: OpenAI) -> None:
    """Halves that Poe sends apart are joined."""
    answer = client.chat.completions.create(model="Half-Emoji", messages=HELLO)

    assert "\ud83d" not in (answer.choices[0].message.content or "\ud83d")
