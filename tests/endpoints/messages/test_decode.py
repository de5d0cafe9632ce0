"""Messages requests become Prompts; wrong ones become one exact error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core import json_text
from poeflask.core.dialect import anthropic_error
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
from poeflask.endpoints.messages.decode import MessagesRequest, decode, decode_count
from tests.endpoints.messages.bad_requests import (
    BAD_REQUESTS,
    GOOD,
    HELLO,
    TOOL,
    BadRequest,
    without,
)
from tests.endpoints.messages.tolerant_requests import TOLERANT_REQUESTS

JUDGED_HERE = [bad for bad in BAD_REQUESTS if not bad.http]
PERSON = {"type": "object", "title": "Person"}


def decoded(**fields: Any) -> MessagesRequest:
    """A good request with these fields, read."""
    return decode({**GOOD, **fields})


def test_the_table_of_wrong_requests_has_unique_names():
    """A row's name tells it from all others."""
    names = [bad.name for bad in BAD_REQUESTS]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("bad", JUDGED_HERE, ids=lambda bad: bad.name)
def test_a_wrong_request_is_told_what_and_where(bad: BadRequest):
    """Each wrong request ends in one error with status, type, path and a helpful word."""
    with pytest.raises(ClientError) as caught:
        decode(json_text.read(bad.sent))

    form = anthropic_error(caught.value, "req_1")
    error = form.body["error"]
    assert (bad.status, bad.type) == (form.status, error["type"])
    assert bad.param in error["message"]
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
    """Model, messages and a limit are needed, and nothing else."""
    prompt = Prompt(
        bot="Some-Bot",
        messages=(Message("user", (Text("Hello"),)),),
        limits=Limits(max_tokens=100),
    )

    assert MessagesRequest(model="Some-Bot", prompt=prompt) == decode(GOOD)


def test_sampling_and_limits_are_carried():
    """Empty stop texts would end every answer at once; they mean none."""
    got = decoded(temperature=0.3, top_p=0.9, top_k=5, stop_sequences=["\n\n", "", "END"])

    assert Sampling(temperature=0.3, top_p=0.9, top_k=5) == got.prompt.sampling
    assert Limits(max_tokens=100, stop=("\n\n", "END")) == got.prompt.limits


@pytest.mark.parametrize(
    ("thinking", "expected", "thoughts"),
    [
        (None, Thinking(), "none"),
        ({"type": "disabled"}, Thinking(enabled=False), "none"),
        ({"type": "adaptive"}, Thinking(), "text"),
        ({"type": "adaptive", "display": "omitted"}, Thinking(), "signature"),
        ({"type": "adaptive", "display": "updates"}, Thinking(), "text"),
        (
            {"type": "enabled", "budget_tokens": 2048, "display": "summarized"},
            Thinking(enabled=True, budget_tokens=2048),
            "text",
        ),
        ({"type": "between_tools"}, Thinking(), "none"),
    ],
)
def test_thinking(thinking: Any, expected: Thinking, thoughts: str):
    """How much the bot thinks, and how much of it the client sees."""
    got = decoded(thinking=thinking)

    assert (expected, thoughts) == (got.prompt.thinking, got.thoughts)


def test_effort_is_said_in_the_output_config():
    """Beside any kind of thinking."""
    got = decoded(thinking={"type": "adaptive"}, output_config={"effort": "high"})

    assert Thinking(effort="high") == got.prompt.thinking


@pytest.mark.parametrize(
    "fields",
    [
        {"output_config": {"format": {"type": "json_schema", "schema": PERSON}}},
        {"output_format": {"type": "json_schema", "schema": PERSON}},
    ],
)
def test_the_form_of_the_answer(fields: dict[str, Any]):
    """Where the API has it now, and where it was at first."""
    expected = OutputFormat(kind="json_schema", schema=PERSON, strict=True)

    assert expected == decoded(**fields).prompt.output_format


def test_a_search_by_the_server_is_asked_of_the_bot():
    """Anthropic's search tool is the bot's own."""
    tools = [{"type": "web_search_20260209", "name": "web_search"}]

    assert decoded(tools=tools).prompt.web_search
    assert decoded().prompt.web_search is None


def test_parameters_of_the_bot():
    """`poe` and `extra_body` are for them; plain unknown fields may be some."""
    got = decoded(poe={"aspect": "1:1"}, extra_body={"quality": "low"}, duration=4, odd=[1])

    assert {"aspect": "1:1", "quality": "low"} == got.prompt.parameters
    assert {"duration": 4} == got.extras
    assert ("odd",) == got.ignored


def test_what_has_no_effect_is_named():
    """Fields that ask for nothing are not, nor those that nobody would miss."""
    got = decoded(
        top_p=1,
        top_k=5,
        speed="fast",
        service_tier="auto",
        mcp_servers=[{"name": "x"}],
        metadata={"user_id": "u"},
        messages=[HELLO, {"role": "user", "content": [{"type": "hologram"}]}],
    )

    assert ("top_k", "speed", "mcp_servers", "messages[1].content[0]") == got.ignored


@pytest.mark.parametrize(
    ("setting", "system", "expected"),
    [
        ("auto", "Be brief.", True),
        ("auto", None, False),
        ("always", None, True),
        ("never", "Be brief.", False),
    ],
)
def test_the_bot_s_own_persona(setting: Any, system: Any, expected: bool):
    """A client with a system prompt does not want the bot's."""
    got = decode({**GOOD, "system": system}, skip_system_prompt=setting)

    assert expected == got.prompt.skip_system_prompt


def test_a_thread_that_goes_on_is_answered_so_that_clients_begin_anew():
    """The official tool runners look for this code and then send the whole history."""
    with pytest.raises(ClientError) as caught:
        decoded(thread={"type": "continue", "previous_message_id": "msg_1"})

    form = anthropic_error(caught.value, "req_1")
    assert 404 == form.status
    assert "not_found_error" == form.body["error"]["type"]
    assert {"error_code": "thread_not_found"} == form.body["error"]["details"]
    assert "false" == form.headers["x-should-retry"]


def test_counting_needs_no_limit_and_counts_what_an_answer_would():
    """Messages, system prompt, tools and the demanded form are those of the request itself."""
    body = {**without("max_tokens"), "system": "Be brief.", "tools": [TOOL]}
    body["output_config"] = {"format": {"type": "json_schema", "schema": PERSON}}
    counted, asked = decode_count(body), decode({**body, "max_tokens": 1}).prompt

    assert (asked.messages, asked.tools, asked.output_format) == (
        counted.messages,
        counted.tools,
        counted.output_format,
    )


def test_counting_refuses_what_an_answer_would():
    """A wrong message is wrong there too."""
    with pytest.raises(ClientError, match="messages"):
        decode_count({"model": "m"})


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ("type", "role", "content", "text", "source", "data", "id", "name", "input", "url")
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
NAMES = (
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "thread",
    "stop",
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))
def test_any_json_is_read_or_refused(fields: dict[str, Any]):
    """No body makes anything else of itself than a Prompt or a client's error."""
    refusal = None
    try:
        decoded(**fields)
    except ClientError as error:
        refusal = error

    assert refusal is None or refusal.message.endswith(".")
