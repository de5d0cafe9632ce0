"""/v1/responses and /v1/conversations with the official SDK as judge."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import requests
from openai import OpenAI
from openai.types.responses import Response, ResponseFailedEvent
from pydantic import BaseModel

from tests.endpoints.responses.grammar import Grammar, fold, frames
from tests.live.conftest import Live

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


@pytest.fixture
def client(live: Live) -> Iterator[OpenAI]:
    """The SDK, with no retries of its own."""
    with of_key(live, "ada-key") as made:
        yield made


def of_key(live: Live, key: str) -> OpenAI:
    """The SDK of somebody with this key."""
    return OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0, timeout=20)


def post(live: Live, path: str, **body: Any) -> requests.Response:
    """What the server answers to a plain request."""
    headers = {"Authorization": "Bearer ada-key"}
    return requests.post(f"{live.url}{path}", headers=headers, json=body, timeout=20)


def last_query(live: Live) -> dict[str, Any]:
    """The last query that reached Poe."""
    query: Any = live.simulator.queries()[-1]["body"]
    return query


def test_whole(client: OpenAI) -> None:
    """A whole response has text, usage with details, and every field of the specification."""
    response = client.responses.create(model="Echo", input="Hello there, bridge!")

    assert "Hello there, bridge!" in response.output_text
    assert "completed" == response.status
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert 0 == response.usage.input_tokens_details.cache_write_tokens
    assert response.id.startswith("resp_")
    assert response.output[0].id.startswith("msg_")


@pytest.mark.parametrize("bot", ["Echo", "Thinker", "Slow-Talker", "Painter"])
def test_a_stream_keeps_the_grammar(live: Live, bot: str) -> None:
    """Every frame has a name, a number and its place, and the last is the whole."""
    answer = post(
        live,
        "/v1/responses",
        model=bot,
        input="Hi",
        stream=True,
        poe={"words": 3, "interval_ms": 1},
    )
    events = frames(answer.content.decode())
    Grammar().check(events)

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert "response.completed" == events[-1]["type"]
    assert events[-1]["response"] == fold(events)


def test_a_strict_reader_finds_nothing_wrong(live: Live) -> None:
    """Every event, item and object is of the type that the SDK declares, to the last field."""
    asked: dict[str, Any] = {"input": "What is the weather in Paris?", "tools": [WEATHER]}
    with OpenAI(
        base_url=f"{live.url}/v1", api_key="k", max_retries=0, _strict_response_validation=True
    ) as strict:
        for model in ("Thinker", "Tool-User"):
            events = list(strict.responses.create(model=model, stream=True, **asked))
            whole = strict.responses.create(model=model, **asked)

            assert "response.completed" == events[-1].type
            assert whole == strict.responses.retrieve(whole.id)
            assert list(strict.responses.input_items.list(whole.id))
            assert strict.responses.input_tokens.count(model=model, **asked)


def test_stream_helper(client: OpenAI) -> None:
    """The SDK's accumulating helper ends with the whole response."""
    with client.responses.stream(model="Echo", input="Hello there, bridge!") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()

    assert "response.created" == kinds[0]
    assert "Hello there, bridge!" in final.output_text


def test_thoughts_are_an_item_of_their_own(client: OpenAI) -> None:
    """What the bot thinks stands before what it says, as a summary."""
    response = client.responses.create(model="Thinker", input="What is this?")

    thoughts, message = response.output
    assert "reasoning" == thoughts.type
    assert "Reading the question" in thoughts.summary[0].text
    assert "message" == message.type
    assert "Thinking..." not in response.output_text
    assert "You said: What is this?" in response.output_text


def test_parse(client: OpenAI) -> None:
    """A schema is held, whatever the bot's own habits."""

    class Person(BaseModel):
        name: str
        age: int

    response = client.responses.parse(
        model="Json-Writer", input="Give me the person Ada, age 36.", text_format=Person
    )

    assert isinstance(response.output_parsed, Person)


