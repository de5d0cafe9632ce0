"""POST /v1/messages and count_tokens with Anthropic's official SDK as judge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
import requests
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from pydantic import BaseModel

from tests.endpoints.messages.bad_requests import BAD_REQUESTS, BadRequest
from tests.endpoints.messages.grammar import check, frames, plain, read_back
from tests.endpoints.messages.tolerant_requests import TOLERANT_REQUESTS
from tests.live.conftest import Live

LIMIT = 64 * 1024 * 1024
HELLO: list[Any] = [{"role": "user", "content": "Hello there, bridge!"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
ASK_WEATHER: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
THINK: Any = {"type": "enabled", "budget_tokens": 1024}


@pytest.fixture
def client(live: Live) -> Iterator[Anthropic]:
    """The SDK, with no retries of its own."""
    with Anthropic(base_url=live.url, api_key="any-key", max_retries=0, timeout=20) as made:
        yield made


def post(live: Live, body: Any, path: str = "/v1/messages", **headers: str) -> requests.Response:
    """A request without the SDK."""
    sent = {"x-api-key": "k", "anthropic-version": "2023-06-01", **headers}
    return requests.post(live.url + path, headers=sent, json=body, timeout=20)


def asking(bot: str, **more: Any) -> dict[str, Any]:
    """A request to a bot."""
    return {"model": bot, "max_tokens": 1000, "messages": HELLO, **more}


def test_whole(client: Anthropic) -> None:
    """A whole message has text, a reason, usage and the id of its request."""
    message = client.messages.create(**asking("Echo", system="Be brief."))

    assert ["text"] == [block.type for block in message.content]
    assert "Hello there, bridge!" in message.content[0].text
    assert ("end_turn", None) == (message.stop_reason, message.stop_sequence)
    assert message.usage.input_tokens > 5
    assert message.usage.output_tokens > 2
    assert message.id.startswith("msg_")
    assert (message._request_id or "").startswith("req_")
    assert "Echo" == message.model


def test_stream_helper(client: Anthropic) -> None:
    """The accumulating helper gives the same text piece by piece and at its end."""
    with client.messages.stream(**asking("Echo")) as stream:
        said = "".join(stream.text_stream)
        message = stream.get_final_message()

    assert message.content[0].text == said
    assert "Hello there, bridge!" in said
    assert message.usage.output_tokens > 2


def test_raw_stream(client: Anthropic) -> None:
    """Events come in Anthropic's order, the prompt's tokens first, the answer's last."""
    events = list(client.messages.create(**asking("Echo"), stream=True))
    types = [event.type for event in events]

    assert ["message_start", "content_block_start", "content_block_delta"] == types[:3]
    assert ["content_block_stop", "message_delta", "message_stop"] == types[-3:]
    assert events[0].message.usage.input_tokens > 5
    assert events[-2].usage.output_tokens > 2


def test_async_client(live: Live) -> None:
    """The asynchronous SDK gets the same, streamed and whole, with a bearer token."""

    async def ask() -> tuple[str, str]:
        async with AsyncAnthropic(base_url=live.url, auth_token="k", max_retries=0) as client:
            whole = await client.messages.create(**asking("Echo"))
            async with client.messages.stream(**asking("Echo")) as stream:
                pieces = [piece async for piece in stream.text_stream]
            return whole.content[0].text, "".join(pieces)

    whole, streamed = asyncio.run(ask())

    assert whole == streamed


@pytest.mark.parametrize("bot", ["Echo", "Thinker", "Think-Tags", "Tool-User", "Prompted-Tools"])
def test_a_stream_read_back_is_the_whole_message(live: Live, bot: str) -> None:
    """The grammar holds, and both ways say the same but for their ids."""
    body = asking(bot, messages=ASK_WEATHER, tools=[WEATHER], thinking=THINK)
    whole = plain(anthropic.types.Message.model_validate(post(live, body).json()))
    stream = post(live, {**body, "stream": True})
    stream.encoding = "utf-8"
    streamed = read_back(stream.text)

    assert "stopped" == check(stream.text).state
    for message in (whole, streamed):
        del message["id"]
        for block in message["content"]:
            block.pop("id", None)
    assert whole == streamed


