"""Items as messages."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import File, Message, Reasoning, Text, ToolCall, ToolResult
from poeflask.endpoints.responses.items import read_items

USER = {"role": "user", "content": "Do it"}
TASK = Message("user", (Text("Do it"),))


def read(*items: Any) -> list[Message]:
    """The messages that items are, behind a task."""
    conversation = read_items((), [USER, *items], {})
    assert TASK == conversation.messages[0]
    return list(conversation.messages[1:])


def called(number: int, **more: Any) -> dict[str, Any]:
    """A function call as clients send it back."""
    return {
        "type": "function_call",
        "call_id": f"c{number}",
        "name": "f",
        "arguments": "{}",
        "id": f"fc_{number}",
        "status": "completed",
        **more,
    }


def given(number: int, output: Any = "done", **more: Any) -> dict[str, Any]:
    """The result of a call."""
    return {"type": "function_call_output", "call_id": f"c{number}", "output": output, **more}


def a_call(number: int, **more: Any) -> ToolCall:
    """The call as ours."""
    return ToolCall(**{"call_id": f"c{number}", "name": "f", "arguments": "{}", **more})


def a_result(number: int, text: str = "done", **more: Any) -> Message:
    """The result as ours."""
    result = ToolResult(**{"call_id": f"c{number}", "name": "f", "text": text, **more})
    return Message("tool", (result,))


def test_what_the_assistant_did_in_a_row_is_one_message() -> None:
    """Bots know parallel calls as one message; each result stands on its own."""
    items = [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I"}]},
        called(1),
        called(2),
        given(1),
        given(2, "also"),
    ]

    assistant = Message("assistant", (Reasoning("Hm"), Text("I"), a_call(1), a_call(2)))
    assert [assistant, a_result(1), a_result(2, "also")] == read(*items)


def test_two_messages_of_the_user_stay_two() -> None:
    """Clients send context and task apart."""
    assert [TASK, TASK] == read(USER, USER)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_developers_speak_as_the_system(role: str) -> None:
    """Wherever in the conversation."""
    assert [Message("system", (Text("x"),))] == read({"role": role, "content": "x"})


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "input_text", "text": "a"}, Text("a")),
        ({"type": "text", "text": "a"}, Text("a")),
        ({"type": "refusal", "refusal": "no"}, Text("no")),
        (
            {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "original"},
            File(url="https://x.test/a.png"),
        ),
        ({"type": "input_image", "file_id": "file-1"}, File(file_id="file-1")),
        (
            {"type": "input_file", "file_data": "data:application/pdf;base64,aaaa"},
            File(base64="aaaa", content_type="application/pdf"),
        ),
        ({"type": "input_file", "file_url": "https://x.test/a"}, File(url="https://x.test/a")),
        (
            {"type": "input_audio", "input_audio": {"data": "aaaa", "format": "wav"}},
            File(base64="aaaa", content_type="audio/wav", name="audio.wav"),
        ),
    ],
)
def test_parts(part: dict[str, Any], expected: Any) -> None:
    """All of Responses' own and the spellings that clients mix in."""
    content = [{**part, "prompt_cache_breakpoint": {"mode": "explicit"}}]

    assert [Message("user", (expected,))] == read({"role": "user", "content": content})


@pytest.mark.parametrize(
    ("fields", "arguments"),
    [
        ({"arguments": ""}, "{}"),
        ({"arguments": None}, "{}"),
        ({"arguments": {"a": 1}}, '{"a":1}'),
        ({"arguments": '{"a":'}, '{"a":'),
    ],
)
def test_arguments(fields: dict[str, Any], arguments: str) -> None:
    """Broken ones pass, since the client's copy is no worse than what the bot said."""
    assert [Message("assistant", (a_call(1, arguments=arguments),))] == read(called(1, **fields))


def test_a_call_in_a_namespace_has_the_bots_name() -> None:
    """The same flat name under which the tool is offered."""
    [message] = read(called(1, namespace="agents", name="stop"))

    assert (a_call(1, name="agents__stop"),) == message.parts


def test_a_custom_call_and_its_result() -> None:
    """Free text stays as it is."""
    got = read(
        {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "***"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
    )

    custom = a_call(1, name="patch", arguments="***", kind="custom")
    assert [Message("assistant", (custom,)), a_result(1, "ok", name="patch")] == got


def test_a_patch_that_failed() -> None:
    """A tool that the client runs is a function to the bot, and its failure an error."""
    got = read(
        {"type": "apply_patch_call", "call_id": "c1", "operation": {"type": "x"}, "id": "apc_1"},
        {"type": "apply_patch_call_output", "call_id": "c1", "status": "failed", "output": "no"},
    )

    patch = a_call(1, name="apply_patch", arguments='{"type":"x"}')
    failed = a_result(1, "no", name="apply_patch", is_error=True)
    assert [Message("assistant", (patch,)), failed] == got


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("done", a_result(1)),
        (None, a_result(1, "")),
        (
            [{"type": "input_text", "text": "a"}, {"type": "text", "text": "b"}],
            a_result(1, "a\n\nb"),
        ),
        (
            [{"type": "input_image", "image_url": "https://x.test/a"}],
            a_result(1, "", files=(File(url="https://x.test/a"),)),
        ),
        ([{"stdout": "x"}], a_result(1, '[{"stdout":"x"}]')),
        ({"a": 1}, a_result(1, '{"a":1}')),
    ],
)
def test_results(output: Any, expected: Message) -> None:
    """Text, parts, or whatever a tool gave, as JSON."""
    assert [Message("assistant", (a_call(1),)), expected] == read(called(1), given(1, output))


def test_a_result_that_names_no_call_answers_the_last() -> None:
    """The id is optional by now."""
    got = read(called(1), called(2), {"type": "function_call_output", "output": "done"})

    assert a_result(2) == got[-1]


def test_a_result_of_a_call_that_was_compacted_away() -> None:
    """It is passed on under its id."""
    assert [a_result(7, name="")] == read(given(7))


def test_thoughts_that_nobody_can_read_leave_no_trace() -> None:
    """Encrypted content belongs to whoever encrypted it."""
    assert [] == read({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"})


def test_strangers_are_left_out_and_named() -> None:
    """Items and parts that nobody knows never fail; those of the past are not named again."""
    stranger = {"type": "compaction", "encrypted_content": "x"}
    odd = {"role": "user", "content": [{"type": "hologram"}, {"type": "input_text", "text": "a"}]}
    conversation = read_items([stranger, USER], [stranger, odd, {"type": "web_search_call"}], {})

    assert (TASK, Message("user", (Text("a"),))) == conversation.messages
    assert ("input[0]", "input[1].content[0]", "input[2]") == conversation.left_out


def test_tools_that_stand_among_the_items() -> None:
    """Clients load tools as they go."""
    tools = [{"type": "function", "name": "late"}]
    items = [{"type": "additional_tools", "tools": tools}, {"type": "tool_search_output"}]

    assert ((tools, "input[0].tools"),) == read_items((), items, {}).tools
