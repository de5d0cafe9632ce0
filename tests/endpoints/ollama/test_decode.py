"""Ollama's requests become Prompts; wrong ones become one exact sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.dialect import ollama_error
from poeflask.core.errors import ClientError
from poeflask.core.prompt import (
    File,
    Limits,
    Message,
    OutputFormat,
    Prompt,
    Sampling,
    Text,
    Thinking,
)
from poeflask.endpoints.ollama.decode import (
    OllamaRequest,
    bot_name,
    decode_chat,
    decode_generate,
    decode_show,
)
from tests.endpoints.ollama.bad_requests import (
    BAD_REQUESTS,
    CHAT,
    GENERATE,
    HELLO,
    TOOL,
    BadRequest,
)

READERS = {"/api/chat": decode_chat, "/api/generate": decode_generate, "/api/show": decode_show}


def chat(**fields: Any) -> OllamaRequest:
    """A good chat request with these fields, read."""
    return decode_chat({**CHAT, **fields})


def generate(**fields: Any) -> OllamaRequest:
    """A good generate request with these fields, read."""
    return decode_generate({**GENERATE, **fields})


def test_the_table_of_wrong_requests_has_unique_names():
    """A row's name tells it from all others."""
    names = [bad.name for bad in BAD_REQUESTS]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request_is_told_what_and_where(bad: BadRequest):
    """Each ends in a 400 whose sentence names the field and what would be right."""
    with pytest.raises(ClientError) as caught:
        READERS[bad.path](bad.body)

    form = ollama_error(caught.value, "req_1")
    sentence = form.body["error"]
    assert (400, bad.param) == (form.status, caught.value.param)
    assert f"'{bad.param}'" in sentence
    assert bad.word in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("read", READERS.values())
@pytest.mark.parametrize("body", [None, [], "Hello", 7])
def test_a_body_must_be_an_object(read, body):
    """Whatever else it is, it is told."""
    with pytest.raises(ClientError, match="JSON object"):
        read(body)


def test_the_smallest_chat_has_plain_defaults():
    """Only a model and messages are needed, and it is streamed."""
    prompt = Prompt(bot="Some-Bot", messages=(Message("user", (Text("Hello"),)),))

    assert OllamaRequest(model="Some-Bot", prompt=prompt) == decode_chat(CHAT)
    assert OllamaRequest(model="Some-Bot", prompt=prompt) == decode_generate(GENERATE)


@pytest.mark.parametrize(
    ("model", "bot"),
    [
        ("Echo:latest", "Echo"),
        ("Echo:LATEST", "Echo"),
        ("Echo", "Echo"),
        ("owner/Echo:latest", "owner/Echo"),
        ("llama3:8b", "llama3:8b"),
    ],
)
def test_the_tag_latest_is_not_part_of_a_bot_s_name(model: str, bot: str):
    """Any other tag may be, and the answer names the model as the client did."""
    got = chat(model=model)

    assert (model, bot) == (got.model, got.prompt.bot)
    assert bot == bot_name(model) == decode_show({"model": model}) == decode_show({"name": model})


def test_options_are_carried():
    """Everything that colours the answer reaches the Prompt."""
    options = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "presence_penalty": 1,
        "frequency_penalty": -1.5,
        "num_predict": 100,
        "stop": ["\n", ""],
    }
    expected = Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        presence_penalty=1,
        frequency_penalty=-1.5,
    )
    for got in (chat(options=options), generate(options=options)):
        assert expected == got.prompt.sampling
        assert Limits(max_tokens=100, stop=("\n",)) == got.prompt.limits
        assert () == got.ignored


@pytest.mark.parametrize("unlimited", [-1, -2, 0])
def test_no_number_of_tokens_is_no_limit(unlimited: int):
    """Ollama says endless, fill the context, or nothing, in numbers."""
    assert Limits() == chat(options={"num_predict": unlimited}).prompt.limits


def test_other_options_are_offered_to_the_bot():
    """A bot may declare one as its own parameter; those of a machine of one's own say nothing."""
    got = chat(
        options={"num_ctx": 4096, "aspect": "1:1", "mirostat": 1, "deep": [1], "min_p": None}
    )

    assert {"aspect": "1:1", "mirostat": 1} == got.extras
    assert got.ignored == ()
    assert {"aspect": "3:2"} == chat(poe={"aspect": "3:2"}).prompt.parameters


