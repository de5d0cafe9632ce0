"""Gemini's requests become Prompts; wrong ones become one exact error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.dialect import google_error
from poeflask.core.errors import ClientError
from poeflask.core.prompt import (
    Limits,
    Message,
    OutputFormat,
    Prompt,
    Sampling,
    Text,
    Thinking,
    ToolChoice,
)
from poeflask.endpoints.gemini.decode import GeminiRequest, decode, decode_count
from tests.endpoints.gemini.bad_requests import BAD_REQUESTS, FUNCTION, GOOD, HELLO, BadRequest

ASKED = Prompt(bot="Some-Bot", messages=(Message("user", (Text("Hello"),)),))
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
OWN_SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}


def decoded(**fields: Any) -> GeminiRequest:
    """A good request with these fields, read."""
    return decode({**GOOD, **fields}, "Some-Bot")


def configured(**config: Any) -> GeminiRequest:
    """A good request with this generationConfig, read."""
    return decoded(generationConfig=config)


def test_the_table_of_wrong_requests_has_unique_names():
    """A row's name tells it from all others."""
    names = [bad.name for bad in BAD_REQUESTS]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request_is_told_what_and_where(bad: BadRequest):
    """Each ends in an INVALID_ARGUMENT that names the field and what would be right."""
    with pytest.raises(ClientError) as caught:
        decode(bad.body, "Some-Bot")

    error = google_error(caught.value, "req_1").body["error"]
    assert (400, "INVALID_ARGUMENT") == (error["code"], error["status"])
    assert bad.param == error["details"][0]["fieldViolations"][0]["field"]
    assert bad.word in error["message"]
    assert error["message"].endswith(".")


@pytest.mark.parametrize("body", [None, [GOOD], "Hello", 7])
def test_a_body_must_be_an_object(body: object):
    """Whatever else it is, it is told."""
    for read in (decode, decode_count):
        with pytest.raises(ClientError, match="JSON object"):
            read(body, "Some-Bot")


def test_the_smallest_request_has_plain_defaults():
    """Only contents are needed, not even a role."""
    assert GeminiRequest(prompt=ASKED) == decode(GOOD, "Some-Bot")
    assert GeminiRequest(prompt=ASKED) == decode(
        {"contents": [{"parts": [{"text": "Hello"}]}]}, "Some-Bot"
    )


def test_the_configuration_is_carried():
    """Everything that colours the answer reaches the Prompt."""
    got = configured(
        temperature=0.5,
        topP=0.9,
        topK=40.0,
        seed=7,
        presencePenalty=1,
        frequencyPenalty=-1.5,
        maxOutputTokens=100,
        stopSequences=["END", ""],
        candidateCount=3,
    )

    expected = Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        presence_penalty=1,
        frequency_penalty=-1.5,
    )
    assert expected == got.prompt.sampling
    assert Limits(max_tokens=100, stop=("END",)) == got.prompt.limits
    assert (3, ()) == (got.candidates, got.ignored)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, OutputFormat()),
        ({"responseMimeType": "text/plain"}, OutputFormat()),
        ({"responseMimeType": "application/json"}, OutputFormat(kind="json_object")),
        (
            {"responseMimeType": "application/json", "responseSchema": OWN_SCHEMA},
            OutputFormat(kind="json_schema", name="answer", schema=SCHEMA),
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
            OutputFormat(kind="json_schema", name="answer", schema=SCHEMA),
        ),
        (
            {"responseJsonSchema": SCHEMA, "responseSchema": {"type": "STRING"}},
            OutputFormat(kind="json_schema", name="answer", schema=SCHEMA),
        ),
        ({"responseMimeType": "text/x.enum", "responseSchema": OWN_SCHEMA}, OutputFormat()),
    ],
)
def test_the_form_of_the_answer(config: dict[str, Any], expected: OutputFormat):
    """By its type, by a schema in Google's words, or by JSON Schema, which wins."""
    assert expected == configured(**config).prompt.output_format


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, Thinking()),
        ({"thinkingBudget": 0}, Thinking(enabled=False)),
        ({"thinkingBudget": -1}, Thinking()),
        ({"thinkingBudget": 2048}, Thinking(budget_tokens=2048)),
        ({"thinkingLevel": "HIGH"}, Thinking(effort="high")),
        ({"thinkingLevel": "low"}, Thinking(effort="low")),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Thinking()),
    ],
)
def test_thinking_is_a_budget_or_a_level(config: dict[str, Any], expected: Thinking):
    """0 is none at all, -1 leaves it to the bot."""
    assert expected == configured(thinkingConfig=config).prompt.thinking


