"""The conversation of a Gemini request: its contents to our messages, read in one walk.

Calls and their results may have no ids; then a result belongs to the oldest call of its name that
has none yet, and ids are made that are the same whenever the same conversation is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
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
from poeflask.endpoints.call_arguments import as_text
from poeflask.endpoints.gemini.schema import MAX_PARTS, camel
from poeflask.endpoints.inline_files import file_from_data, file_from_url
from poeflask.endpoints.shapes import (
    a_name,
    a_text,
    an_array,
    an_object,
    handed_on,
    one_of,
    shown,
    wrong,
)

_ROLES: dict[str, Role] = {
    "user": "user",
    "model": "assistant",
    "assistant": "assistant",
    "function": "user",
    "tool": "user",
    "system": "system",
}

_SIGNED = "thought_signature"

_WITHOUT_MEANING = frozenset(
    {"thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution"}
)
"""Fields that only say something about the part they stand in."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages, and the paths of the parts that were left out."""

    messages: tuple[Message, ...]
    left_out: tuple[str, ...]


def read_contents(contents: list[Any], system: object = None) -> Conversation:
    """The conversation that a request holds, in its order, behind its system instruction.

    Raises:
        ClientError: kind INVALID_REQUEST, for the first thing that is wrong.
    """
    reader = _Reader()
    messages: list[Message] = []
    if system is not None:
        messages.extend(reader.system(system))
    for index, content in enumerate(contents):
        messages.extend(reader.content(content, f"contents[{index}]"))
    return Conversation(_with_whole_answers(messages), tuple(reader.left_out))


