"""Anthropic's messages and blocks become ours."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.core.prompt import File, Message, Reasoning, Text, ToolCall, ToolResult
from poeflask.endpoints.messages.content import read_conversation
from tests.endpoints.messages.bad_requests import CALL, HELLO, RESULT

PIXEL = "iVBORw0KGgo="
PICTURE = {"type": "base64", "media_type": "image/png", "data": PIXEL}
USER = Message("user", (Text("Hello"),))


def read(*messages: Any, system: Any = None) -> list[Message]:
    """The conversation of these messages."""
    return list(read_conversation(system, list(messages)).messages)


def parts(*blocks: Any, role: str = "user") -> tuple[Any, ...]:
    """The parts of one message of these blocks."""
    (message,) = read({"role": role, "content": list(blocks)})
    return message.parts


def text(said: str) -> dict[str, str]:
    """A text block."""
    return {"type": "text", "text": said}


def system(content: Any) -> dict[str, Any]:
    """A message of the system's among the others."""
    return {"role": "system", "content": content}


@pytest.mark.parametrize("content", ["Hello", [text("Hello")], [text("Hello"), text("")]])
def test_a_string_is_one_text_block(content: Any):
    """Empty blocks say nothing."""
    assert [USER] == read({"role": "user", "content": content})


@pytest.mark.parametrize("given", ["Be brief.", [text("Be brief.")]])
def test_the_system_prompt_comes_first(given: Any):
    """As a string or as blocks."""
    assert [Message("system", (Text("Be brief."),)), USER] == read(HELLO, system=given)


def test_the_accountants_line_is_dropped():
    """The block that opens Claude Code's system prompt is for Anthropic's billing only."""
    billing = text("x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;")

    expected = [Message("system", (Text("You are."), Text("Be brief."))), USER]
    assert expected == read(HELLO, system=[billing, text("You are."), text("Be brief.")])
    assert [USER] == read(HELLO, system=[billing])


def test_a_system_prompt_is_text():
    """A picture in it is left out and named."""
    conversation = read_conversation([text("Look."), {"type": "image", "source": PICTURE}], [HELLO])

    assert (Message("system", (Text("Look."),)), USER) == conversation.messages
    assert ("system",) == conversation.left_out


def test_a_system_message_behind_the_user_s_goes_before_it():
    """The bot answers the last message, so that must be the user's; the order stays else."""
    got = read(HELLO, HELLO, system("One."), system([text("Two.")]), system="Zero.")

    assert ["Zero.", "One.", "Two.", "Hello", "Hello"] == [message.text for message in got]


def test_a_system_message_elsewhere_stays():
    """Behind an answer or a tool's result nothing is moved."""
    called = {"role": "assistant", "content": [CALL]}
    got = read(HELLO, called, {"role": "user", "content": [RESULT]}, system("One."), HELLO)

    assert ["user", "assistant", "tool", "system", "user"] == [message.role for message in got]


def test_images_are_files():
    """As base64, link or stored file."""
    got = parts(
        {"type": "image", "source": PICTURE},
        {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
    )

    assert (
        File(base64=PIXEL, content_type="image/png"),
        File(url="https://x.example/a.png"),
        File(file_id="file_1"),
    ) == got


def test_documents_are_files_or_marked_text():
    """What has bytes is a file with its title as name; text stands between marks."""
    got = parts(
        {"type": "document", "source": {**PICTURE, "media_type": "application/pdf"}, "title": "T"},
        {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}, "context": "Old."},
        {"type": "document", "source": {"type": "text", "data": "Words."}, "title": 'A "B"'},
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [text("One."), {"type": "image", "source": PICTURE}, text("Two.")],
            },
            "context": "New.",
        },
        {"type": "document", "source": {"type": "content", "content": "Three."}},
    )

    assert (
        File(base64=PIXEL, content_type="application/pdf", name="T"),
        File(url="https://x.example/a.pdf"),
        Text("Old."),
        File(file_id="f"),
        Text('<document title="A \\"B\\"">\nWords.\n</document>'),
        Text('<document context="New.">\nOne.\n\nTwo.\n</document>'),
        File(base64=PIXEL, content_type="image/png"),
        Text("<document>\nThree.\n</document>"),
    ) == got


