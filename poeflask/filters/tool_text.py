"""Tool calls and their results as text: the one form that is asked of bots and written for them.

    <tool_call:k3f9 name="write_file">
    {"mode": 420}
    <arg:k3f9 name="content">
    print("any text, </arg> and <b> and & too, as it stands")
    </arg:k3f9>
    </tool_call:k3f9>

    <tool_result:k3f9 id="call_1" name="write_file">
    written
    </tool_result:k3f9>

Why this form:

- The tags are the ones that most models were taught, so they come by themselves. The mark behind
  the colon keeps them from being a model's own special token (`<tool_call>` is one in several
  families, and some hosts cut those out of the text), and tells a call from talk about calls and
  from a call that stands in a file or in a tool's result.
- The mark is made of the conversation alone. The same history is always written the same way, so
  that prompt caches stay warm and any worker can continue any conversation.
- Short arguments are JSON, which bots write well. Long or many-lined texts, which they write badly
  as JSON, stand between tag lines exactly as they are: nothing is escaped, and only a closing tag
  with the mark at the start of a line ends them. One line break after the opening tag and one
  before the closing tag belong to the tags.
- History is written in the very form that is asked for: a bot copies its own past more readily
  than it follows an instruction.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterable
from typing import Any

from poeflask.core import json_text
from poeflask.core.prompt import Message, Prompt, Text, ToolCall, ToolResult

CUSTOM_KEY = "input"
"""The name under which the text of a custom tool stands."""

_MARK_CHARS = "bcdfghjkmnpqrstvwxz23456789"
_MARK_LENGTH = 6
_RAW_FROM_CHARS = 200
_SURROGATE = re.compile("[\ud800-\udfff]")


def mark_of(prompt: Prompt) -> str:
    """The mark of a conversation's tags: the same in every turn, in every worker."""
    said = [_first_text(prompt.messages, "system"), _first_text(prompt.messages, "user")]
    seed = "\0".join([*said, *(tool.name for tool in prompt.tools)])
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8])
    letters = []
    for _ in range(_MARK_LENGTH):
        number, place = divmod(number, len(_MARK_CHARS))
        letters.append(_MARK_CHARS[place])
    return "".join(letters)


def _first_text(messages: Iterable[Message], role: str) -> str:
    return next((message.text for message in messages if message.role == role), "")


def open_call(mark: str, name: str) -> str:
    """The opening tag of a call."""
    return f'<tool_call:{mark} name="{_attribute(name)}">'


def close_call(mark: str) -> str:
    """The closing tag of a call."""
    return f"</tool_call:{mark}>"


def block(mark: str, key: str, text: str) -> str:
    """An argument that is text, between its tag lines."""
    return f'<arg:{mark} name="{_attribute(key)}">\n{text}\n</arg:{mark}>'


def write_call(mark: str, call: ToolCall) -> str:
    """A call of the history as the bot should have written it.

    Arguments that are no JSON object are kept as they are: the bot sees what it did.
    """
    if call.kind == "custom":
        return _call(mark, call.name, [block(mark, CUSTOM_KEY, call.arguments)])
    try:
        values = json_text.read(call.arguments or "{}")
    except json_text.NotJsonError:
        return _call(mark, call.name, [call.arguments])
    if not isinstance(values, dict):
        return _call(mark, call.name, [call.arguments])
    return write_arguments(mark, call.name, values)


def write_arguments(mark: str, name: str, values: dict[str, Any]) -> str:
    """A call with these arguments, texts that are hard to write as JSON in blocks."""
    raw = {key: value for key, value in values.items() if _is_raw(key, value, mark)}
    short = {key: value for key, value in values.items() if key not in raw}
    head = [json.dumps(short, ensure_ascii=False)] if short or not raw else []
    return _call(mark, name, head + [block(mark, key, value) for key, value in raw.items()])


def write_result(mark: str, result: ToolResult, name: str) -> str:
    """What a call gave, between tags that nothing inside it can close."""
    failed = ' status="error"' if result.is_error else ""
    # A result that holds the mark was either copied from this very prompt or means harm.
    text = result.text.replace(f":{mark}", ":copied")
    head = f'<tool_result:{mark} id="{_attribute(result.call_id)}" name="{_attribute(name)}"'
    return f"{head}{failed}>\n{text}\n</tool_result:{mark}>"


def escaped(text: str) -> str:
    """A piece of text as it stands inside a JSON string; pieces join as their texts do."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    if text.isascii():
        return written
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def as_text(messages: Iterable[Message], mark: str) -> tuple[Message, ...]:
    """A history whose calls and results are text; messages of results become the user's."""
    names: dict[str, str] = {}
    written: list[Message] = []
    for message in messages:
        made = _message_as_text(message, mark, names)
        if message.role == "tool" and written and _holds_only_results(written[-1], mark):
            made = Message("user", written.pop().parts + made.parts, made.name)
        written.append(made)
    return tuple(written)


def _holds_only_results(message: Message, mark: str) -> bool:
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    opening = f"<tool_result:{mark} "
    return message.role == "user" and bool(texts) and all(t.startswith(opening) for t in texts)


def _message_as_text(message: Message, mark: str, names: dict[str, str]) -> Message:
    if not any(isinstance(part, ToolCall | ToolResult) for part in message.parts):
        return Message("user", message.parts, message.name) if message.role == "tool" else message
    parts: list[Any] = []
    for part in message.parts:
        match part:
            case ToolCall():
                names[part.call_id] = part.name
                parts.append(Text(write_call(mark, part)))
            case ToolResult():
                name = part.name or names.get(part.call_id, "")
                parts += [Text(write_result(mark, part, name)), *part.files]
            case _:
                parts.append(part)
    role = "user" if message.role == "tool" else message.role
    return Message(role, tuple(parts), message.name)


def _call(mark: str, name: str, body: list[str]) -> str:
    return "\n".join([open_call(mark, name), *body, close_call(mark)])


def _is_raw(key: str, value: Any, mark: str) -> bool:
    """Whether a value is a text that is hard to write as JSON; one that a block can hold."""
    if not isinstance(value, str) or f":{mark}" in value or value.endswith("\r"):
        return False
    if re.search(r'["<>\n]', key):
        return False
    return len(value) > _RAW_FROM_CHARS or any(char in value for char in '\n"\\')


def _attribute(text: str) -> str:
    return html.escape(re.sub(r"\s+", " ", text))
