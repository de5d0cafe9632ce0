"""Chat requests become Prompts; wrong ones become one exact error."""

from __future__ import annotations

import json
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
from poeflask.endpoints.chat.decode import ChatRequest, decode
from tests.endpoints.chat.bad_requests import BAD_REQUESTS, GOOD, HELLO, BadRequest
from tests.endpoints.chat.tolerant_requests import TOLERANT_REQUESTS

JUDGED_HERE = [bad for bad in BAD_REQUESTS if not bad.http]
SYSTEM = {"role": "system", "content": "Be brief."}


def decoded(**fields: Any) -> ChatRequest:
    """A good request with these fields, read."""
    return decode({**GOOD, **fields})


def test_the_table_of_wrong_requests_has_unique_names():
    """A row's name tells it from all others."""
    names = [bad.name for bad in BAD_REQUESTS]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("bad", JUDGED_HERE, ids=lambda bad: bad.name)
def test_a_wrong_request_is_told_what_and_where(bad: BadRequest):
    """Each wrong request ends in one error with status, type, code, path and a helpful word."""
    with pytest.raises(ClientError) as caught:
        decode(json_text.read(bad.sent))

    form = openai_error(caught.value, "req_1")
    error = form.body["error"]
    got = form.status, error["type"], error["code"], error["param"]
    assert (bad.status, bad.type, bad.code, bad.param) == got
    assert bad.word in error["message"]
    assert error["message"].endswith(".")
    assert len(error["message"]) < 400


@pytest.mark.parametrize("body", TOLERANT_REQUESTS.values(), ids=TOLERANT_REQUESTS)
def test_what_clients_really_send_is_taken(body: dict[str, Any]):
    """Habits of real clients do not fail, and the request is not changed by reading it."""
    before = json.dumps(body)
    got = decode(body)

    assert body["model"] == got.model
    assert before == json.dumps(body)


def test_the_smallest_request_has_plain_defaults():
    """Only model and messages are needed."""
    prompt = Prompt(bot="Some-Bot", messages=(Message("user", (Text("Hello"),)),))

    assert ChatRequest(model="Some-Bot", prompt=prompt) == decode(GOOD)


def test_the_answer_s_shape_is_read():
    """stream, include_usage and n decide how the answer is written."""
    got = decoded(stream=True, stream_options={"include_usage": True}, n=3)

    assert got.stream
    assert got.include_usage
    assert got.n == 3


def test_sampling_is_carried():
    """Everything that colours the answer reaches the Prompt; only the profile knows its effect."""
    got = decoded(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        presence_penalty=1,
        frequency_penalty=-1.5,
        logit_bias={"5": -100},
    )

    assert (
        Sampling(
            temperature=0.5,
            top_p=0.9,
            top_k=40,
            seed=7,
            presence_penalty=1,
            frequency_penalty=-1.5,
            logit_bias={"5": -100},
        )
        == got.prompt.sampling
    )
    assert got.ignored == ()


def test_values_that_ask_for_nothing_are_not_named():
    """A default that is spelled out is no wish that was ignored."""
    got = decoded(
        top_p=1,
        top_k=-1,
        presence_penalty=0,
        frequency_penalty=0.0,
        store=False,
        service_tier="auto",
        modalities=["text"],
        user="u1",
        metadata={"a": "b"},
        prompt_cache_key="k",
        safety_identifier="s",
    )

    assert not got.ignored


def test_wishes_without_effect_are_named():
    """Stored answers, tiers, predictions, other modalities and unknown tables are named."""
    got = decoded(
        store=True,
        service_tier="priority",
        prediction={"type": "content"},
        moderation={"model": "m"},
        modalities=["text", "image"],
        shields={"up": True},
    )

    names = {"store", "service_tier", "prediction", "moderation", "modalities", "shields"}
    assert names == set(got.ignored)


