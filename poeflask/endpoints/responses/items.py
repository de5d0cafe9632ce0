"""Items of a Responses conversation as messages, read and checked in one walk.

Items stand one by one where messages stand together: what the assistant said, thought and called
in a row is one message of ours. What nobody here knows is left out and named, never refused, since
clients send back whatever another server once gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.core import json_text
from poeflask.core.errors import ClientError, ErrorKind
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
from poeflask.core.reply import ToolKind
from poeflask.endpoints.file_parts import AUDIO_TYPES, file_of, linked, recorded
from poeflask.endpoints.responses import local_tools
from poeflask.endpoints.responses.tools import flat_name
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

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What items say.

    Attributes:
        messages: the conversation.
        left_out: the paths of the items and parts that were left out.
        tools: arrays of tools that stand among the items, each with its path.
    """

    messages: tuple[Message, ...]
    left_out: tuple[str, ...]
    tools: tuple[tuple[Sequence[Any], str], ...]


def read_items(
    history: Sequence[Item], items: Sequence[Any], references: Mapping[str, Item]
) -> Conversation:
    """The conversation that items hold, in their order.

    Args:
        history: what was said before the request; what is left out of it is not named again.
        items: the request's own.
        references: the items that `item_reference` may mean, by id.

    Raises:
        ClientError: kind INVALID_REQUEST for the first thing that is wrong, NOT_FOUND for a
            reference to an item that is not there.
    """
    reader = _Reader(references)
    for index, item in enumerate(history):
        reader.read(item, f"history[{index}]")
    reader.left_out.clear()
    for index, item in enumerate(items):
        reader.read(item, f"input[{index}]")
    return Conversation(
        messages=reader.messages(),
        left_out=tuple(reader.left_out),
        tools=tuple(reader.tools),
    )


