"""What a bot is told of tools, and of its mistakes."""

from __future__ import annotations

from poeflask.core.prompt import Message, Prompt, Text, Tool, ToolChoice
from poeflask.filters.tool_prompt import MAX_FRAGMENT_CHARS, as_text, ask_again, example

MARK = "k3f9x2"
WRITE = Tool(
    name="write_file",
    description="Write.",
    schema={
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {
            "path": {"type": "string"},
            "how": {"enum": ["new", "old"]},
            "content": {"type": "string"},
            "mode": {"type": "integer"},
        },
        "required": ["path", "how", "content"],
    },
)
PATCH = Tool(name="apply_patch", kind="custom", format={"type": "grammar", "definition": "x"})
SYSTEM = Message("system", (Text("Be kind."),))
USER = Message("user", (Text("Go."),))
PROMPT = Prompt(bot="b", messages=(SYSTEM, USER), tools=(WRITE,))


def test_the_instruction_ends_the_system_message() -> None:
    """Tools are described behind the system's own words, one line each, and nowhere else."""
    got = as_text(PROMPT, MARK)
    lines = got.messages[0].parts[1].text.split("\n")  # type: ignore[union-attr]

    assert got.messages[0].parts[0] == Text("Be kind.")
    assert got.messages[1:] == (USER,)
    assert (got.tools, got.tool_choice) == ((), ToolChoice())
    assert (
        sum(line.startswith('{"name":"write_file","description":"Write."') for line in lines) == 1
    )
    assert "$schema" not in "".join(lines)


def test_the_instruction_makes_a_system_message() -> None:
    """Without a system message the instruction is one."""
    got = as_text(Prompt(bot="b", messages=(USER,), tools=(WRITE,)), MARK)

    assert [message.role for message in got.messages] == ["system", "user"]


def test_the_example_is_a_call_in_the_form() -> None:
    """The worked example uses a declared tool, JSON for short values, a block for a text."""
    got = example((WRITE,), MARK)

    assert got == (
        f'<tool_call:{MARK} name="write_file">\n{{"path": "some path", "how": "new"}}\n'
        f'<arg:{MARK} name="content">\nfirst line of the text\n'
        f'second line, with "quotes" as they are\n</arg:{MARK}>\n</tool_call:{MARK}>'
    )


def test_the_example_does_not_mislead() -> None:
    """A tool whose only text is short, such as a path, is not shown with a block."""
    read = Tool(
        name="read", schema={"properties": {"path": {"type": "string"}}, "required": ["path"]}
    )
    got = [example((Tool(name="now"), read), MARK), example((read, WRITE), MARK)]

    assert got[0] == (
        f'<tool_call:{MARK} name="read">\n{{"path": "some path"}}\n</tool_call:{MARK}>'
    )
    assert 'name="write_file"' in got[1]


def test_a_custom_tool_shows_its_format() -> None:
    """A custom tool is listed with its grammar and called with one block."""
    got = as_text(Prompt(bot="b", messages=(USER,), tools=(PATCH,)), MARK).messages[0].text

    assert '{"name":"apply_patch","text":{"type":"grammar","definition":"x"}}' in got
    assert f'<arg:{MARK} name="input">' in got


def test_a_broken_call_is_quoted_in_part() -> None:
    """A long broken call is shown from both its ends."""
    got = ask_again(PROMPT, "", "it is wrong.", "a" * 5000 + "b", MARK).messages[-1].text

    assert "it is wrong." in got
    assert "a\n[...]\na" in got
    assert len(got) < MAX_FRAGMENT_CHARS + 600