def test_names_that_no_header_can_carry_are_not_named():
    """An unknown field's name cannot break the header it would be written into."""
    got = decode({**GOOD, "a\r\nSet-Cookie: x": {}, "é": [], "b" * 100: {}})

    assert not got.ignored


def test_the_list_of_names_is_short():
    """A hostile request cannot make a header grow."""
    strangers = {f"field{i}": {} for i in range(1000)}

    assert len(decoded(**strangers).ignored) == 64


def test_unknown_plain_values_may_be_a_bot_s_parameters():
    """What an SDK's extra_body puts beside the known fields is kept for the bot's profile."""
    got = decoded(thinking_budget=1024, web_search=True, aspect="3:2", nothing=None, far=1e999)

    expected = {"thinking_budget": 1024, "web_search": True, "aspect": "3:2"}
    assert expected == got.extras


def test_poe_parameters_are_taken_as_they_are():
    """`poe` and a literal `extra_body` hold the bot's own parameters; `poe` wins."""
    got = decoded(extra_body={"quality": "low", "size": 1}, poe={"quality": "high"})

    expected = {"quality": "high", "size": 1}
    assert expected == got.prompt.parameters


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Thinking()),
        ({"reasoning_effort": "high"}, Thinking(effort="high")),
        ({"reasoning": {"effort": "low", "exclude": True}}, Thinking(effort="low")),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "max"}, Thinking(effort="max")),
        ({"reasoning": {"max_tokens": 2000}}, Thinking(budget_tokens=2000)),
        ({"reasoning": {"enabled": True}}, Thinking(enabled=True)),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 0}},
            Thinking(enabled=True, budget_tokens=0),
        ),
        ({"thinking": {"type": "disabled"}}, Thinking(enabled=False)),
        ({"thinking": {"type": "adaptive"}}, Thinking()),
        ({"enable_thinking": False}, Thinking(enabled=False)),
        ({"google": {"thinking_config": {"thinking_budget": 512}}}, Thinking(budget_tokens=512)),
        ({"google": {"thinking_config": {"thinking_budget": -1}}}, Thinking()),
        ({"extra_body": {"enable_thinking": True}}, Thinking(enabled=True)),
        (
            {"extra_body": {"enable_thinking": True}, "enable_thinking": False},
            Thinking(enabled=False),
        ),
    ],
)
def test_every_spelling_of_thinking_is_understood(fields: dict[str, Any], expected: Thinking):
    """OpenAI, OpenRouter, Anthropic, Qwen and Gemini each say it their own way."""
    got = decoded(**fields)

    assert expected == got.prompt.thinking
    assert not got.prompt.parameters
    assert not got.ignored


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, Limits(max_tokens=5)),
        ({"max_tokens": 5, "max_completion_tokens": 9}, Limits(max_tokens=9)),
        ({"stop": "END"}, Limits(stop=("END",))),
        ({"stop": ["\n", "", "END"]}, Limits(stop=("\n", "END"))),
        ({"stop": []}, Limits()),
    ],
)
def test_limits_are_read(fields: dict[str, Any], expected: Limits):
    """The newer token limit wins; a stop is one text or several; an empty one means none."""
    assert expected == decoded(**fields).prompt.limits


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "text"}, OutputFormat()),
        ({"type": "json_object"}, OutputFormat(kind="json_object")),
        (
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "P",
                    "description": "d",
                    "schema": {"type": "object"},
                    "strict": True,
                },
            },
            OutputFormat(
                kind="json_schema",
                name="P",
                description="d",
                schema={"type": "object"},
                strict=True,
            ),
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "P", "strict": None}},
            OutputFormat(kind="json_schema", name="P"),
        ),
    ],
)
def test_the_output_format_is_read(wanted: dict[str, Any], expected: OutputFormat):
    """Text, any JSON, or JSON by a schema."""
    assert expected == decoded(response_format=wanted).prompt.output_format