def test_thoughts_are_shown_to_who_asks_for_them(client: Anthropic) -> None:
    """Whole, without text, or not at all; and they may be sent back."""
    shown = client.messages.create(**asking("Thinker", thinking=THINK))
    omitted: Any = {**THINK, "display": "omitted"}
    signed = client.messages.create(**asking("Thinker", thinking=omitted))
    plain_answer = client.messages.create(**asking("Thinker"))
    history = [*HELLO, {"role": "assistant", "content": shown.content}, *HELLO]
    again = client.messages.create(**asking("Thinker", thinking=THINK, messages=history))

    assert ["thinking", "text"] == [block.type for block in shown.content]
    assert "The user wrote" in shown.content[0].thinking
    assert shown.content[0].signature
    assert ["thinking", "text"] == [block.type for block in signed.content]
    assert ("", True) == (signed.content[0].thinking, bool(signed.content[0].signature))
    assert ["text"] == [block.type for block in plain_answer.content]
    assert "thinking" == again.content[0].type
    assert shown.usage.output_tokens_details is not None
    assert shown.usage.output_tokens_details.thinking_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("bot", ["Tool-User", "Prompted-Tools", "Tool-Silent", "Tool-Refuser"])
def test_a_tool_is_called_and_its_result_understood(
    client: Anthropic, bot: str, stream: bool
) -> None:
    """Bots with tools of their own and bots without are alike to the client."""

    def answer(messages: list[Any]) -> Any:
        body = asking(bot, messages=messages, tools=[WEATHER])
        if not stream:
            return client.messages.create(**body)
        with client.messages.stream(**body) as events:
            return events.get_final_message()

    called = answer(ASK_WEATHER)
    (use,) = [block for block in called.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny, 21 degrees"}
    told = answer(
        [
            *ASK_WEATHER,
            {"role": "assistant", "content": called.content},
            {"role": "user", "content": [result]},
        ]
    )

    assert "tool_use" == called.stop_reason
    assert ("get_weather", True) == (use.name, isinstance(use.input.get("city"), str))
    assert "end_turn" == told.stop_reason
    assert "sunny" in told.content[-1].text


@pytest.mark.parametrize(
    "choice",
    [{"type": "any"}, {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}],
)
def test_a_call_can_be_demanded(client: Anthropic, choice: Any) -> None:
    """Any tool, or one by name."""
    body = asking("Prompted-Tools", messages=ASK_WEATHER, tools=[WEATHER], tool_choice=choice)
    message = client.messages.create(**body)

    assert "tool_use" == message.stop_reason


@pytest.mark.parametrize("bot", ["Tool-User", "Prompted-Tools"])
def test_the_official_tool_runner(client: Anthropic, bot: str) -> None:
    """It asks for a thread, is told that there is none, and goes on with the whole history."""
    asked: list[str] = []

    @beta_tool
    def get_weather(city: str) -> str:
        """Tells the weather of a city.

        Args:
            city: the city's name.
        """
        asked.append(city)
        return "sunny, 21 degrees"

    body = asking(bot, messages=ASK_WEATHER)
    last = client.beta.messages.tool_runner(**body, tools=[get_weather]).until_done()

    assert 1 == len(asked)
    assert "sunny" in last.content[-1].text


def test_the_parsing_helper(client: Anthropic) -> None:
    """A type in, a value of that type out."""

    class Person(BaseModel):
        name: str
        age: int

    parsed = client.messages.parse(
        model="Json-Writer",
        max_tokens=1000,
        messages=[{"role": "user", "content": "Tell me of Ada, who is 36."}],
        output_format=Person,
    )

    assert isinstance(parsed.parsed_output, Person)


def test_tokens_are_counted_alike(client: Anthropic) -> None:
    """Before and with the answer, streamed or whole, and whatever is added to emulate tools."""
    for bot in ("Tool-User", "Prompted-Tools"):
        asked = {"model": bot, "messages": ASK_WEATHER, "tools": [WEATHER], "system": "Be brief."}
        counted = client.messages.count_tokens(**asked).input_tokens
        stream = list(client.messages.create(**asked, max_tokens=50, stream=True))

        assert counted > 20
        assert counted == stream[0].message.usage.input_tokens
    whole = client.messages.create(**asked, max_tokens=50)
    assert counted == whole.usage.input_tokens


def test_counting_needs_a_key(live: Live) -> None:
    """As every route does that answers about a conversation."""
    answer = requests.post(f"{live.url}/v1/messages/count_tokens", json=asking("Echo"), timeout=10)

    assert 401 == answer.status_code
    assert "authentication_error" == answer.json()["error"]["type"]


def test_stop_sequence_and_limit(client: Anthropic) -> None:
    """Both hold whether or not the bot knows them, and the matched text is told."""
    stopped = client.messages.create(**asking("Echo", stop_sequences=["xyz", "bridge"]))
    short = client.messages.create(**asking("Echo", max_tokens=2))

    assert ("stop_sequence", "bridge") == (stopped.stop_reason, stopped.stop_sequence)
    assert "bridge" not in stopped.content[0].text
    assert "max_tokens" == short.stop_reason
    assert 2 == short.usage.output_tokens


def test_pings_keep_a_silent_stream_alive(live: Live) -> None:
    """Also before the bot has said a word: the message begins with the first ping."""
    slow = {"words": 2, "interval_ms": 0, "first_ms": 2800}
    answer = post(live, asking("Slow-Talker", stream=True, poe=slow))
    types = [event["type"] for event in frames(answer.text)]

    assert "stopped" == check(answer.text).state
    assert ["message_start", "ping"] == types[:2]


def test_a_silent_bot_ends_in_an_error(live: Live) -> None:
    """What is open is closed, and the error is the last event."""
    answer = post(live, asking("Silent-Middle", stream=True))
    events = [event for event in frames(answer.text) if event["type"] != "ping"]

    assert "failed" == check(answer.text).state
    assert ["content_block_stop", "error"] == [event["type"] for event in events[-2:]]
    assert "timeout_error" == events[-1]["error"]["type"]


BEFORE = [
    ("Http-400", anthropic.BadRequestError, "invalid_request_error"),
    ("Http-401", anthropic.AuthenticationError, "authentication_error"),
    ("Http-402", anthropic.APIStatusError, "billing_error"),
    ("Http-403", anthropic.PermissionDeniedError, "permission_error"),
    ("Http-404", anthropic.NotFoundError, "not_found_error"),
    ("Http-429", anthropic.RateLimitError, "rate_limit_error"),
    ("Http-500", anthropic.InternalServerError, "api_error"),
    ("Http-529", anthropic.InternalServerError, "overloaded_error"),
    ("No-Points", anthropic.APIStatusError, "billing_error"),
    ("No-Such-Bot", anthropic.NotFoundError, "not_found_error"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("bot", "error", "type_"), BEFORE)
def test_a_refusal_is_the_sdk_s_own_exception(
    client: Anthropic, bot: str, error: type[anthropic.APIStatusError], type_: str, stream: bool
) -> None:
    """Status, type and the request's id are there, streamed or not."""
    with pytest.raises(error) as caught:
        client.messages.create(**asking(bot), stream=stream)

    body: Any = caught.value.body
    assert ("error", type_) == (body["type"], body["error"]["type"])
    assert (caught.value.request_id or "").startswith("req_")
    assert caught.value.request_id == body["request_id"]
    if type_ == "billing_error":
        assert 402 == caught.value.status_code


@pytest.mark.parametrize("bot", ["Error-Late", "Bad-Json", "Cut-Between", "Cut-Reset"])
def test_a_late_error_is_raised_behind_the_text(client: Anthropic, bot: str) -> None:
    """What was said stays said, then the SDK raises."""
    said: list[str] = []
    with pytest.raises(anthropic.APIError), client.messages.stream(**asking(bot)) as stream:
        said.extend(stream.text_stream)

    assert "".join(said).startswith("Hello")


def test_retries_are_obeyed(live: Live) -> None:
    """The SDK asks again where it helps and only there."""

    def started(bot: str) -> int:
        return live.simulator.connections().get(bot, {}).get("started", 0)

    def asked_again(bot: str) -> bool:
        before = started(bot)
        with pytest.raises(anthropic.APIStatusError):
            post_once(bot, max_retries=0)
        once = started(bot) - before
        with pytest.raises(anthropic.APIStatusError):
            post_once(bot, max_retries=1)
        return started(bot) - before - once > once

    def post_once(bot: str, max_retries: int) -> None:
        with Anthropic(base_url=live.url, api_key="k", max_retries=max_retries) as client:
            client.messages.create(**asking(bot))

    assert asked_again("Http-529")
    assert not asked_again("No-Points")


@pytest.mark.parametrize("path", ["/v1/v1/messages", "/messages", "//v1/messages?beta=true"])
def test_spellings_of_the_path(live: Live, path: str) -> None:
    """Clients with a wrong base address are served all the same."""
    answer = post(live, asking("Echo"), path)

    assert 200 == answer.status_code
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


def test_names_of_other_apis(client: Anthropic) -> None:
    """The bot is found, and the client sees the name that it wrote."""
    message = client.messages.create(**asking("simulator/echo-20250929[1m]"))

    assert "simulator/echo-20250929[1m]" == message.model
    assert "Hello there, bridge!" in message.content[0].text


@pytest.mark.parametrize("body", TOLERANT_REQUESTS.values(), ids=TOLERANT_REQUESTS)
def test_what_clients_really_send_is_answered(live: Live, body: dict[str, Any]) -> None:
    """With betas that nobody knows."""
    answer = post(live, {**body, "model": "Echo"}, **{"anthropic-beta": "unknown-2099-01-01"})

    assert 200 == answer.status_code, answer.text


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(live: Live, bad: BadRequest) -> None:
    """The error says in Anthropic's shape which field is wrong and what would be right."""
    body = bad.sent + b" " * (LIMIT if bad.over_limit else 0)
    answer = requests.post(
        f"{live.url}/v1/messages",
        data=body,
        headers={"x-api-key": "k", **bad.headers},
        timeout=30,
    )
    error = answer.json()["error"]

    assert (bad.status, bad.type) == (answer.status_code, error["type"])
    assert bad.param in error["message"]
    assert bad.word.lower() in error["message"].lower()
    assert answer.headers["request-id"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/messages", 405), ("POST", "/v1/messages/none", 404), ("PUT", "/nowhere", 404)],
)
def test_routes_that_are_not_there(live: Live, method: str, path: str, status: int) -> None:
    """Also they answer in Anthropic's shape, for its paths and for its clients."""
    headers = {"anthropic-version": "2023-06-01"}
    answer = requests.request(method, live.url + path, headers=headers, timeout=10)

    assert status == answer.status_code
    assert "error" == answer.json()["type"]
    assert answer.headers["request-id"]


def test_the_probe_of_claude_code(live: Live) -> None:
    """It asks whether a server is there, without a key."""
    assert 200 == requests.head(f"{live.url}/api/hello", timeout=10).status_code


def test_models_are_listed_page_by_page(client: Anthropic) -> None:
    """The SDK turns the pages; one model is found by any of its names."""
    everything = [model.id for model in client.models.list()]
    paged = [model.id for model in client.models.list(limit=7)]
    last = client.models.list(limit=2, before_id=everything[5])

    assert everything == paged
    assert everything[3:5] == [model.id for model in last.data]
    assert "Echo" == client.models.retrieve("echo").id
    assert "active" == client.models.retrieve("Echo").lifecycle
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody-such")
