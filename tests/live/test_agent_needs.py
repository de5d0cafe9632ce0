"""What agents need of any bot: tool calls, JSON of a form, and nothing paid for in vain."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.live.conftest import Live
from tests.live.test_client_gone import aborted, wait_for

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
FORM: Any = {
    "type": "json_schema",
    "json_schema": {"name": "town", "schema": {"type": "object", "required": ["town"]}},
}


def said(text: str) -> Any:
    """A conversation of one turn."""
    return [{"role": "user", "content": text}]


def queries(live: Live, bot: str) -> int:
    """How often this bot was asked."""
    return sum(query["bot"] == bot for query in live.simulator.queries())


@pytest.mark.parametrize("bot", ["Tool-User", "Prompted-Tools", "Tool-Silent", "Tool-Refuser"])
def test_every_bot_calls_tools(client: OpenAI, bot: str) -> None:
    """Through the protocol, in words, or in words after all; streamed as whole."""
    asked: Any = {"model": bot, "messages": said("weather in Paris"), "tools": [WEATHER]}
    whole = client.chat.completions.create(**asked).choices[0]
    with client.chat.completions.stream(**asked) as stream:
        streamed = stream.get_final_completion().choices[0]

    assert "tool_calls" == whole.finish_reason == streamed.finish_reason
    for choice in (whole, streamed):
        (call,) = choice.message.tool_calls or ()
        assert call.type == "function"
        assert "get_weather" == call.function.name
        assert {"city": "Paris"} == json.loads(call.function.arguments)


@pytest.mark.parametrize("stream", [True, False])
def test_prose_behind_a_call_is_not_waited_for(live: Live, client: OpenAI, stream: bool) -> None:
    """The bot is stopped once its call is complete, which saves points."""
    before = aborted(live, "Echo")
    call = '<tool_call>{"name": "get_weather", "arguments": {"city": "Rome"}}</tool_call>'
    answer: Any = client.chat.completions.create(
        model="Echo",
        messages=said(f"{call}\n\nNow I wait. {'blah ' * 200_000}"),
        tools=[WEATHER],
        stream=stream,
    )
    choices = [chunk.choices[0] for chunk in answer] if stream else answer.choices

    assert "tool_calls" == choices[-1].finish_reason
    wait_for(lambda: aborted(live, "Echo") > before)


def test_an_answer_of_the_wrong_form_is_asked_for_twice(live: Live, client: OpenAI) -> None:
    """Then it is an honest error, which neither poeflask nor an SDK tries again."""
    before = queries(live, "Counter")
    with pytest.raises(openai.InternalServerError) as caught:
        client.with_options(max_retries=2).chat.completions.create(
            model="Counter", messages=said("hi"), response_format=FORM
        )

    assert "wrong_shape" == caught.value.code
    assert 2 == queries(live, "Counter") - before


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("wish", [{"tools": [WEATHER]}, {"response_format": FORM}])
def test_poes_connection_closes_while_the_answer_is_held_back(
    live: Live, client: OpenAI, wish: dict[str, Any], stream: bool
) -> None:
    """A client that leaves is noticed although nothing was sent to it yet; nobody asks again."""
    aborted_before, asked_before = aborted(live, "Slow-Talker"), queries(live, "Slow-Talker")
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.5).chat.completions.create(
            model="Slow-Talker",
            messages=said("hi"),
            stream=stream,
            extra_body={"poe": {"first_ms": 20_000}},
            **wish,
        )

    wait_for(lambda: aborted(live, "Slow-Talker") > aborted_before)
    assert 1 == queries(live, "Slow-Talker") - asked_before