class _Reader:
    """Reads items in order; remembers which call had which name."""

    def __init__(self, references: Mapping[str, Item]) -> None:
        self.left_out: list[str] = []
        self.tools: list[tuple[Sequence[Any], str]] = []
        self._references = references
        self._said: list[tuple[Role, list[Part]]] = []
        self._name_by_call: dict[str, str] = {}
        self._readers: Mapping[str, Callable[[Item, str], None]] = {
            "message": self._message,
            "reasoning": self._reasoning,
            "function_call": self._function_call,
            "custom_tool_call": self._custom_call,
            "function_call_output": self._result,
            "custom_tool_call_output": self._result,
            "item_reference": self._reference,
            "additional_tools": self._more_tools,
            "tool_search_output": self._more_tools,
            **dict.fromkeys(local_tools.BY_CALL, self._local_call),
            **dict.fromkeys(local_tools.BY_RESULT, self._result),
        }

    def messages(self) -> tuple[Message, ...]:
        return tuple(Message(role, tuple(parts)) for role, parts in self._said)

    def read(self, value: object, at: str) -> None:
        fields = an_object(value, at)
        kind = fields.get("type")
        if kind is None:
            kind = "message" if "role" in fields or "content" in fields else "item_reference"
        read = self._readers.get(a_text(kind, f"{at}.type"))
        if read is None:
            self.left_out.append(at)
            return
        read(fields, at)

    def _say(self, role: Role, parts: list[Part]) -> None:
        """Add parts to what the assistant is saying, or begin another message."""
        if role == "assistant" and self._said and self._said[-1][0] == "assistant":
            self._said[-1][1].extend(parts)
        else:
            self._said.append((role, parts))

    def _message(self, fields: Item, at: str) -> None:
        role = _role(fields.get("role"), f"{at}.role")
        content = fields.get("content")
        if content is None and role == "assistant":
            content = []
        self._say(role, self._content(content, f"{at}.content"))

    def _content(self, content: object, at: str) -> list[Part]:
        match content:
            case str():
                return [Text(content)] if content else []
            case list():
                return self._parts(content, at)
            case None:
                raise wrong(at, "is missing: it must be a string or an array of parts.")
        raise wrong(at, f"must be a string or an array of parts, not {kind_of(content)}.")

    def _parts(self, content: list[Any], at: str) -> list[Part]:
        parts: list[Part] = []
        for index, value in enumerate(an_array(content, at, MAX_PARTS)):
            path = f"{at}[{index}]"
            fields = an_object(value, path)
            read = _PARTS.get(a_text(fields.get("type"), f"{path}.type"))
            if read is None:
                self.left_out.append(path)
                continue
            part = read(fields, path)
            if part != Text(""):
                parts.append(part)
        return parts

    def _reasoning(self, fields: Item, at: str) -> None:
        """Thoughts that can be read; what is encrypted was encrypted by somebody else."""
        pieces = [
            a_text(an_object(piece, f"{at}.{name}[{index}]").get("text"), f"{at}.{name}[{index}]")
            for name in ("summary", "content")
            for index, piece in enumerate(an_array(fields.get(name) or [], f"{at}.{name}", 1_000))
        ]
        if any(pieces):
            self._say("assistant", [Reasoning("\n\n".join(filter(None, pieces)))])

    def _function_call(self, fields: Item, at: str) -> None:
        self._call(fields, _arguments(fields.get("arguments"), f"{at}.arguments"), "function", at)

    def _custom_call(self, fields: Item, at: str) -> None:
        self._call(fields, a_text(fields.get("input"), f"{at}.input"), "custom", at)

    def _call(self, fields: Item, arguments: str, kind: ToolKind, at: str) -> None:
        name = a_name(fields.get("name"), f"{at}.name")
        namespace = fields.get("namespace")
        name = flat_name("" if namespace is None else a_text(namespace, f"{at}.namespace"), name)
        self._add_call(_call_id(fields, at), name, arguments, kind)

    def _add_call(self, call_id: str, name: str, arguments: str, kind: ToolKind) -> None:
        self._name_by_call[call_id] = name
        call = ToolCall(call_id=call_id, name=name, arguments=arguments, kind=kind)
        self._say("assistant", [call])

    def _local_call(self, fields: Item, at: str) -> None:
        tool = local_tools.BY_CALL[fields["type"]]
        action = handed_on(fields.get(tool.place), f"{at}.{tool.place}")
        self._add_call(_call_id(fields, at), tool.name, json_text.write(action), "function")

    def _result(self, fields: Item, at: str) -> None:
        call_id = self._answered_call(fields, at)
        parts = self._output(fields.get("output"), f"{at}.output")
        result = ToolResult(
            call_id=call_id,
            name=self._name_by_call.get(call_id, ""),
            text="\n\n".join(part.text for part in parts if isinstance(part, Text)),
            is_error=fields.get("status") == "failed",
            files=tuple(part for part in parts if isinstance(part, File)),
        )
        self._said.append(("tool", [result]))

    def _answered_call(self, fields: Item, at: str) -> str:
        """The id of the call that a result belongs to: if it names none, that of the last call."""
        if fields.get("call_id") is not None:
            return a_name(fields["call_id"], f"{at}.call_id")
        if not self._name_by_call:
            raise wrong(f"{at}.call_id", "is missing: it must be the id of the call it answers.")
        return next(reversed(self._name_by_call))

    def _output(self, output: object, at: str) -> list[Part]:
        match output:
            case None:
                return []
            case list() if all(_is_part(value) for value in output):
                return self._parts(output, at)
            case list() | dict():
                return [Text(json_text.write(handed_on({"output": output}, at)["output"]))]
        return [Text(a_text(output, at))]

    def _reference(self, fields: Item, at: str) -> None:
        item_id = a_name(fields.get("id"), f"{at}.id")
        item = self._references.get(item_id)
        if item is None:
            raise ClientError(
                ErrorKind.NOT_FOUND,
                f"'{at}.id' names the item {shown(item_id)}, which is not kept here. Items of "
                "responses that were made with 'store': false must be sent whole.",
                param=f"{at}.id",
            )
        self.read(item, at)

    def _more_tools(self, fields: Item, at: str) -> None:
        tools = fields.get("tools")
        if isinstance(tools, list):
            self.tools.append((tools, f"{at}.tools"))


def _role(role: object, at: str) -> Role:
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is not None:
        return known
    if role is None:
        raise wrong(at, f"is missing: it must be {one_of(_ROLES)}.")
    raise wrong(at, f"must be {one_of(_ROLES)}, not {shown(role)}.")


def _call_id(fields: Item, at: str) -> str:
    """The id by which a call is answered; the item's own if the client left that out."""
    call_id = fields.get("call_id")
    return a_name(fields.get("id") if call_id is None else call_id, f"{at}.call_id")


def _arguments(value: object, at: str) -> str:
    match value:
        case None | "":
            return "{}"
        case dict():
            return json_text.write(handed_on(value, at))
    return a_text(value, at)


def _is_part(value: object) -> bool:
    return isinstance(value, dict) and value.get("type") in _PARTS


def _text(fields: Item, at: str) -> Part:
    return Text(a_text(fields.get("text"), f"{at}.text"))


def _refusal(fields: Item, at: str) -> Part:
    return Text(a_text(fields.get("refusal"), f"{at}.refusal"))


_PARTS: Mapping[str, Callable[[Item, str], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "summary_text": _text,
    "refusal": _refusal,
    "input_image": linked("image_url"),
    "image_url": linked("image_url"),
    "input_file": file_of,
    "input_audio": recorded("input_audio", AUDIO_TYPES),
}