def test_verbosity_and_web_search_are_carried():
    """Both are wishes that a bot's profile may know how to grant."""
    got = decoded(verbosity="low", web_search_options={}).prompt

    assert got.verbosity == "low"
    assert got.web_search is True


def test_a_web_search_tool_is_a_wish_for_web_search():
    """A tool of the server's own becomes the switch; others are named by their path."""
    got = decoded(tools=[{"type": "web_search_preview"}, {"type": "mcp"}])

    assert got.prompt.web_search is True
    assert got.prompt.tools == ()
    assert got.ignored == ("tools[1]",)


@pytest.mark.parametrize(
    ("setting", "messages", "expected"),
    [
        ("auto", [HELLO], False),
        ("auto", [SYSTEM, HELLO], True),
        ("auto", [{**SYSTEM, "role": "developer"}, HELLO], True),
        ("always", [HELLO], True),
        ("never", [SYSTEM, HELLO], False),
    ],
)
def test_whose_persona_holds(setting: Any, messages: list[Any], expected: bool):
    """A client with system messages of its own does not want the bot's, unless told otherwise."""
    got = decode({**GOOD, "messages": messages}, skip_system_prompt=setting)

    assert expected is got.prompt.skip_system_prompt


def test_parts_that_were_left_out_are_named_by_path():
    """A part of an unknown type does not fail, and the client can learn of it."""
    content = [{"type": "hologram"}, {"type": "text", "text": "?"}]
    got = decoded(messages=[HELLO, {"role": "user", "content": content}])

    assert got.ignored == ("messages[1].content[0]",)
    assert Message("user", (Text("?"),)) == got.prompt.messages[1]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = sorted({name for body in TOLERANT_REQUESTS.values() for name in body})
MESSAGE_KEYS = ["role", "content", "name", "tool_calls", "function_call", "tool_call_id", "type"]


def outcome(body: object) -> ChatRequest | ClientError:
    """The request, or the error that it was refused with; anything else is raised."""
    try:
        return decode(body)
    except ClientError as error:
        return error


@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_envelope_crashes(body: dict[str, Any]):
    """Whatever the fields hold, the request is understood or refused with a sentence."""
    got = outcome({**GOOD, **body})

    assert got.message.endswith(".") if isinstance(got, ClientError) else got.prompt.messages


@given(
    message=st.dictionaries(st.sampled_from(MESSAGE_KEYS), JSON_VALUES, max_size=4),
    role=st.sampled_from(["user", "assistant", "tool", "function"]),
)
@settings(max_examples=150, deadline=None)
def test_no_message_crashes(message: dict[str, Any], role: str):
    """Whatever a message holds, it is understood or refused at its path."""
    got = outcome({**GOOD, "messages": [{**message, "role": role}]})

    at = got.param if isinstance(got, ClientError) else "messages[0]"
    assert str(at).startswith("messages[0]")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ("reasoning_content",)),
        ({"reasoning": {"effort": "low"}}, ("reasoning_content", "reasoning")),
        ({"include_reasoning": True}, ("reasoning_content", "reasoning")),
        ({"include_reasoning": False, "reasoning": {}}, ("reasoning_content",)),
    ],
)
def test_reasoning_has_a_second_name_for_those_who_ask_in_its_words(fields, names):
    """`reasoning` comes only to clients that know it."""
    assert names == decoded(**fields).reasoning_names


def test_wishes_are_named_as_the_client_wrote_them():
    """Nobody looks for "thinking" who sent a reasoning_effort."""
    got = decoded(reasoning_effort="low", enable_thinking=True, web_search_options={})

    assert ["seed", "reasoning_effort", "enable_thinking", "web_search_options"] == got.spelled(
        ["seed", "thinking", "web_search"]
    )


def test_a_search_asked_for_by_a_tool_keeps_its_plain_name():
    """No field of its own said it."""
    got = decoded(tools=[{"type": "web_search"}])

    assert ["web_search"] == got.spelled(["web_search"])