@pytest.mark.parametrize("stream", [True, False])
def test_a_tool_round(client: OpenAI, stream: bool) -> None:
    """A call comes as an item, and its result is answered when it is sent with its history."""
    task: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    asked: dict[str, Any] = {"model": "Tool-User", "tools": [WEATHER]}
    if stream:
        with client.responses.stream(input=task, **asked) as events:
            response = events.until_done().get_final_response()
    else:
        response = client.responses.create(input=task, **asked)
    [call] = [item for item in response.output if item.type == "function_call"]
    said = [item.to_dict() for item in response.output]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answer = client.responses.create(input=[*task, *said, result], **asked)

    assert "get_weather" == call.name
    assert isinstance(json.loads(call.arguments), dict)
    assert "completed" == answer.status
    assert answer.output_text


def test_a_tool_round_through_the_store(client: OpenAI, live: Live) -> None:
    """With previous_response_id only the result is sent, and the bot sees the whole."""
    asked: dict[str, Any] = {"model": "Tool-User", "tools": [WEATHER]}
    first = client.responses.create(input="What is the weather in Paris?", **asked)
    [call] = [item for item in first.output if item.type == "function_call"]
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    second = client.responses.create(input=[result], previous_response_id=first.id, **asked)

    assert second.output_text
    assert "What is the weather in Paris?" in json.dumps(last_query(live))
    assert first.id == second.previous_response_id


@pytest.mark.parametrize("stream", [True, False])
def test_the_next_request_can_continue_at_once(client: OpenAI, live: Live, stream: bool) -> None:
    """What was streamed is kept before the client hears of its end."""
    if stream:
        with client.responses.stream(model="Echo", input="My name is Ada.") as events:
            first = events.until_done().get_final_response()
    else:
        first = client.responses.create(model="Echo", input="My name is Ada.")
    second = client.responses.create(
        model="Echo", input="Who am I?", previous_response_id=first.id, instructions="Be brief."
    )

    roles = [message["role"] for message in last_query(live)["query"]]
    assert ["system", "user", "bot", "user"] == roles
    items = list(client.responses.input_items.list(second.id, order="asc"))
    assert ["user", "assistant", "user"] == [item.role for item in items]
    assert second.output_text == client.responses.retrieve(second.id).output_text


def test_items_are_referred_to(client: OpenAI, live: Live) -> None:
    """An item's id stands for the item."""
    first = client.responses.create(model="Echo", input="My name is Ada.")
    client.responses.create(
        model="Echo",
        input=[
            {"type": "item_reference", "id": first.output[0].id},
            {"role": "user", "content": "Again!"},
        ],
    )

    assert "bot" == last_query(live)["query"][0]["role"]


