"""Requests for responses become Prompts; wrong ones become one exact error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core import json_text
from poeflask.core.dialect import openai_error
from poeflask.core.errors import ClientError
from poeflask.core.prompt import (
    Limits,
    Message,
    OutputFormat,
    Prompt,
    Sampling,
    Text,
    Thinking,
)
from poeflask.endpoints.responses.decode import (
    Links,
    ResponsesRequest,
    decode,
    decode_conversation,
    decode_labels,
    kept_items,
    links_of,
)
from tests.endpoints.responses.bad_requests import BAD_REQUESTS, FUNCTION, GOOD, USER, BadRequest
from tests.endpoints.responses.tolerant_requests import TOLERANT_REQUESTS

HELLO = Message("user", (Text("Hello"),))


def decoded(**fields: Any) -> ResponsesRequest:
    """A good request with these fields, read."""
    return decode({**GOOD, **fields})


def linked_and_decoded(body: Any) -> ResponsesRequest:
    """A request read as a server reads it: its links first."""
    if isinstance(body, dict):
        links_of(body)
    return decode(body)


def test_the_table_of_wrong_requests_has_unique_names() -> None:
    """Two rows of one name would hide each other."""
    assert len(BAD_REQUESTS) == len({bad.name for bad in BAD_REQUESTS})


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request_is_told_what_is_wrong(bad: BadRequest) -> None:
    """Status, code, path and a sentence, in OpenAI's shape."""
    with pytest.raises(ClientError) as caught:
        linked_and_decoded(bad.body)

    form = openai_error(caught.value, "req_1")
    error = form.body["error"]
    assert (bad.status, bad.code, bad.param) == (form.status, error["code"], error["param"])
    assert bad.word in error["message"]
    assert len(error["message"]) < 300


@pytest.mark.parametrize("name", TOLERANT_REQUESTS)
def test_what_clients_send_is_taken(name: str) -> None:
    """Nothing that a client was seen to send is refused, and it can be said again as JSON."""
    asked = linked_and_decoded(TOLERANT_REQUESTS[name])

    assert asked.prompt.messages
    assert json_text.write([asked.echo, kept_items(asked.items, "resp_00ff00ff00ff00ff")])


def test_a_text() -> None:
    """The least that can be asked."""
    asked = decoded()

    assert Prompt(bot="Some-Bot", messages=(HELLO,)) == asked.prompt
    assert (False, False, True) == (asked.stream, asked.background, asked.store)
    assert () == asked.ignored


def test_everything() -> None:
    """Each field finds its place in the Prompt."""
    schema = {"type": "object"}
    asked = decoded(
        instructions="Be brief.",
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=5,
        reasoning={"effort": "max", "summary": "auto"},
        text={
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "P", "schema": schema, "strict": True},
        },
        tools=[{"type": "web_search", "external_web_access": True}],
        stream=True,
        store=False,
        poe={"size": "big"},
        extra_body={"size": "small", "style": "x"},
    )

    expected = Prompt(
        bot="Some-Bot",
        messages=(Message("system", (Text("Be brief."),)), HELLO),
        output_format=OutputFormat(kind="json_schema", name="P", schema=schema, strict=True),
        sampling=Sampling(temperature=0.5, top_p=0.9),
        thinking=Thinking(effort="max"),
        limits=Limits(max_tokens=5),
        verbosity="low",
        web_search=True,
        parameters={"size": "big", "style": "x"},
        skip_system_prompt=True,
    )
    assert expected == asked.prompt
    assert (True, False) == (asked.stream, asked.store)
    assert ("top_p",) == asked.ignored


@pytest.mark.parametrize(
    ("choice", "expected"), [("auto", True), ("none", None), ({"type": "web_search"}, True)]
)
def test_a_web_search_is_asked_for_unless_all_tools_are_forbidden(
    choice: Any, expected: bool | None
) -> None:
    """It is a tool like any other to `tool_choice`."""
    asked = decoded(tools=[{"type": "web_search"}, FUNCTION], tool_choice=choice)

    assert expected is asked.prompt.web_search


