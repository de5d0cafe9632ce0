"""Messages of every role and part become neutral ones."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import (
    File,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from poeflask.endpoints.chat.messages import read_messages


def read(*messages: dict[str, Any]) -> tuple[Message, ...]:
    """The messages, read."""
    return read_messages(list(messages)).messages


def test_roles_are_translated_and_keep_their_order():
    """The developer is the system; several systems and equal neighbours stay where they are."""
    got = read(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": "b", "name": "boss"},
        {"role": "user", "content": "c", "name": "Ada"},
        {"role": "user", "content": "d", "name": None},
        {"role": "assistant", "content": "e"},
        {"role": "system", "content": "f"},
    )

    expected = (
        Message("system", (Text("a"),)),
        Message("system", (Text("b"),), "boss"),
        Message("user", (Text("c"),), "Ada"),
        Message("user", (Text("d"),)),
        Message("assistant", (Text("e"),)),
        Message("system", (Text("f"),)),
    )
    assert expected == got


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "x"}, Text("x")),
        ({"type": "input_text", "text": "x"}, Text("x")),
        ({"type": "output_text", "text": "x"}, Text("x")),
        ({"type": "refusal", "refusal": "no"}, Text("no")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, Reasoning("hm", "s")),
        ({"type": "thinking", "thinking": "hm"}, Reasoning("hm")),
        ({"type": "reasoning", "text": "hm"}, Reasoning("hm")),
        ({"type": "image_url", "image_url": {"url": "https://a/b"}}, File(url="https://a/b")),
        ({"type": "image_url", "image_url": "https://a/b"}, File(url="https://a/b")),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            File(base64="AAAA", content_type="image/png"),
        ),
        ({"type": "input_image", "file_id": "file-1"}, File(file_id="file-1")),
        (
            {"type": "video_url", "video_url": {"url": "https://a/b.mp4"}},
            File(url="https://a/b.mp4"),
        ),
        (
            {"type": "audio_url", "audio_url": {"url": "https://a/b.mp3"}},
            File(url="https://a/b.mp3"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            File(base64="AAAA", content_type="audio/mpeg", name="audio.mp3"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "data:;base64,AAAA", "format": "WAV"}},
            File(base64="AAAA", name="audio.wav"),
        ),
        (
            {"type": "input_video", "input_video": {"data": "AAAA", "format": "mp4"}},
            File(base64="AAAA", content_type="video/mp4", name="video.mp4"),
        ),
        (
            {"type": "file", "file": {"file_data": "AAAA", "filename": "a.pdf"}},
            File(base64="AAAA", name="a.pdf"),
        ),
        (
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
            },
            File(base64="AAAA", content_type="application/pdf", name="a.pdf"),
        ),
        ({"type": "file", "file": {"file_id": "file-1"}}, File(file_id="file-1")),
        (
            {"type": "input_file", "file_url": "https://a/b.pdf", "filename": None},
            File(url="https://a/b.pdf"),
        ),
    ],
)
def test_every_known_part_is_read(part: dict[str, Any], expected: Part):
    """Texts, thoughts and files, in OpenAI's spelling and in its neighbours'."""
    assert expected == read({"role": "user", "content": [part]})[0].parts[0]


def test_unknown_parts_are_left_out_and_named():
    """A part that nobody knows does not take the others with it."""
    content = [{"type": "text", "text": "a"}, {"type": "x"}, {"type": "text", "text": "b"}]
    got = read_messages([{"role": "user", "content": content}])

    assert got.left_out == ("messages[0].content[1]",)
    assert got.messages[0].parts == (Text("a"), Text("b"))


@pytest.mark.parametrize("content", ["", [], [{"type": "text", "text": ""}]])
def test_empty_content_is_no_part(content: object):
    """An empty text says nothing, in whichever spelling."""
    assert read({"role": "user", "content": content})[0].parts == ()


def test_a_turn_with_tools_is_read_whole():
    """Thought, text and calls of the assistant; results find their tool's name by the call's id."""
    extra = {"google": {"thought_signature": "xyz"}}
    got = read(
        {
            "role": "assistant",
            "reasoning_content": "hm",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"at": 1}'},
                    "extra_content": extra,
                },
                {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** x"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
        {"role": "tool", "tool_call_id": "c2", "content": "b", "name": "other"},
        {"role": "tool", "tool_call_id": "c3", "content": None},
    )

    expected = (
        Message(
            "assistant",
            (
                Reasoning("hm"),
                Text("Let me see."),
                ToolCall(call_id="c1", name="look", arguments='{"at": 1}', extra=extra),
                ToolCall(call_id="c2", name="patch", arguments="*** x", kind="custom"),
            ),
        ),
        Message("tool", (ToolResult(call_id="c1", name="look", text="a"),)),
        Message("tool", (ToolResult(call_id="c2", name="other", text="b"),)),
        Message("tool", (ToolResult(call_id="c3", text=""),)),
    )
    assert expected == got


def test_a_result_may_hold_pictures():
    """Text parts of a result are joined; files stay beside them."""
    content = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "text", "text": "b"},
    ]
    got = read({"role": "tool", "tool_call_id": "c1", "content": content})

    expected = ToolResult(call_id="c1", text="a\n\nb", files=(File(url="https://a/b.png"),))
    assert got[0].parts == (expected,)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('{"a":', '{"a":'),
        ("", "{}"),
        (None, "{}"),
        ({"a": [1]}, '{"a":[1]}'),
        ({}, "{}"),
    ],
)
def test_replayed_arguments_come_as_text(sent: object, expected: str):
    """Broken JSON is the assistant's own and stays; nothing means no arguments."""
    call = {"id": "c", "function": {"name": "f", "arguments": sent}}
    got = read({"role": "assistant", "tool_calls": [call]})

    assert got[0].parts == (ToolCall(call_id="c", name="f", arguments=expected),)


def test_old_function_calls_get_ids():
    """A function's result belongs to the last call of that name; two turns have two ids."""
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    result = {"role": "function", "name": "f", "content": "x"}
    got = read(call, result, call, result)

    ids = [message.parts[0].call_id for message in got]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert got[0].parts == (ToolCall(call_id=ids[0], name="f", arguments="{}"),)
    assert got[1].parts == (ToolResult(call_id=ids[1], name="f", text="x"),)


def test_an_old_result_without_its_call_is_taken():
    """History that was cut off does not fail."""
    got = read({"role": "function", "name": "f", "content": None})

    assert got[0].parts == (ToolResult(call_id="call_old_1", name="f", text=""),)


def test_a_refusal_and_earlier_sound_of_the_assistant():
    """A refusal was said, so it is text; sound that only OpenAI holds is left out and named."""
    got = read_messages([{"role": "assistant", "refusal": "No.", "audio": {"id": "a1"}}])

    assert got.messages == (Message("assistant", (Text("No."),)),)
    assert got.left_out == ("messages[0].audio",)


def test_reasoning_that_is_no_text_is_not_read():
    """Some servers' clients replay reasoning as an object; it cannot be shown to a bot."""
    got = read({"role": "assistant", "content": "x", "reasoning": {"effort": "low"}})

    assert got[0].parts == (Text("x"),)


def test_a_long_conversation_keeps_its_length():
    """Thousands of messages are read, each at its place."""
    got = read(*[{"role": "user", "content": str(i)} for i in range(3000)])

    assert [message.text for message in got] == [str(i) for i in range(3000)]
