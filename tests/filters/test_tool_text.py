"""Calls and results as text."""

from __future__ import annotations

from dataclasses import replace

from poeflask.core.prompt import File, Message, Prompt, Text, Tool, ToolCall, ToolResult
from poeflask.filters.tool_text import as_text, escaped, mark_of, write_call

MARK = "k3f9x2"
USER = Message("user", (Text("Go."),))
PROMPT = Prompt(bot="b", messages=(USER,), tools=(Tool(name="x"),))
FILE = File(url="https://x/y.png")


def test_a_mark_belongs_to_its_conversation() -> None:
    """Later turns leave the mark as it is; another beginning or other tools change it."""
    later = replace(PROMPT, messages=(USER, Message("assistant", (Text("Yes."),)), USER))
    other = replace(PROMPT, messages=(Message("user", (Text("Stop."),)),))
    more = replace(PROMPT, tools=(Tool(name="y"),))
    marks = [mark_of(prompt) for prompt in (PROMPT, later, other, more)]

    assert marks[0] == marks[1]
    assert len(set(marks)) == 3
    assert all(len(mark) == 6 for mark in marks)


def test_arguments_that_are_no_object_are_kept() -> None:
    """A call of the history whose arguments are broken is shown as it was."""
    got = [
        write_call(MARK, ToolCall(call_id="c", name="x", arguments=arguments)).split("\n")[1]
        for arguments in ("", "{broken", "[1]", '{"a":1}')
    ]

    assert got == ["{}", "{broken", "[1]", '{"a": 1}']


def test_results_become_the_users_with_their_files() -> None:
    """Results that follow each other are one message; their files stay files."""
    calls = tuple(ToolCall(call_id=f"c{n}", name=f"t{n}", arguments="{}") for n in range(2))
    results = [
        Message("tool", (ToolResult(call_id=f"c{n}", text=f"r{n}", files=(FILE,)),))
        for n in range(2)
    ]
    got = as_text([Message("assistant", calls), *results], MARK)

    assert [message.role for message in got] == ["assistant", "user"]
    assert got[1].parts == (
        Text(f'<tool_result:{MARK} id="c0" name="t0">\nr0\n</tool_result:{MARK}>'),
        FILE,
        Text(f'<tool_result:{MARK} id="c1" name="t1">\nr1\n</tool_result:{MARK}>'),
        FILE,
    )


def test_pieces_are_escaped_as_their_whole() -> None:
    """Escaping text in two pieces gives what escaping it whole does, half characters too."""
    text = 'a"\\\n\u2028é\ud83d\ude00'
    whole = escaped(text)

    assert all(whole == escaped(text[:cut]) + escaped(text[cut:]) for cut in range(len(text)))
    assert whole.encode("utf-8")
