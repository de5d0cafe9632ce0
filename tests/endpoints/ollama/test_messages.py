"""The conversation of an Ollama request."""

from __future__ import annotations

from typing import Any

from poeflask.core.prompt import File, Message, Reasoning, Text, ToolCall, ToolResult
from poeflask.endpoints.ollama.messages import read_images, read_messages
from tests.endpoints.ollama.bad_requests import HELLO


def call(name: str, call_id: str = "") -> dict[str, Any]:
    """A call of a function without arguments."""
    sent: dict[str, Any] = {"function": {"name": name, "arguments": {}}}
    return {**sent, "id": call_id} if call_id else sent


def results(*messages: dict[str, Any]) -> list[tuple[str, str]]:
    """(id, name) of every result of a conversation."""
    parts = [part for message in read_messages(list(messages)) for part in message.parts]
    return [(part.call_id, part.name) for part in parts if isinstance(part, ToolResult)]


def test_a_conversation_is_read_in_its_order():
    """Roles, pictures, thoughts, calls and results each find their place."""
    sent = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is this?", "images": ["aGk="]},
        {
            "role": "assistant",
            "content": "",
            "thinking": "hm",
            "tool_calls": [{"function": {"index": 0, "name": "look", "arguments": {"at": 1}}}],
        },
        {"role": "tool", "tool_name": "look", "content": "a cat"},
        {"role": "assistant", "content": "A cat."},
    ]

    expected = (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("What is this?"), File(base64="aGk="))),
        Message(
            "assistant",
            (
                Reasoning("hm"),
                ToolCall(call_id="call_old_1", name="look", arguments='{"at":1}'),
            ),
        ),
        Message("tool", (ToolResult(call_id="call_old_1", text="a cat", name="look"),)),
        Message("assistant", (Text("A cat."),)),
    )
    assert expected == read_messages(sent)


def test_results_without_ids_find_their_calls_by_name_and_order():
    """The oldest call of the name, or the oldest at all where no name is told."""
    asked = {"role": "assistant", "tool_calls": [call("a"), call("b"), call("a")]}
    answered = [
        {"role": "tool", "tool_name": "b", "content": "1"},
        {"role": "tool", "name": "a", "content": "2"},
        {"role": "tool", "content": "3"},
    ]

    expected = [("call_old_2", "b"), ("call_old_1", "a"), ("call_old_3", "a")]
    assert expected == results(HELLO, asked, *answered)


def test_ids_that_a_client_sends_back_are_used():
    """They win over names and order."""
    asked = {"role": "assistant", "tool_calls": [call("a", "x1"), call("a", "x2")]}
    answered = [
        {"role": "tool", "tool_call_id": "x2", "content": "2"},
        {"role": "tool", "tool_call_id": "x1", "tool_name": "a", "content": "1"},
    ]

    assert [("x2", "a"), ("x1", "a")] == results(asked, *answered)


def test_a_result_of_a_call_that_is_gone_stays_a_result():
    """A client that shortens its history may leave one behind."""
    lone = {"role": "tool", "tool_name": "a", "content": "1"}

    assert [("call_old_1", "a"), ("z", "")] == results(
        lone, {"role": "tool", "tool_call_id": "z", "content": ""}
    )


def test_the_same_conversation_has_the_same_ids():
    """Reading it again, longer by a turn, changes nothing of before."""
    asked = {"role": "assistant", "tool_calls": [call("a")]}
    answered = {"role": "tool", "content": "1"}

    assert results(asked, answered) == results(asked, answered, HELLO)


def test_contents_in_parts_and_missing_ones_are_taken():
    """Clients of other APIs send a list of text parts."""
    sent = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"text": "b"}]}]

    assert (Message("user", (Text("a\n\nb"),)),) == read_messages(sent)
    assert (Message("assistant", ()),) == read_messages([{"role": "assistant"}])


def test_pictures_may_be_data_urls():
    """They say their type themselves."""
    assert (File(base64="aGk=", content_type="image/png"), File(base64="aGk=")) == read_images(
        ["data:image/png;base64,aGk=", "aGk="], "images"
    )
    assert () == read_images(None, "images")