def test_what_was_not_stored_cannot_be_continued(client: OpenAI) -> None:
    """The error has OpenAI's code and tells what to do instead."""
    first = client.responses.create(model="Echo", input="Hi", store=False)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="Echo", input="Hi", previous_response_id=first.id)

    assert "previous_response_not_found" == caught.value.code
    assert "'store': false" in caught.value.message
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_a_response_is_its_owners(client: OpenAI, live: Live) -> None:
    """For another key it does not exist, and it cannot be deleted with it."""
    mine = client.responses.create(model="Echo", input="Hi")
    with of_key(live, "bob-key") as other:
        with pytest.raises(openai.NotFoundError):
            other.responses.retrieve(mine.id)
        with pytest.raises(openai.NotFoundError):
            other.responses.delete(mine.id)
        with pytest.raises(openai.BadRequestError):
            other.responses.create(model="Echo", input="Hi", previous_response_id=mine.id)

    client.responses.delete(mine.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(mine.id)


def polled(client: OpenAI, response_id: str) -> Any:
    """A background response once it is finished."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        response = client.responses.retrieve(response_id)
        if response.status not in ("queued", "in_progress"):
            return response
        time.sleep(0.05)
    return pytest.fail("It was never finished.")


def test_background(client: OpenAI) -> None:
    """A response that the client polls for is queued, worked on, and then there."""
    queued = client.responses.create(model="Echo", input="Hello there!", background=True)

    assert "queued" == queued.status
    finished = polled(client, queued.id)
    assert ("completed", queued.id) == (finished.status, finished.id)
    assert "Hello there!" in finished.output_text


def test_a_background_stream_goes_on_when_its_listener_leaves(client: OpenAI) -> None:
    """Who comes back later finds the whole response."""
    stream = client.responses.create(
        model="Slow-Talker",
        input="Hi",
        background=True,
        stream=True,
        extra_body={"poe": {"words": 5, "interval_ms": 100}},
    )
    created = next(iter(stream))
    assert "response.created" == created.type
    stream.close()

    finished = polled(client, created.response.id)
    assert "completed" == finished.status
    assert "word 5." in finished.output_text


def test_a_background_stream_is_a_stream(client: OpenAI) -> None:
    """Who stays hears all of it."""
    events = list(
        client.responses.create(model="Echo", input="Hello!", background=True, stream=True)
    )

    assert "response.completed" == events[-1].type
    assert "Hello!" in events[-1].response.output_text
    assert "completed" == client.responses.retrieve(events[-1].response.id).status


def test_a_background_response_fails_in_its_own_words(client: OpenAI) -> None:
    """The error stands in the response, since nobody waits for a status."""
    queued = client.responses.create(model="No-Such-Bot", input="Hi", background=True)

    finished = polled(client, queued.id)
    assert "failed" == finished.status
    assert "model_not_found" == finished.error.code


def _silent(live: Live, state: str) -> int:
    """How many answers of a bot that falls silent are in such a state."""
    return live.simulator.connections().get("Silent-Middle", {}).get(state, 0)


def test_a_background_response_is_cancelled(client: OpenAI, live: Live) -> None:
    """Poe's connection ends with it."""
    before = _silent(live, "aborted")
    queued = client.responses.create(model="Silent-Middle", input="Hi", background=True)
    deadline = time.monotonic() + 10
    while not _silent(live, "open"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    working = client.responses.retrieve(queued.id)
    cancelled = client.responses.cancel(queued.id)

    assert "in_progress" == working.status
    assert "cancelled" == cancelled.status
    deadline = time.monotonic() + 10
    while _silent(live, "aborted") == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "cancelled" == client.responses.retrieve(queued.id).status


def test_only_background_responses_are_cancelled(client: OpenAI) -> None:
    """Others end with their connection."""
    done = client.responses.create(model="Echo", input="Hi")

    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(done.id)


def test_a_conversation(client: OpenAI, live: Live) -> None:
    """Each response in it sees all that was said in it before."""
    conversation = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "My name is Ada."}],
        metadata={"a": "b"},
    )
    client.responses.create(model="Echo", input="One", conversation=conversation.id)
    client.responses.create(model="Echo", input="Two", conversation={"id": conversation.id})

    said = [message["content"] for message in last_query(live)["query"]]
    assert ["My name is Ada.", "One", "One", "Two"] == [text.strip() for text in said]
    items = client.conversations.items.list(conversation.id)
    assert 5 == len(list(items))
    assert {"a": "b"} == client.conversations.retrieve(conversation.id).metadata
    assert client.conversations.delete(conversation.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="Echo", input="Three", conversation=conversation.id)


def test_a_conversation_is_changed(client: OpenAI, live: Live) -> None:
    """Its last words are taken back, as agents do that try a turn again, and its labels change."""
    conversation = client.conversations.create(items=[{"role": "user", "content": "One"}])
    of = {"conversation_id": conversation.id}
    client.responses.create(model="Echo", input="Two", conversation=conversation.id)
    for item in list(client.conversations.items.list(conversation.id))[:2]:
        assert item == client.conversations.items.retrieve(str(item.id), **of)
        assert conversation == client.conversations.items.delete(str(item.id), **of)
    client.responses.create(model="Echo", input="Three", conversation=conversation.id)

    said = [message["content"] for message in last_query(live)["query"]]
    assert ["One", "Three"] == [text.strip() for text in said]
    labelled = client.conversations.update(conversation.id, metadata={"a": "b"})
    assert ({"a": "b"}, conversation.id) == (labelled.metadata, labelled.id)


def test_the_items_of_a_conversation_are_of_the_sdks_own_form(client: OpenAI) -> None:
    """Its strict reading finds nothing missing."""
    message = {"role": "user", "content": "One"}
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items: Any = [message, call, output]
    conversation = client.conversations.create(items=items)

    page = client.conversations.items.list(conversation.id)
    assert page.data == type(page).model_validate(page.to_dict()).data


