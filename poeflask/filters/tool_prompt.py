"""A Prompt with tools made into one that any bot understands: text only.

It also writes what is asked of a bot that called badly, or not at all where a call was demanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from poeflask.core import json_text
from poeflask.core.coerce import properties, required
from poeflask.core.prompt import Message, Prompt, Text, Tool, ToolCall, ToolChoice, ToolResult
from poeflask.filters import tool_text

MAX_FRAGMENT_CHARS = 600
"""How much of a broken call is quoted when the bot is asked again."""

_LONG_NAME = re.compile(
    r"content|text|code|new_?str|body|script|command|patch|message|prompt", re.IGNORECASE
)

_INTRODUCTION = """\
# Tools

You can call the tools below. You write a call as text, your turn ends there, and what the tool \
gives comes in the next message.

<tools>
{tools}
</tools>

To call a tool, write exactly this form, as plain text, never in a code fence:

{form}

Here is a whole call:

{example}

Rules:
- The JSON object holds the arguments, as the tool's "parameters" schema wants them. Write {{}} if \
there are none.
- Give a text that has several lines, quotes or backslashes as an <arg:{mark} name="..."> block \
instead, and leave it out of the JSON object. What stands between the two tag lines is taken \
exactly as it is: escape nothing, quote nothing. The closing tag stands on a line of its own; \
a text that ends with a line break has an empty line before it.
- Every tag carries the mark {mark}, as shown.
- {how_many}
- After the last {close} stop: write nothing more. Never write a <tool_result:{mark}> yourself; \
results are given to you.
- Call only the tools listed here. If you need none, answer without any of these tags."""

_CUSTOM_RULE = """
- A tool listed with "text" takes no JSON: its one argument is the block \
<arg:{mark} name="{key}">."""

_SEVERAL = "Calls that do not need each other's results may follow one another in one answer."
_ONE = "Write at most one call in an answer."


def as_text(prompt: Prompt, mark: str) -> Prompt:
    """The prompt with its tools, calls and results as text, and no tools besides."""
    messages = tool_text.as_text(prompt.messages, mark)
    offered = offered_tools(prompt)
    if offered:
        messages = _with_system(messages, instruction(offered, prompt.tool_choice, mark))
        messages = _with_demand(messages, demand(prompt.tool_choice, mark))
    return replace(prompt, messages=messages, tools=(), tool_choice=ToolChoice())


def native(prompt: Prompt) -> Prompt:
    """The prompt for a bot that takes tools, with what Poe's protocol cannot say put in words."""
    messages = _with_demand(prompt.messages, _native_demand(prompt.tool_choice))
    return replace(prompt, messages=messages, tools=offered_tools(prompt))


def offered_tools(prompt: Prompt) -> tuple[Tool, ...]:
    """The tools that may be called in this answer."""
    choice = prompt.tool_choice
    if choice.mode == "none":
        return ()
    return tuple(tool for tool in prompt.tools if not choice.names or tool.name in choice.names)


def has_tool_history(prompt: Prompt) -> bool:
    """Whether an earlier turn called a tool."""
    return any(
        isinstance(part, ToolCall | ToolResult)
        for message in prompt.messages
        for part in message.parts
    )


def instruction(tools: tuple[Tool, ...], choice: ToolChoice, mark: str) -> str:
    """What a bot must know to call these tools."""
    form = "\n".join(
        [
            tool_text.open_call(mark, "NAME"),
            '{"KEY": VALUE}',
            tool_text.block(mark, "KEY", "TEXT"),
            tool_text.close_call(mark),
        ]
    )
    text = _INTRODUCTION.format(
        tools="\n".join(_described(tool) for tool in tools),
        form=form,
        example=example(tools, mark),
        mark=mark,
        how_many=_SEVERAL if choice.parallel else _ONE,
        close=tool_text.close_call(mark),
    )
    if any(tool.kind == "custom" for tool in tools):
        text += _CUSTOM_RULE.format(mark=mark, key=tool_text.CUSTOM_KEY)
    return text


def demand(choice: ToolChoice, mark: str) -> str:
    """What is said at the end of the last user turn; empty if the bot is free."""
    if choice.mode != "required":
        return ""
    close = tool_text.close_call(mark)
    if len(choice.names) == 1:
        opening = tool_text.open_call(mark, choice.names[0])
        return f"Answer with a call of this tool now, from {opening} to {close}, and nothing else."
    opening = f'<tool_call:{mark} name="...">'
    return f"Answer with a tool call now, from {opening} to {close}, and nothing else."


