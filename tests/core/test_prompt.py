"""The parts of a prompt that do something."""

from __future__ import annotations

import pytest

from poeflask.core.prompt import File, Message, Part, Reasoning, Text, ToolCall, ToolResult


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((), ""),
        ((Text("a"),), "a"),
        ((Text("a"), Text("b")), "a\n\nb"),
        ((Text(" a\n"), Text("")), " a\n\n\n"),
        ((Text("a"), File(url="https://x.example"), Reasoning("hm"), Text("b")), "a\n\nb"),
        ((ToolCall(call_id="1", name="f", arguments="{}"),), ""),
        ((ToolResult(call_id="1", text="42"),), ""),
    ],
)
def test_a_messages_text_is_that_of_its_text_parts(parts: tuple[Part, ...], text: str) -> None:
    """As it was written, with an empty line between them; nothing else is text."""
    assert text == Message("user", parts).text


def test_the_content_of_a_file_is_in_no_log_line() -> None:
    """The repr leaves it out: it may be large, and it is nobody's business."""
    assert "canary" not in repr(File(base64="canary", name="a.png"))