def test_input_tokens_are_those_of_usage(client: OpenAI) -> None:
    """What is counted before is what is counted after."""
    asked: dict[str, Any] = {
        "model": "Echo",
        "input": "Hello there, bridge!",
        "instructions": "Be brief.",
    }
    counted = client.responses.input_tokens.count(**asked)
    response = client.responses.create(**asked)

    assert response.usage is not None
    assert counted.input_tokens == response.usage.input_tokens > 5


def test_length(client: OpenAI) -> None:
    """A response that was cut is incomplete and says why."""
    response = client.responses.create(
        model="Echo", input="one two three four five six", max_output_tokens=2
    )

    assert "incomplete" == response.status
    assert response.incomplete_details is not None
    assert "max_output_tokens" == response.incomplete_details.reason


def test_unknown_model(client: OpenAI) -> None:
    """Poe's word on a bot that does not exist is OpenAI's, with its true status."""
    for stream in (True, False):
        with pytest.raises(openai.NotFoundError) as caught:
            client.responses.create(model="No-Such-Bot", input="Hi", stream=stream)

        assert "model_not_found" == caught.value.code


def test_a_failure_in_the_middle(live: Live) -> None:
    """What was said is kept, and the stream's one end says what went wrong."""
    answer = post(live, "/v1/responses", model="Error-Late", input="Hi", stream=True)
    events = frames(answer.content.decode())
    Grammar().check(events)

    assert "response.failed" == events[-1]["type"]
    assert events[-1]["response"]["output"]
    assert ResponseFailedEvent.model_validate(events[-1]).response.error


def test_a_client_that_leaves_takes_its_answer_with_it(client: OpenAI, live: Live) -> None:
    """Poe's connection closes, what is kept says that it broke off, and the server goes on."""
    before = _silent(live, "aborted")
    stream = client.responses.create(model="Silent-Middle", input="Hi", stream=True)
    created = next(iter(stream))
    assert "response.created" == created.type
    stream.close()

    deadline = time.monotonic() + 10
    while _silent(live, "aborted") == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kept = _kept(client, created.response.id, deadline)
    assert "failed" == kept.status
    assert kept.error is not None
    assert "client_closed_request" == kept.error.code
    assert client.responses.create(model="Echo", input="Still there?").output_text


def _kept(client: OpenAI, response_id: str, deadline: float) -> Response:
    """The response once it is kept, which is a moment after its client has left."""
    while True:
        try:
            return client.responses.retrieve(response_id)
        except openai.NotFoundError:
            assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_opening_does_not_wait_for_a_silent_bot(live: Live) -> None:
    """Agents count on the first events to know that they are served."""
    with requests.post(
        f"{live.url}/v1/responses",
        headers={"Authorization": "Bearer ada-key"},
        json={"model": "Silent-Start", "input": "Hi", "stream": True},
        stream=True,
        timeout=20,
    ) as answer:
        first = next(answer.iter_lines())

    assert b"event: response.created" == first


def test_what_is_ignored_is_named(live: Live) -> None:
    """A tool that Poe lacks and a field without effect do not fail."""
    answer = post(
        live,
        "/v1/responses",
        model="Echo",
        input="Hi",
        truncation="auto",
        tools=[{"type": "file_search", "vector_store_ids": ["v"]}],
    )

    assert 200 == answer.status_code
    named = set(answer.headers["x-poeflask-ignored"].split(", "))
    assert {"truncation", "tools[0]"} <= named


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/responses/compact", 501),
        ("GET", "/v1/responses/resp_unknown", 404),
        ("GET", "/v1/responses/resp_unknown/input_items", 404),
        ("POST", "/v1/responses/resp_unknown/cancel", 404),
        ("DELETE", "/v1/responses/resp_unknown", 404),
        ("GET", "/v1/conversations/conv_unknown", 404),
        ("POST", "/responses", 400),
        ("POST", "/v1/v1/responses", 400),
        ("GET", "/v1/responses", 405),
    ],
)
def test_what_is_not_there(live: Live, method: str, path: str, status: int) -> None:
    """Every answer is JSON in OpenAI's shape; odd spellings of the path lead there too."""
    headers = {"x-api-key": "ada-key"}
    answer = requests.request(method, live.url + path, headers=headers, json={}, timeout=10)

    assert status == answer.status_code
    assert answer.json()["error"]["message"]