def ask_again(prompt: Prompt, answer: str, error: str, fragment: str, mark: str) -> Prompt:
    """The conversation continued: what was wrong with the call, and the wish for a whole one.

    Args:
        prompt: as the bot got it.
        answer: what it answered, as it came.
        error: a sentence that says what is wrong.
        fragment: the broken call as it came.
        mark: the mark of the conversation's tags.
    """
    shown = _shortened(fragment)
    words = (
        f"Your tool call could not be read: {error}\n\nIt was:\n\n{shown}\n\n"
        f"Write that call again, whole and in the form that was given, from "
        f'<tool_call:{mark} name="..."> to {tool_text.close_call(mark)}, followed by any further '
        "calls that came after it. Write nothing else, and do not repeat calls that came before it."
    )
    return _continued(prompt, answer, words)


def ask_for_call(prompt: Prompt, answer: str, choice: ToolChoice, mark: str) -> Prompt:
    """The conversation continued: a call was demanded and none came."""
    words = f"Your answer held no tool call, but one is needed. {demand(choice, mark)}"
    return _continued(prompt, answer, words)


def example(tools: tuple[Tool, ...], mark: str) -> str:
    """A call of one of the tools with made-up arguments; of one that takes text, if there is."""
    demanding = [tool for tool in tools if required(tool.schema)]
    tool = next((tool for tool in tools if _text_key(tool)), (demanding or tools)[0])
    if tool.kind == "custom":
        opening, close = tool_text.open_call(mark, tool.name), tool_text.close_call(mark)
        text = tool_text.block(mark, tool_text.CUSTOM_KEY, "first line\nsecond line")
        return f"{opening}\n{text}\n{close}"
    return tool_text.write_arguments(mark, tool.name, _sample_arguments(tool))


def _sample_arguments(tool: Tool) -> dict[str, Any]:
    named = properties(tool.schema)
    wanted = [key for key in named if key in required(tool.schema)] or list(named)[:2]
    values = {key: _sample(key, named[key]) for key in wanted}
    long_key = _text_key(tool)
    if long_key in values:
        values[long_key] = 'first line of the text\nsecond line, with "quotes" as they are'
    return values


def _text_key(tool: Tool) -> str:
    """The property that shows best how a block is written."""
    if tool.kind == "custom":
        return tool_text.CUSTOM_KEY
    named = properties(tool.schema)
    wanted = [key for key in named if key in required(tool.schema)]
    texts = [key for key in wanted if _is_free_text(named[key]) and _LONG_NAME.search(key)]
    return texts[-1] if texts else ""


def _is_free_text(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "string" and "enum" not in schema


def _sample(key: str, schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return "..."
    for word in ("enum", "examples"):
        choices = schema.get(word)
        if isinstance(choices, list) and choices:
            return choices[0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    return _SAMPLES.get(kind, f"some {key}") if isinstance(kind, str) else f"some {key}"


_SAMPLES: dict[str, Any] = {
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}


def _described(tool: Tool) -> str:
    said: dict[str, Any] = {"name": tool.name}
    if tool.description:
        said["description"] = tool.description
    if tool.kind == "custom":
        said["text"] = dict(tool.format) if tool.format else "free text"
    else:
        said["parameters"] = {k: v for k, v in tool.schema.items() if k != "$schema"}
    return json_text.write(said)


def _native_demand(choice: ToolChoice) -> str:
    if choice.mode != "required":
        return ""
    if len(choice.names) == 1:
        return f"Answer with a call of the tool {json.dumps(choice.names[0])} now."
    return "Answer with a tool call now."


def _with_system(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """The instruction at the end of the leading system messages, where caches keep it."""
    leading = 0
    while leading < len(messages) and messages[leading].role == "system":
        leading += 1
    if not leading:
        return (Message("system", (Text(text),)), *messages)
    last = messages[leading - 1]
    joined = replace(last, parts=(*last.parts, Text(text)))
    return (*messages[: leading - 1], joined, *messages[leading:])


def _with_demand(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    if not text:
        return messages
    if messages and messages[-1].role == "user":
        last = messages[-1]
        return (*messages[:-1], replace(last, parts=(*last.parts, Text(text))))
    return (*messages, Message("user", (Text(text),)))


def _continued(prompt: Prompt, answer: str, words: str) -> Prompt:
    said = (Message("assistant", (Text(answer),)),) if answer.strip() else ()
    asked = Message("user", (Text(words),))
    return replace(prompt, messages=(*prompt.messages, *said, asked))


def _shortened(fragment: str) -> str:
    if len(fragment) <= MAX_FRAGMENT_CHARS:
        return fragment
    half = MAX_FRAGMENT_CHARS // 2
    return f"{fragment[:half]}\n[...]\n{fragment[-half:]}"
