"""The conversation of a chat request: OpenAI's messages to ours, read and checked in one walk.

What OpenAI insists on is insisted on, with the field's path. What only other servers' clients send
is taken where its meaning is plain, and a part of a type that nobody knows is left out and named.
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
from poeflask.endpoints.file_parts import AUDIO_TYPES, VIDEO_TYPES, file_of, linked, recorded
from poeflask.endpoints.shapes import (
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

MAX_PARTS = 10_000
MAX_CALLS = 1_000

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}

_NEEDS_CONTENT = frozenset({"system", "user"})


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages, and the paths of the parts that were left out."""

    messages: tuple[Message, ...]
    left_out: tuple[str, ...]


def read_messages(messages: list[Any]) -> Conversation:
    """The conversation that a request holds, in its order.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    reader = _Reader()
    read = tuple(reader.message(message, f"messages[{i}]") for i, message in enumerate(messages))
    return Conversation(read, tuple(reader.left_out))


class _Reader:
    """Reads messages in order; remembers which call had which name."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self._name_by_call: dict[str, str] = {}
        self._call_by_function: dict[str, str] = {}
        self._calls_without_id = 0

    def message(self, message: object, at: str) -> Message:
        fields = an_object(message, at)
        role = _role(fields.get("role"), f"{at}.role")
        parts = self._content(fields.get("content"), at, needed=role in _NEEDS_CONTENT)
        name = fields.get("name")
        name = "" if name is None else a_text(name, f"{at}.name")
        if role == "assistant":
            return Message(role, self._assistant(fields, parts, at), name)
        if role == "tool":
            return Message(role, (self._result(fields, parts, name, at),))
        return Message(role, tuple(parts), name)

    def _content(self, content: object, at: str, *, needed: bool) -> list[Part]:
        match content:
            case str():
                return [Text(content)] if content else []
            case list():
                return self._parts(content, f"{at}.content")
            case None if not needed:
                return []
            case None:
                raise wrong(
                    f"{at}.content", "is missing: it must be a string or an array of parts."
                )
        kind = kind_of(content)
        raise wrong(f"{at}.content", f"must be a string or an array of parts, not {kind}.")

    def _parts(self, content: list[Any], at: str) -> list[Part]:
        parts: list[Part] = []
        for index, value in enumerate(an_array(content, at, MAX_PARTS)):
            path = f"{at}[{index}]"
            part = _part(an_object(value, path), path)
            if part is None:
                self.left_out.append(path)
            elif part != Text(""):
                parts.append(part)
        return parts

    def _assistant(self, fields: Mapping[str, Any], parts: list[Part], at: str) -> tuple[Part, ...]:
        thought = fields.get("reasoning_content") or fields.get("reasoning")
        before = [Reasoning(thought)] if isinstance(thought, str) else []
        refusal = fields.get("refusal")
        after: list[Part] = [Text(a_text(refusal, f"{at}.refusal"))] if refusal else []
        after.extend(self._calls(fields.get("tool_calls"), f"{at}.tool_calls"))
        if (legacy := fields.get("function_call")) is not None:
            after.append(self._legacy_call(legacy, at))
        if fields.get("audio") is not None:
            self.left_out.append(f"{at}.audio")
        return (*before, *parts, *after)

    def _calls(self, calls: object, at: str) -> list[ToolCall]:
        if calls is None:
            return []
        items = an_array(calls, at, MAX_CALLS)
        return [self._call(call, f"{at}[{index}]") for index, call in enumerate(items)]

    def _call(self, value: object, at: str) -> ToolCall:
        fields = an_object(value, at)
        call_id = a_text(fields.get("id"), f"{at}.id")
        extra = fields.get("extra_content")
        kind = fields.get("type") or "function"
        if kind == "custom":
            custom = an_object(fields.get("custom"), f"{at}.custom")
            name = a_name(custom.get("name"), f"{at}.custom.name")
            arguments = a_text(custom.get("input"), f"{at}.custom.input")
        elif kind == "function":
            function = an_object(fields.get("function"), f"{at}.function")
            name = a_name(function.get("name"), f"{at}.function.name")
            arguments = _arguments(function.get("arguments"), f"{at}.function.arguments")
        else:
            raise wrong(f"{at}.type", f"must be 'function' or 'custom', not {shown(kind)}.")
        self._name_by_call[call_id] = name
        return ToolCall(
            call_id=call_id,
            name=name,
            arguments=arguments,
            kind="custom" if kind == "custom" else "function",
            extra=None if extra is None else handed_on(extra, f"{at}.extra_content"),
        )

    def _legacy_call(self, value: object, at: str) -> ToolCall:
        """A call from before calls had ids."""
        fields = an_object(value, f"{at}.function_call")
        name = a_name(fields.get("name"), f"{at}.function_call.name")
        arguments = _arguments(fields.get("arguments"), f"{at}.function_call.arguments")
        call_id = self._call_by_function[name] = self._new_call_id()
        return ToolCall(call_id=call_id, name=name, arguments=arguments)

    def _new_call_id(self) -> str:
        """An id for what had none, the same whenever the same conversation is read."""
        self._calls_without_id += 1
        return f"call_old_{self._calls_without_id}"

    def _result(
        self, fields: Mapping[str, Any], parts: list[Part], name: str, at: str
    ) -> ToolResult:
        if fields["role"] == "function":
            name = a_name(fields.get("name"), f"{at}.name")
            call_id = self._call_by_function.get(name) or self._new_call_id()
        else:
            call_id = a_text(fields.get("tool_call_id"), f"{at}.tool_call_id")
            name = name or self._name_by_call.get(call_id, "")
        return ToolResult(
            call_id=call_id,
            name=name,
            text="\n\n".join(part.text for part in parts if isinstance(part, Text)),
            files=tuple(part for part in parts if isinstance(part, File)),
        )


