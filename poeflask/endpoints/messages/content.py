"""The conversation of a Messages request: Anthropic's messages and blocks to ours, in one walk.

Blocks that only mean something to Anthropic's own servers (results of their tools, thoughts that
they encrypted) and blocks that nobody knows are left out and named; they never make a request fail.
`cache_control` and `citations` are not looked at, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from poeflask.core import json_text
from poeflask.core.prompt import (
    File,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from poeflask.endpoints.inline_files import file_from_data, file_from_url
from poeflask.endpoints.shapes import (
    a_flag,
    a_name,
    a_text,
    an_array,
    an_object,
    handed_on,
    kind_of,
    one_of,
    shown,
    wrong,
)

MAX_BLOCKS = 10_000

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}

_BILLING = "x-anthropic-billing-header:"
"""Claude Code opens its system prompt with a line for Anthropic's accountants."""

_SILENT = frozenset({"redacted_thinking"})
"""Blocks that nobody misses when they are left out."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages, and the paths of the blocks that were left out."""

    messages: tuple[Message, ...]
    left_out: tuple[str, ...]


def read_conversation(system: object, messages: list[Any]) -> Conversation:
    """The conversation that a request holds, in its order, with its system prompt first.

    A message of the system's right behind the user's is put in front of it, because bots answer
    the last message and it must be the user's.

    Args:
        system: the request's `system`: a string, an array of text blocks, or None.
        messages: the request's `messages`.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    reader = _Reader()
    read: list[Message] = []
    if system is not None:
        read += reader.system(system, "system")
    for index, message in enumerate(messages):
        for made in reader.message(message, f"messages[{index}]"):
            read.insert(_place(made, read), made)
    return Conversation(tuple(read), tuple(reader.left_out))


def _place(message: Message, before: list[Message]) -> int:
    place = len(before)
    while message.role == "system" and place and before[place - 1].role == "user":
        place -= 1
    return place


class _Reader:
    """Reads messages in order; remembers which call had which name."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self._name_by_call: dict[str, str] = {}

    def system(self, value: object, at: str) -> list[Message]:
        """The system prompt as one message; none if there is nothing in it."""
        parts = self._content(value, at)
        texts = [part for part in parts if isinstance(part, Text)]
        if len(texts) < len(parts):
            self.left_out.append(at)
        kept = tuple(part for part in texts if not part.text.startswith(_BILLING))
        return [Message("system", kept)] if kept else []

    def message(self, value: object, at: str) -> list[Message]:
        """The message, with each tool's result as a message of its own."""
        fields = an_object(value, at)
        role = _role(fields.get("role"), f"{at}.role")
        if role == "system":
            return self.system(fields.get("content"), f"{at}.content")
        return _apart(role, self._content(fields.get("content"), f"{at}.content"))

    def _content(self, content: object, at: str) -> list[Part]:
        match content:
            case str():
                return [Text(content)] if content else []
            case list():
                return self._blocks(content, at)
            case None:
                raise wrong(at, "is missing: it must be a string or an array of blocks.")
        raise wrong(at, f"must be a string or an array of blocks, not {kind_of(content)}.")

    def _blocks(self, content: list[Any], at: str) -> list[Part]:
        parts: list[Part] = []
        for index, value in enumerate(an_array(content, at, MAX_BLOCKS)):
            path = f"{at}[{index}]"
            parts += self._block(an_object(value, path), path)
        return parts

    def _block(self, fields: Mapping[str, Any], at: str) -> list[Part]:
        kind = a_text(fields.get("type"), f"{at}.type")
        match kind:
            case "tool_use":
                return [self._tool_use(fields, at)]
            case "tool_result":
                return [self._tool_result(fields, at)]
            case "document":
                return self._document(fields, at)
            case _ if kind in _BLOCKS:
                return _BLOCKS[kind](fields, at)
        if kind not in _SILENT:
            self.left_out.append(at)
        return []

    def _tool_use(self, fields: Mapping[str, Any], at: str) -> ToolCall:
        call_id = a_name(fields.get("id"), f"{at}.id")
        name = a_name(fields.get("name"), f"{at}.name")
        self._name_by_call[call_id] = name
        arguments = _arguments(fields.get("input"), f"{at}.input")
        return ToolCall(call_id=call_id, name=name, arguments=arguments)

    def _tool_result(self, fields: Mapping[str, Any], at: str) -> ToolResult:
        call_id = a_name(fields.get("tool_use_id"), f"{at}.tool_use_id")
        content, is_error = fields.get("content"), fields.get("is_error")
        parts = [] if content is None else self._content(content, f"{at}.content")
        return ToolResult(
            call_id=call_id,
            name=self._name_by_call.get(call_id, ""),
            text=_joined(parts),
            is_error=is_error is not None and a_flag(is_error, f"{at}.is_error"),
            files=tuple(part for part in parts if isinstance(part, File)),
        )

    def _document(self, fields: Mapping[str, Any], at: str) -> list[Part]:
        """A document: a file if it is one, else its text between marks that say where it ends."""
        path = f"{at}.source"
        source = an_object(fields.get("source"), path)
        title = _optional_text(fields.get("title"), f"{at}.title")
        context = _optional_text(fields.get("context"), f"{at}.context")
        match source.get("type"):
            case "text":
                data = a_text(source.get("data"), f"{path}.data")
                return [_marked("document", data, title=title, context=context)]
            case "content":
                parts = self._content(source.get("content"), f"{path}.content")
                files = [part for part in parts if isinstance(part, File)]
                return [_marked("document", _joined(parts), title=title, context=context), *files]
        file = _file(source, path, _document_name(title))
        return [Text(context), file] if context else [file]