def test_null_is_absent() -> None:
    """Old clients send null for what they do not mean."""
    nulls = dict.fromkeys(
        ("instructions", "reasoning", "tools", "tool_choice", "text", "metadata", "conversation")
    )

    assert decoded().prompt == decoded(**nulls).prompt
    assert decoded().echo == decoded(**nulls).echo


def test_history_comes_before_the_request_and_instructions_before_both() -> None:
    """Instructions are of this request alone; those of the last one are not carried on."""
    history = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "One"}]},
        {"type": "message", "role": "assistant", "content": "Two", "id": "msg_1"},
    ]
    asked = decode({**GOOD, "instructions": "Now"}, history=history)

    said = [(message.role, message.text) for message in asked.prompt.messages]
    assert [("system", "Now"), ("user", "One"), ("assistant", "Two"), ("user", "Hello")] == said
    assert ("Hello",) == tuple(item["content"] for item in asked.items)


def test_a_conversation_can_go_on_without_input() -> None:
    """What was said before may be enough."""
    asked = decode({"model": "b"}, history=[USER])

    assert (HELLO,) == asked.prompt.messages


def test_references_are_read_and_kept_as_what_they_mean() -> None:
    """With a type or without; also an item that a response gave."""
    answer = {"type": "message", "role": "assistant", "content": "Two", "id": "msg_1"}
    asked = decode(
        {"model": "b", "input": [USER, {"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}]},
        references={"msg_1": answer},
    )

    assert [HELLO, Message("assistant", (Text("Two"), Text("Two")))] == list(asked.prompt.messages)
    assert (USER, answer, answer) == asked.items


@pytest.mark.parametrize(
    ("mode", "instructions", "expected"),
    [
        ("auto", None, False),
        ("auto", "x", True),
        ("always", None, True),
        ("never", "x", False),
    ],
)
def test_when_the_bots_own_persona_is_left_aside(
    mode: Any, instructions: str | None, expected: bool
) -> None:
    """By default when the client brings instructions."""
    asked = decode({**GOOD, "instructions": instructions}, skip_system_prompt=mode)

    assert expected is asked.prompt.skip_system_prompt


def test_what_has_no_effect_is_named() -> None:
    """Values that ask for nothing are not."""
    asked = decoded(
        truncation="auto",
        service_tier="flex",
        max_tool_calls=3,
        moderation={"model": "m"},
        strange={"a": 1},
        tools=[FUNCTION, {"type": "file_search", "vector_store_ids": ["v"]}],
        input=[USER, {"type": "compaction", "encrypted_content": "x"}],
    )
    quiet = decoded(truncation="disabled", service_tier="auto", top_p=1, user="u", metadata={})

    named = {"truncation", "service_tier", "max_tool_calls", "moderation", "strange"}
    assert {*named, "tools[1]", "input[1]"} == set(asked.ignored)
    assert () == quiet.ignored


def test_plain_unknown_fields_may_be_parameters() -> None:
    """Only the bot's profile can tell."""
    assert {"aspect": "1:1", "n": 2} == decoded(aspect="1:1", n=2).extras


def test_the_echo_has_every_field_of_the_specification() -> None:
    """What was not sent has the API's own default; what must not be null is not."""
    echo = decoded().echo
    not_null = (
        *("presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "top_p"),
        *("truncation", "text", "store", "background", "service_tier", "metadata", "tools"),
        *("tool_choice", "parallel_tool_calls"),
    )
    nullable = (
        *("previous_response_id", "instructions", "reasoning", "max_output_tokens"),
        *("max_tool_calls", "safety_identifier", "prompt_cache_key", "conversation"),
    )

    assert [] == [name for name in not_null if echo[name] is None]
    assert [] == [name for name in nullable if name not in echo]
    assert {"format": {"type": "text"}} == echo["text"]


def test_the_echo_repeats_the_request() -> None:
    """Tools, labels and all the rest, as they were sent."""
    sent = {
        "instructions": "x",
        "tools": [FUNCTION],
        "tool_choice": {"type": "function", "name": "f"},
        "metadata": {"a": "b"},
        "max_output_tokens": 9,
        "reasoning": {"effort": "low", "summary": None},
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    }
    echo = decoded(**sent, conversation="conv_1").echo

    assert sent == {name: echo[name] for name in sent}
    assert {"id": "conv_1"} == echo["conversation"]


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ({}, Links()),
        ({"previous_response_id": "resp_1"}, Links(previous="resp_1")),
        ({"conversation": "conv_1"}, Links(conversation="conv_1")),
        ({"conversation": {"id": "conv_1"}}, Links(conversation="conv_1")),
        (
            {"input": [USER, {"type": "item_reference", "id": "a"}, {"id": "b"}, {"id": 5}, 7]},
            Links(items=("a", "b")),
        ),
        ({"input": [{"type": "message", "id": "a"}, {"role": "user", "id": "b"}]}, Links()),
    ],
)
def test_what_a_request_points_at(body: dict[str, Any], links: Links) -> None:
    """It must be looked up before the request can be read."""
    assert links == links_of(body)


def test_kept_items_can_be_shown_again() -> None:
    """Each has type, id, status and parts, whatever the client left out; what it said stays."""
    items = [
        USER,
        {"role": "assistant", "content": "Yes", "id": "msg_own"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"type": "function_call", "id": "f", "call_id": "c", "status": "incomplete"},
        {"type": "item_reference", "id": "r"},
    ]

    assert kept_items(items, "resp_00ff00ff00ff00ff") == [
        {
            "type": "message",
            "id": "msg_00ff00ff00ff00ff_in0",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_text", "text": "Hello"}],
        },
        {
            "type": "message",
            "id": "msg_own",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yes", "annotations": []}],
        },
        {
            "type": "function_call_output",
            "id": "fco_00ff00ff00ff00ff_in2",
            "status": "completed",
            "call_id": "c",
            "output": "x",
        },
        {"type": "function_call", "id": "f", "call_id": "c", "status": "incomplete"},
        {"type": "item_reference", "id": "r"},
    ]


def test_kept_items_mean_the_same() -> None:
    """A turn that is read back from its record is the turn that was asked."""
    items = [USER, {"role": "assistant", "content": "Yes"}, USER]
    direct = decode({"model": "b", "input": items})
    kept = kept_items(direct.items, "resp_00ff00ff00ff00ff")

    assert direct.prompt == decode({"model": "b"}, history=kept).prompt


def test_a_new_conversation() -> None:
    """It may have labels and items, and need not."""
    assert ({}, ()) == decode_conversation({})
    assert ({"a": "b"}, (USER,)) == decode_conversation({"metadata": {"a": "b"}, "items": [USER]})


def test_other_labels() -> None:
    """They are said, or said to be none; a body without them is a mistake."""
    assert {"a": "b"} == decode_labels({"metadata": {"a": "b"}})
    assert {} == decode_labels({"metadata": None})
    with pytest.raises(ClientError, match="'metadata' is missing"):
        decode_labels({})


@pytest.mark.parametrize("body", [{"items": 5}, {"items": [5]}, {"metadata": {"a": 5}}])
def test_a_wrong_conversation(body: dict[str, Any]) -> None:
    """Its items are read as a request's are."""
    with pytest.raises(ClientError):
        decode_conversation(body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "id", "name", "text", "tools", "output", "x"]
            ),
            inner | st.sampled_from(["message", "function", "namespace", "input_text", "user"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)
_fields = st.sampled_from([*GOOD, "tools", "tool_choice", "text", "instructions", "conversation"])


@settings(max_examples=150)
@given(st.dictionaries(_fields, _json, max_size=4))
def test_no_request_is_a_crash(fields: dict[str, Any]) -> None:
    """Whatever is sent is read or refused as the client's mistake."""
    try:
        said: object = linked_and_decoded({**GOOD, **fields}).prompt.messages
    except ClientError as error:
        said = openai_error(error, "req_1").body["error"]["message"]

    assert said