def test_search_results_and_summaries_are_marked_text():
    """The bot can tell them from what the user says."""
    found = {"type": "search_result", "source": "https://x.example", "title": "X"}
    got = parts(
        {**found, "content": [text("One."), text("Two.")], "citations": {"enabled": True}},
        {"type": "compaction", "content": "They met."},
        {"type": "compaction", "content": None},
    )

    assert (
        Text(
            '<search_result title="X" source="https://x.example">\nOne.\n\nTwo.\n</search_result>'
        ),
        Text("<summary>\nThey met.\n</summary>"),
    ) == got


def test_thoughts_come_back_with_any_signature():
    """They are kept as they are; encrypted ones go without a word."""
    conversation = read_conversation(
        None,
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "any"},
                    {"type": "thinking", "thinking": "", "signature": "omitted"},
                    {"type": "redacted_thinking", "data": "x"},
                    text("Yes."),
                ],
            }
        ],
    )

    assert (Reasoning("Hm.", "any"), Text("Yes.")) == conversation.messages[0].parts
    assert () == conversation.left_out


def test_calls_and_results_know_each_other():
    """A result carries the name of the tool whose call it answers."""
    call = {**CALL, "input": {"a": 1}}
    got = read(
        {"role": "assistant", "content": [text("Look."), call]},
        {"role": "user", "content": [RESULT]},
    )

    assert [
        Message(
            "assistant",
            (Text("Look."), ToolCall(call_id="toolu_1", name="f", arguments='{"a":1}')),
        ),
        Message("tool", (ToolResult(call_id="toolu_1", name="f", text="done"),)),
    ] == got


def test_each_result_is_a_message_and_what_the_user_adds_comes_behind():
    """Bots take results and words apart."""
    second = {**RESULT, "tool_use_id": "toolu_2", "is_error": True}
    got = read({"role": "user", "content": [RESULT, second, text("Go on.")]})

    assert [
        Message("tool", (ToolResult(call_id="toolu_1", text="done"),)),
        Message("tool", (ToolResult(call_id="toolu_2", text="done", is_error=True),)),
        Message("user", (Text("Go on."),)),
    ] == got


def test_a_result_may_hold_blocks():
    """Texts are joined, pictures become files, names of found tools are told."""
    content = [
        text("Seen:"),
        {"type": "image", "source": PICTURE},
        {"type": "tool_reference", "tool_name": "g"},
        {"type": "document", "source": {"type": "text", "data": "Words."}},
        {"type": "hologram"},
    ]
    conversation = read_conversation(
        None, [{"role": "user", "content": [{**RESULT, "content": content}]}]
    )
    said = "Seen:\n\ng\n\n<document>\nWords.\n</document>"
    picture = File(base64=PIXEL, content_type="image/png")

    result = ToolResult(call_id="toolu_1", text=said, files=(picture,))
    assert (Message("tool", (result,)),) == conversation.messages
    assert ("messages[0].content[0].content[4]",) == conversation.left_out


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ({"a": "ä"}, '{"a":"ä"}'),
        (None, "{}"),
        ("", "{}"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"a', '{"input":"{\\"a"}'),
        ("[1]", '{"input":"[1]"}'),
    ],
)
def test_a_call_s_input_is_json_whatever_came(given: Any, arguments: str):
    """Broken histories are mended, so that one bad turn does not end a conversation."""
    (call,) = parts({**CALL, "input": given}, role="assistant")

    assert arguments == call.arguments


def test_blocks_that_mean_nothing_here_are_named():
    """What Anthropic's own servers did, and what nobody knows."""
    used = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    conversation = read_conversation(
        None, [HELLO, {"role": "assistant", "content": [used, text("Yes.")]}]
    )

    assert (Text("Yes."),) == conversation.messages[1].parts
    assert ("messages[1].content[0]",) == conversation.left_out