def _role(role: object, at: str) -> Role:
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is not None:
        return known
    if role is None:
        raise wrong(at, f"is missing: it must be {one_of(_ROLES)}.")
    raise wrong(at, f"must be {one_of(_ROLES)}, not {shown(role)}.")


def _apart(role: Role, parts: list[Part]) -> list[Message]:
    """Tool results in messages of their own, in the order of the blocks."""
    messages: list[Message] = []
    rest: list[Part] = []
    for part in parts:
        if not isinstance(part, ToolResult):
            rest.append(part)
            continue
        if rest:
            messages.append(Message(role, tuple(rest)))
            rest = []
        messages.append(Message("tool", (part,)))
    if rest or not messages:
        messages.append(Message(role, tuple(rest)))
    return messages


def _arguments(value: object, at: str) -> str:
    """A call's input as JSON text; what is no object, as broken histories hold it, becomes one."""
    match value:
        case dict():
            return json_text.write(handed_on(value, at))
        case None | "":
            return "{}"
        case str():
            return _arguments_from_text(value)
    raise wrong(at, f"must be an object, not {kind_of(value)}.")


def _arguments_from_text(text: str) -> str:
    try:
        value = json_text.read(text)
    except json_text.NotJsonError:
        value = None
    return text if isinstance(value, dict) else json_text.write({"input": text})


def _joined(parts: list[Part]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, Text))


def _text(fields: Mapping[str, Any], at: str) -> list[Part]:
    text = a_text(fields.get("text"), f"{at}.text")
    return [Text(text)] if text else []


def _thinking(fields: Mapping[str, Any], at: str) -> list[Part]:
    """An earlier thought. Its signature is taken as it is: bots of Poe do not look at it."""
    text = a_text(fields.get("thinking"), f"{at}.thinking")
    signature = _optional_text(fields.get("signature"), f"{at}.signature")
    return [Reasoning(text, signature)] if text else []


def _image(fields: Mapping[str, Any], at: str) -> list[Part]:
    path = f"{at}.source"
    return [_file(an_object(fields.get("source"), path), path)]


def _search_result(fields: Mapping[str, Any], at: str) -> list[Part]:
    source = a_text(fields.get("source"), f"{at}.source")
    title = _optional_text(fields.get("title"), f"{at}.title")
    path = f"{at}.content"
    texts: list[Part] = []
    for index, value in enumerate(an_array(fields.get("content"), path, MAX_BLOCKS)):
        texts += _text(an_object(value, f"{path}[{index}]"), f"{path}[{index}]")
    return [_marked("search_result", _joined(texts), title=title, source=source)]


def _compaction(fields: Mapping[str, Any], at: str) -> list[Part]:
    """The summary of what was said before; null if summing it up failed."""
    text = _optional_text(fields.get("content"), f"{at}.content")
    return [_marked("summary", text)] if text else []


def _tool_reference(fields: Mapping[str, Any], at: str) -> list[Part]:
    """What a search for tools found: a tool's name."""
    return [Text(a_name(fields.get("tool_name"), f"{at}.tool_name"))]


_BLOCKS: dict[str, Callable[[Mapping[str, Any], str], list[Part]]] = {
    "text": _text,
    "image": _image,
    "search_result": _search_result,
    "thinking": _thinking,
    "compaction": _compaction,
    "tool_reference": _tool_reference,
}


def _marked(tag: str, text: str, **about: str) -> Text:
    """The text between marks that carry what is known about it."""
    said = "".join(f" {name}={json_text.write(value)}" for name, value in about.items() if value)
    return Text(f"<{tag}{said}>\n{text}\n</{tag}>")


def _file(source: Mapping[str, Any], at: str, name: str = "") -> File:
    kind = source.get("type")
    match kind:
        case "base64":
            content_type = _optional_text(source.get("media_type"), f"{at}.media_type")
            return file_from_data(source.get("data"), f"{at}.data", content_type, name)
        case "url":
            return file_from_url(source.get("url"), f"{at}.url", name)
        case "file":
            return File(file_id=a_name(source.get("file_id"), f"{at}.file_id"), name=name)
        case None:
            raise wrong(f"{at}.type", f"is missing: it must be {one_of(_SOURCES)}.")
    raise wrong(f"{at}.type", f"must be {one_of(_SOURCES)}, not {shown(kind)}.")


_SOURCES = ("base64", "url", "file")


def _document_name(title: str) -> str:
    """The title, if it can be a file's name."""
    return title if title and "/" not in title and len(title) <= 200 else ""


def _optional_text(value: object, at: str) -> str:
    return "" if value is None else a_text(value, at)