class _Reader:
    """Reads contents in order; remembers the calls that have no result yet."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self._unanswered: list[ToolCall] = []
        self._made_ids = 0

    def system(self, value: object) -> list[Message]:
        """The system instruction: a content, or simply its text."""
        if isinstance(value, str):
            return [Message("system", (Text(value),))] if value else []
        fields = _fields(value, "systemInstruction")
        parts = self._parts(fields.get("parts"), "systemInstruction.parts")
        return [Message("system", tuple(parts))] if parts else []

    def content(self, value: object, at: str) -> list[Message]:
        """The messages that one content is: each result is one of its own."""
        fields = _fields(value, at)
        role = fields.get("role") or "user"
        if not isinstance(role, str) or role not in _ROLES:
            raise wrong(f"{at}.role", f"must be {one_of(_ROLES)}, not {shown(role)}.")
        parts = self._parts(fields.get("parts"), f"{at}.parts")
        messages = [Message("tool", (part,)) for part in parts if isinstance(part, ToolResult)]
        rest = tuple(part for part in parts if not isinstance(part, ToolResult))
        return [*messages, Message(_ROLES[role], rest)] if rest or not messages else messages

    def _parts(self, value: object, at: str) -> list[Part]:
        if isinstance(value, dict):
            value = [value]
        parts: list[Part] = []
        for index, item in enumerate(an_array(value, at, MAX_PARTS)):
            path = f"{at}[{index}]"
            part = self._part(_fields(item, path), path)
            if part is not None and part != Text(""):
                parts.append(part)
        return parts

    def _part(self, fields: Mapping[str, Any], at: str) -> Part | None:
        match fields:
            case {"text": text}:
                said = a_text(text, f"{at}.text")
                return Reasoning(said) if fields.get("thought") is True else Text(said)
            case {"functionCall": call}:
                return self._call(call, fields.get("thoughtSignature"), f"{at}.functionCall")
            case {"functionResponse": response}:
                return self._result(response, f"{at}.functionResponse")
            case {"executableCode": code}:
                return Text(_fenced(_of(code, "code", f"{at}.executableCode")))
            case {"codeExecutionResult": result}:
                return Text(_fenced(_of(result, "output", f"{at}.codeExecutionResult")))
        return self._other(fields, at)

    def _other(self, fields: Mapping[str, Any], at: str) -> Part | None:
        """A file; None for what is not known, which is left out and named."""
        file = _file(fields, at)
        if file is None and fields.keys() - _WITHOUT_MEANING:
            self.left_out.append(at)
        return file

    def _call(self, value: object, signature: object, at: str) -> ToolCall:
        fields = an_object(value, at)
        call_id = fields.get("id")
        signed = {"google": {_SIGNED: signature}} if isinstance(signature, str) else None
        call = ToolCall(
            call_id=a_text(call_id, f"{at}.id") if call_id else self._new_id(),
            name=a_name(fields.get("name"), f"{at}.name"),
            arguments=as_text(fields.get("args"), f"{at}.args"),
            extra=signed,
        )
        self._unanswered.append(call)
        return call

    def _result(self, value: object, at: str) -> ToolResult:
        fields = _fields(value, at)
        name = a_name(fields.get("name"), f"{at}.name")
        call_id = a_text(fields.get("id") or "", f"{at}.id")
        response = fields.get("response")
        response = {} if response is None else handed_on(response, f"{at}.response")
        parts = an_array(fields.get("parts") or [], f"{at}.parts", MAX_PARTS)
        files = [_file_in(part, f"{at}.parts[{index}]") for index, part in enumerate(parts)]
        return ToolResult(
            call_id=self._answered(call_id, name),
            text=_told(response),
            name=name,
            is_error=response.keys() == {"error"},
            files=tuple(file for file in files if file is not None),
        )

    def _answered(self, call_id: str, name: str) -> str:
        """The id of the call that a result belongs to, by its id or its name."""
        for position, call in enumerate(self._unanswered):
            if call.call_id == call_id if call_id else call.name == name:
                return self._unanswered.pop(position).call_id
        return call_id or self._new_id()

    def _new_id(self) -> str:
        self._made_ids += 1
        return f"call_old_{self._made_ids}"


def _fields(value: object, at: str) -> dict[str, Any]:
    """The fields of an object in camel case; one that is null was not sent."""
    named = camel(an_object(value, at))
    return {name: field for name, field in named.items() if field is not None}


def _with_whole_answers(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages with what the model said at one go in one: clients send a stream's pieces."""
    whole: list[Message] = []
    for role, run in groupby(messages, key=lambda message: message.role):
        if role == "assistant":
            parts = (part for message in run for part in message.parts)
            whole.append(Message("assistant", _joined(parts)))
        else:
            whole.extend(run)
    return tuple(whole)


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring texts as one, and thoughts too."""
    joined: list[Part] = []
    for kind, run in groupby(parts, key=type):
        if kind in (Text, Reasoning):
            text = "".join(part.text for part in run if isinstance(part, Text | Reasoning))
            joined.append(kind(text))
        else:
            joined.extend(run)
    return tuple(joined)


def _file(fields: Mapping[str, Any], at: str) -> File | None:
    """The file that a part holds, as data or as a link; None if it holds none."""
    match fields:
        case {"inlineData": value}:
            blob = _fields(value, f"{at}.inlineData")
            kind, name = _type_and_name(blob, f"{at}.inlineData")
            return file_from_data(blob.get("data"), f"{at}.inlineData.data", kind, name)
        case {"fileData": value}:
            link = _fields(value, f"{at}.fileData")
            _, name = _type_and_name(link, f"{at}.fileData")
            return file_from_url(link.get("fileUri"), f"{at}.fileData.fileUri", name)
    return None


def _file_in(part: object, at: str) -> File | None:
    return _file(_fields(part, at), at)


def _type_and_name(fields: Mapping[str, Any], at: str) -> tuple[str, str]:
    kind, name = fields.get("mimeType"), fields.get("displayName")
    kind = "" if kind is None else a_text(kind, f"{at}.mimeType")
    return kind, "" if name is None else a_text(name, f"{at}.displayName")


def _of(value: object, field: str, at: str) -> str:
    return a_text(an_object(value, at).get(field, ""), f"{at}.{field}")


def _fenced(code: str) -> str:
    return f"\n```\n{code}\n```\n"


def _told(response: Mapping[str, Any]) -> str:
    """What a function gave: the text in its only field, or else the whole as JSON."""
    match list(response.values()):
        case [str() as text] if response.keys() & {"output", "result", "error"}:
            return text
    return json_text.write(response)