@pytest.mark.parametrize(
    ("think", "thinking", "shown"),
    [
        (None, Thinking(), True),
        (True, Thinking(enabled=True), True),
        (False, Thinking(enabled=False), False),
        ("low", Thinking(effort="low"), True),
        ("max", Thinking(effort="max"), True),
    ],
)
def test_thinking_is_a_switch_or_an_effort(think: object, thinking: Thinking, shown: bool):
    """Who switches it off is not shown any either."""
    got = chat(think=think)

    assert (thinking, shown) == (got.prompt.thinking, got.show_thinking)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, OutputFormat()),
        ("", OutputFormat()),
        ("json", OutputFormat(kind="json_object")),
        (
            {"type": "object"},
            OutputFormat(kind="json_schema", name="answer", schema={"type": "object"}),
        ),
    ],
)
def test_the_form_of_the_answer(sent: object, expected: OutputFormat):
    """A word or a schema; the empty word asks for nothing."""
    assert (
        expected
        == chat(format=sent).prompt.output_format
        == (generate(format=sent).prompt.output_format)
    )


def test_tools_are_read_in_a_chat():
    """The bot decides among them."""
    got = chat(tools=[TOOL]).prompt

    assert ["f"] == [tool.name for tool in got.tools]
    assert "auto" == got.tool_choice.mode


def test_a_single_prompt_is_a_short_conversation():
    """The system's words before, the pictures behind."""
    got = generate(system="Be brief.", images=["aGk="], template="{{x}}", raw=True, context=[1])

    assert (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("Hello"), File(base64="aGk="))),
    ) == got.prompt.messages
    assert got.prompt.skip_system_prompt
    assert ("template", "context", "raw") == got.ignored


def test_a_gap_is_filled_between_two_texts():
    """Bots know no suffix, so they are told what the gap is."""
    system, user = generate(prompt="def f(", suffix="    return x").prompt.messages

    assert "gap" in system.text
    assert "<before>\ndef f(\n</before>\n<after>\n    return x\n</after>" == user.text


@pytest.mark.parametrize("keep_alive", [None, "5m", -1, 300, "1.5h"])
def test_who_asks_nothing_wants_the_model_loaded(keep_alive: object):
    """An empty prompt or no messages ask nothing."""
    for got in (
        decode_generate({"model": "m", "keep_alive": keep_alive}),
        generate(prompt="", system="x", keep_alive=keep_alive),
        decode_chat({"model": "m", "keep_alive": keep_alive}),
        chat(messages=[], keep_alive=keep_alive),
    ):
        assert got.asks_nothing
        assert not got.unload


@pytest.mark.parametrize("keep_alive", [0, "0", "0s"])
def test_no_time_to_live_unloads(keep_alive: object):
    """Only the answer's reason differs."""
    assert chat(messages=[], keep_alive=keep_alive).unload


def test_a_picture_alone_asks_something():
    """So does a text behind a gap."""
    assert not generate(prompt="", images=["aGk="]).asks_nothing
    assert not generate(prompt="", suffix="}").asks_nothing


@pytest.mark.parametrize(
    ("wish", "messages", "skips"),
    [
        ("auto", [HELLO], False),
        ("auto", [{"role": "system", "content": "x"}, HELLO], True),
        ("always", [HELLO], True),
        ("never", [{"role": "system", "content": "x"}, HELLO], False),
    ],
)
def test_the_bot_s_persona_gives_way_to_the_client_s(wish, messages, skips):
    """As the setting says."""
    got = decode_chat({**CHAT, "messages": messages}, skip_system_prompt=wish)

    assert skips == got.prompt.skip_system_prompt


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("messages", "tools", "options", "format", "think", "images", "prompt", "stream"),
        "keep_alive",
    ]
)


@given(
    fields=st.dictionaries(FIELDS, JSON, max_size=4),
    message=st.dictionaries(
        st.sampled_from(["role", "content", "images", "tool_calls", "tool_name"]), JSON, max_size=4
    ),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent_is_read_or_refused(fields: dict[str, Any], message: dict[str, Any]):
    """Nothing but a ClientError comes out, and the request is not changed by reading it."""
    body = {**CHAT, "messages": [HELLO, {"role": "user", **message}], **fields}
    before = json.dumps(body)
    refusals = [refusal(read, body) for read in (decode_chat, decode_generate)]

    assert all(sentence.endswith(".") for sentence in refusals if sentence)
    assert before == json.dumps(body)


def refusal(read: Any, body: dict[str, Any]) -> str:
    """The sentence with which the body is refused; empty if it is taken."""
    try:
        read(body)
    except ClientError as error:
        return error.message
    return ""