def _role(role: object, at: str) -> Role:
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is not None:
        return known
    if role is None:
        raise wrong(at, f"is missing: it must be {one_of(_ROLES)}.")
    raise wrong(at, f"must be {one_of(_ROLES)}, not {shown(role)}.")


def _arguments(value: object, at: str) -> str:
    """A call's arguments as JSON text; some servers' clients send the object itself, or nothing."""
    match value:
        case str():
            return value or "{}"
        case None:
            return "{}"
        case dict():
            return json_text.write(handed_on(value, at))
    raise wrong(at, f"must be a string of JSON, not {kind_of(value)}.")


def _part(fields: Mapping[str, Any], at: str) -> Part | None:
    """One part of a message's content; None if its type is unknown."""
    kind = a_text(fields.get("type"), f"{at}.type")
    read = _PARTS.get(kind)
    return read(fields, at) if read else None


def _text(fields: Mapping[str, Any], at: str) -> Part:
    return Text(a_text(fields.get("text"), f"{at}.text"))


def _refusal(fields: Mapping[str, Any], at: str) -> Part:
    return Text(a_text(fields.get("refusal"), f"{at}.refusal"))


def _thinking(fields: Mapping[str, Any], at: str) -> Part:
    signature = fields.get("signature")
    signature = "" if signature is None else a_text(signature, f"{at}.signature")
    return Reasoning(a_text(fields.get("thinking"), f"{at}.thinking"), signature)


def _reasoning(fields: Mapping[str, Any], at: str) -> Part:
    return Reasoning(a_text(fields.get("text"), f"{at}.text"))


def _file(fields: Mapping[str, Any], at: str) -> Part:
    return file_of(an_object(fields.get("file"), f"{at}.file"), f"{at}.file")


_PARTS: dict[str, Callable[[Mapping[str, Any], str], Part]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "reasoning": _reasoning,
    "image_url": linked("image_url"),
    "input_image": linked("image_url"),
    "audio_url": linked("audio_url"),
    "video_url": linked("video_url"),
    "input_audio": recorded("input_audio", AUDIO_TYPES),
    "input_video": recorded("input_video", VIDEO_TYPES),
    "file": _file,
    "input_file": file_of,
}
