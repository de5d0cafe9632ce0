"""The conversation of a Gemini request."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import File, Message, Reasoning, Text, ToolCall, ToolResult
from poeflask.endpoints.gemini.contents import read_contents


def response(name: str, value: dict[str, Any], call_id: str = "") -> dict[str, Any]:
    """A part that holds a function's response."""
    sent: dict[str, Any] = {"name": name, "response": value}
    return {"functionResponse": {**sent, "id": call_id} if call_id else sent}


def call(name: str, call_id: str = "") -> dict[str, Any]:
    """A part that holds a call without arguments."""
    return {"functionCall": {"name": name, "id": call_id} if call_id else {"name": name}}


def read(*contents: dict[str, Any], system: object = None) -> tuple[Message, ...]:
    """The messages of these contents."""
    return read_contents(list(contents), system).messages


def results(*contents: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(id, text, whether it is an error) of every result."""
    parts = [part for message in read(*contents) for part in message.parts]
    return [
        (part.call_id, part.text, part.is_error) for part in parts if isinstance(part, ToolResult)
    ]


def test_a_conversation_is_read_in_its_order():
    """Roles, files, thoughts, calls and results each find their place."""
    sent = [
        {
            "role": "user",
            "parts": [
                {"text": "What is this?"},
                {"inlineData": {"mimeType": "image/png", "data": "aGk=", "displayName": "a.png"}},
                {"file_data": {"file_uri": "https://example.org/b.mp4", "mime_type": "video/mp4"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True},
                {"text": "I look."},
                {
                    "functionCall": {"id": "c1", "name": "look", "args": {"at": 1}},
                    "thoughtSignature": "c2ln",
                },
            ],
        },
        {"role": "user", "parts": [response("look", {"output": "a cat"}, "c1"), {"text": "So?"}]},
        {"role": "model", "parts": {"text": "A cat."}},
    ]

    expected = (
        Message("system", (Text("Be brief."),)),
        Message(
            "user",
            (
                Text("What is this?"),
                File(base64="aGk=", content_type="image/png", name="a.png"),
                File(url="https://example.org/b.mp4"),
            ),
        ),
        Message(
            "assistant",
            (
                Reasoning("hm"),
                Text("I look."),
                ToolCall(
                    call_id="c1",
                    name="look",
                    arguments='{"at":1}',
                    extra={"google": {"thought_signature": "c2ln"}},
                ),
            ),
        ),
        Message("tool", (ToolResult(call_id="c1", text="a cat", name="look"),)),
        Message("user", (Text("So?"),)),
        Message("assistant", (Text("A cat."),)),
    )
    assert expected == read(*sent, system={"parts": [{"text": "Be brief."}]})


@pytest.mark.parametrize(
    "system",
    [
        "Be brief.",
        {"parts": {"text": "Be brief."}},
        {"role": "x", "parts": [{"text": "Be brief."}]},
    ],
)
def test_a_system_instruction_in_any_form(system: object):
    """A content, whatever its role, or a text."""
    assert (Message("system", (Text("Be brief."),)),) == read(system=system)


@pytest.mark.parametrize("system", [None, "", {"parts": []}, {"parts": [{"text": ""}]}])
def test_an_empty_system_instruction_is_none(system: object):
    """So that the bot's persona stays."""
    assert () == read(system=system)


def test_results_without_ids_find_their_calls_by_name_and_order():
    """The oldest call of the name; a call without any is not needed."""
    got = results(
        {"role": "model", "parts": [call("a"), call("b"), call("a")]},
        {"role": "function", "parts": [response("b", {}), response("a", {}), response("a", {})]},
        {"role": "user", "parts": [response("z", {})]},
    )

    ids = ["call_old_2", "call_old_1", "call_old_3", "call_old_4"]
    assert ids == [call_id for call_id, _, _ in got]


def test_ids_that_a_client_sends_back_are_used():
    """They win over the order."""
    got = results(
        {"role": "model", "parts": [call("a", "x1"), call("a", "x2")]},
        {"parts": [response("a", {}, "x2"), response("a", {}, "x1"), response("a", {}, "gone")]},
    )

    assert ["x2", "x1", "gone"] == [call_id for call_id, _, _ in got]


@pytest.mark.parametrize(
    ("value", "text", "is_error"),
    [
        ({"output": "ok"}, "ok", False),
        ({"result": "ok"}, "ok", False),
        ({"result": {"a": 1}}, '{"result":{"a":1}}', False),
        ({"error": "broken"}, "broken", True),
        ({"error": None, "output": "ok"}, '{"error":null,"output":"ok"}', False),
        ({"temperature": "warm"}, '{"temperature":"warm"}', False),
        ({}, "{}", False),
    ],
)
def test_what_a_function_gave_is_told(value: dict[str, Any], text: str, is_error: bool):
    """Its only text as it is, by Google's own names; anything else as JSON."""
    got = results({"parts": [call("f")]}, {"parts": [response("f", value)]})

    assert [("call_old_1", text, is_error)] == got


def test_files_of_a_result_stay_with_it():
    """What else stands beside them is let be."""
    blob = {"inline_data": {"mime_type": "image/png", "data": "aGk="}}
    sent = {"functionResponse": {"name": "f", "parts": [blob, {"text": "?"}]}}
    (message,) = read({"parts": [sent]})

    (result,) = message.parts
    assert isinstance(result, ToolResult)
    assert (File(base64="aGk=", content_type="image/png"),) == result.files


def test_code_that_a_model_ran_is_text():
    """And so is what it gave, each in a fence."""
    parts = [
        {"executableCode": {"language": "PYTHON", "code": "1+1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
    ]

    assert (Message("assistant", (Text("\n```\n1+1\n```\n\n```\n2\n```\n"),)),) == read(
        {"role": "model", "parts": parts}
    )


def test_parts_of_tomorrow_are_left_out_and_named():
    """Empty ones, and marks that only accompany a part, are not missed."""
    parts = [{"hologram": {}}, {}, {"text": ""}, {"thoughtSignature": "x"}, {"text": "Hi"}]
    got = read_contents([{"parts": parts}])

    assert (("contents[0].parts[0]",), (Message("user", (Text("Hi"),)),)) == (
        got.left_out,
        got.messages,
    )


def test_pieces_of_a_stream_are_one_answer():
    """Google's own client keeps every piece as a content of its own."""
    pieces = [
        {"text": "h", "thought": True},
        {"text": "m", "thought": True},
        {"text": "A "},
        {"text": "cat."},
        {"text": ""},
        call("look", "c1"),
    ]
    contents = [{"role": "model", "parts": [piece]} for piece in pieces]
    said = (Reasoning("hm"), Text("A cat."), ToolCall(call_id="c1", name="look", arguments="{}"))

    user = {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}
    asked = Message("user", (Text("a"), Text("b")))
    assert (asked, Message("assistant", said), asked, asked) == read(user, *contents, user, user)


def test_fields_that_are_null_were_not_sent():
    """Some clients write every field that there is."""
    parts = [{"text": None, "functionCall": {"name": "f", "id": None, "args": None}}]

    expected = ToolCall(call_id="call_old_1", name="f", arguments="{}")
    assert (Message("assistant", (expected,)),) == read({"role": "model", "parts": parts})
    assert (Message("user", (Text("a"),)),) == read({"role": None, "parts": [{"text": "a"}]})


def test_an_empty_content_is_a_message_without_parts():
    """The order of speakers is kept."""
    assert (Message("assistant", ()),) == read({"role": "model", "parts": []})