def test_thoughts_are_shown_to_who_asks_for_them():
    """Google shows none otherwise."""
    assert not decoded().show_thoughts
    assert configured(thinkingConfig={"includeThoughts": True}).show_thoughts


def test_a_request_in_snake_case_is_the_same():
    """Everywhere."""
    camel = decoded(
        systemInstruction={"parts": [{"text": "x"}]},
        tools=[{"functionDeclarations": [FUNCTION]}],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        generationConfig={"maxOutputTokens": 5, "thinkingConfig": {"thinkingBudget": 7}},
    )
    snake = decoded(
        system_instruction={"parts": [{"text": "x"}]},
        tools=[{"function_declarations": [FUNCTION]}],
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        generation_config={"max_output_tokens": 5, "thinking_config": {"thinking_budget": 7}},
    )

    assert camel == snake
    assert ToolChoice(mode="required", names=("f",)) == camel.prompt.tool_choice


def test_unknown_fields_are_offered_to_the_bot_or_named():
    """Plain ones may be its parameters; others have no effect, and neither have Google's own."""
    got = decoded(
        aspect="1:1",
        crew=["a"],
        labels={"a": "b"},
        safetySettings=[{"category": "x"}],
        generationConfig={
            "quality": "high",
            "shields": {},
            "topP": 0.5,
            "responseModalities": ["TEXT", "IMAGE"],
            "speechConfig": {},
            "mediaResolution": "LOW",
        },
        tools=[{"codeExecution": {}}],
        poe={"num": 2},
    )

    assert {"aspect": "1:1", "quality": "high"} == got.extras
    assert {"num": 2} == got.prompt.parameters
    assert {
        "generationConfig.speechConfig",
        "generationConfig.mediaResolution",
        "generationConfig.responseModalities",
        "tools[0].codeExecution",
        "crew",
        "generationConfig.shields",
    } == set(got.ignored)


def test_a_search_of_google_s_is_a_wish_to_search():
    """And says nothing where there is none."""
    assert decoded(tools=[{"googleSearch": {}}]).prompt.web_search is True
    assert decoded().prompt.web_search is None


@pytest.mark.parametrize(
    ("wish", "system", "skips"),
    [
        ("auto", None, False),
        ("auto", "Be brief.", True),
        ("always", None, True),
        ("never", "Be brief.", False),
    ],
)
def test_the_bot_s_persona_gives_way_to_the_client_s(wish, system, skips):
    """As the setting says."""
    body = {**GOOD, "systemInstruction": system}

    assert skips == decode(body, "b", skip_system_prompt=wish).prompt.skip_system_prompt


def test_a_count_reads_what_a_request_would():
    """From contents alone, or from a whole request inside."""
    whole = {**GOOD, "model": "models/x", "tools": [{"functionDeclarations": [FUNCTION]}]}

    assert ASKED == decode_count(GOOD, "Some-Bot")
    assert ASKED == decode_count({"generateContentRequest": GOOD}, "Some-Bot")
    assert ["f"] == [
        tool.name for tool in decode_count({"generateContentRequest": whole}, "b").tools
    ]
    with pytest.raises(ClientError, match="contents"):
        decode_count({}, "Some-Bot")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = st.dictionaries(
    st.sampled_from(
        [*("text", "inlineData", "fileData", "functionCall", "functionResponse", "thought")]
    ),
    JSON,
    max_size=2,
)
FIELDS = st.sampled_from(
    [*("tools", "toolConfig", "generationConfig", "systemInstruction", "poe", "tool_config")]
)


@given(
    fields=st.dictionaries(FIELDS, JSON, max_size=3),
    parts=st.lists(PARTS, max_size=3) | JSON,
    role=st.just("model") | JSON,
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent_is_read_or_refused(fields: dict[str, Any], parts: Any, role: Any):
    """Nothing but a ClientError comes out, and the request is not changed by reading it."""
    body = {"contents": [HELLO, {"role": role, "parts": parts}], **fields}
    before = json.dumps(body)
    sentence = refusal(body)

    assert not sentence or sentence.endswith(".")
    assert before == json.dumps(body)


def refusal(body: dict[str, Any]) -> str:
    """The sentence with which the body is refused; empty if it is taken."""
    try:
        decode(body, "Some-Bot")
    except ClientError as error:
        return error.message
    return ""
