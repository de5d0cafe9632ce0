"""The conversation of an Ollama request: its messages to ours, read and checked in one walk.

Ollama's calls and results long had no ids. What comes without one gets one that is the same
whenever the same conversation is read, and a result belongs to the oldest call of its name that
has none yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from poeflask.endpoints.call_arguments import as_text
from poeflask.endpoints.inline_files import file_from_data
from poeflask.endpoints.ollama.schema import MAX_IMAGES
from poeflask.endpoints.shapes import (
    a_name,
    a_text,
    an_array,
    an_object,
    kind_of,
    one_of,
    shown,
    wrong,
)

MAX_CALLS = 1_000
MAX_PARTS = 10_000

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def read_messages(messages: list[Any]) -> tuple[Message, ...]:
    """The conversation that a request holds, in its order.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    reader = _Reader()
    return tuple(reader.message(message, f"messages[{i}]") for i, message in enumerate(messages))


def read_images(value: object, at: str) -> tuple[File, ...]:
    """The pictures of a list of base64 texts; data URLs and links are taken too."""
    if value is None:
        return ()
    images = an_array(value, at, MAX_IMAGES)
    return tuple(file_from_data(image, f"{at}[{i}]") for i, image in enumerate(images))


class _Reader:
    """Reads messages in order; remembers the calls that have no result yet."""

    def __init__(self) -> None:
        self._unanswered: list[ToolCall] = []
        self._made_ids = 0

    def message(self, value: object, at: str) -> Message:
        fields = an_object(value, at)
        role = a_text(fields.get("role"), f"{at}.role")
        if role not in _ROLES:
            raise wrong(f"{at}.role", f"must be {one_of(_ROLES)}, not {shown(role)}.")
        text = _content(fields.get("content"), f"{at}.content")
        images = read_images(fields.get("images"), f"{at}.images")
        said: tuple[Part, ...] = (*([Text(text)] if text else ()), *images)
        match _ROLES[role]:
            case "assistant":
                return Message(
                    "assistant", (*_thoughts(fields, at), *said, *self._calls(fields, at))
                )
            case "tool":
                return Message("tool", (self._result(fields, text, images, at),))
            case other:
                return Message(other, said)

    def _calls(self, fields: Mapping[str, Any], at: str) -> list[ToolCall]:
        if (calls := fields.get("tool_calls")) is None:
            return []
        path = f"{at}.tool_calls"
        items = enumerate(an_array(calls, path, MAX_CALLS))
        read = [self._call(call, f"{path}[{index}]") for index, call in items]
        self._unanswered += read
        return read

    def _call(self, value: object, at: str) -> ToolCall:
        fields = an_object(value, at)
        function = an_object(fields.get("function"), f"{at}.function")
        call_id = fields.get("id")
        return ToolCall(
            call_id=a_text(call_id, f"{at}.id") if call_id else self._new_id(),
            name=a_name(function.get("name"), f"{at}.function.name"),
            arguments=as_text(function.get("arguments"), f"{at}.function.arguments"),
        )

    def _result(
        self, fields: Mapping[str, Any], text: str, images: tuple[File, ...], at: str
    ) -> ToolResult:
        name = fields.get("tool_name") or fields.get("name") or ""
        name = a_text(name, f"{at}.tool_name")
        call_id = fields.get("tool_call_id") or ""
        call = self._answered(a_text(call_id, f"{at}.tool_call_id"), name)
        if call is None:
            return ToolResult(call_id=call_id or self._new_id(), text=text, name=name, files=images)
        return ToolResult(call_id=call.call_id, text=text, name=call.name, files=images)

    def _answered(self, call_id: str, name: str) -> ToolCall | None:
        """The call that a result belongs to, by its id or its name, or else the oldest one."""
        for position, call in enumerate(self._unanswered):
            if call.call_id == call_id if call_id else name in ("", call.name):
                return self._unanswered.pop(position)
        return None

    def _new_id(self) -> str:
        self._made_ids += 1
        return f"call_old_{self._made_ids}"


def _content(content: object, at: str) -> str:
    """A message's text; clients of other APIs send a list of text parts."""
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            parts = enumerate(an_array(content, at, MAX_PARTS))
            return "\n\n".join(_text_part(part, f"{at}[{index}]") for index, part in parts)
    raise wrong(at, f"must be a string, not {kind_of(content)}.")


def _text_part(value: object, at: str) -> str:
    return a_text(an_object(value, at).get("text"), f"{at}.text")


def _thoughts(fields: Mapping[str, Any], at: str) -> list[Reasoning]:
    thinking = fields.get("thinking")
    return [Reasoning(a_text(thinking, f"{at}.thinking"))] if thinking else []
