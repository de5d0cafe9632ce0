"""What a client asks of a simulated bot: a query of Poe's protocol 1.2, checked and readable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core import json_text
from poeflask.simulator.media import Media

ROLES = ("system", "user", "bot", "tool")

FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "user_id": (str,),
    "conversation_id": (str,),
    "message_id": (str,),
    "metadata": (str,),
    "api_key": (str,),
    "access_key": (str,),
    "temperature": (int, float, type(None)),
    "skip_system_prompt": (bool,),
    "logit_bias": (dict,),
    "stop_sequences": (list,),
    "language_code": (str,),
    "tools": (list, type(None)),
    "tool_calls": (list, type(None)),
    "tool_results": (list, type(None)),
    "extra_params": (dict, type(None)),
}
"""The fields that a query may have beside version, type and query, and what they may hold."""

MESSAGE_TYPES: dict[str, tuple[type, ...]] = {
    "content": (str,),
    "content_type": (str,),
    "message_type": (str, type(None)),
    "parameters": (dict, type(None)),
    "attachments": (list,),
}


class MalformedQueryError(ValueError):
    """The body is no query; the message says which field is wrong and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message."""

    url: str
    content_type: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the conversation."""

    role: str
    content: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool that the client offers, whichever way it did."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallMade:
    """A call of an earlier round; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave."""

    name: str
    content: str


def nothing_known(url: str) -> Media | None:
    """The file behind a link, where no file is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query and what surrounds it.

    Attributes:
        body: the JSON as it came.
        base_url: where the simulator is reached, without a slash at the end.
        attempt: how often this key has asked this very thing of this bot, this time included.
        file_at: gives the file behind a link of the simulator, None if it is not kept here.
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolOffer, ...] = ()
    tool_calls: tuple[CallMade, ...] = ()
    tool_results: tuple[Result, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    base_url: str = "http://127.0.0.1"
    attempt: int = 1
    file_at: Callable[[str], Media | None] = nothing_known

    @property
    def last(self) -> Message:
        """The user's last message."""
        return self.messages[self.last_position]

    @property
    def last_position(self) -> int:
        """Where the user's last message stands; the last message if no user spoke."""
        users = [n for n, message in enumerate(self.messages) if message.role == "user"]
        return users[-1] if users else len(self.messages) - 1

    @property
    def words(self) -> str:
        """What the user said last."""
        return self.last.content

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of the user's last message."""
        return self.last.parameters

    @property
    def instructions(self) -> str:
        """All that system and user said, in order."""
        return "\n\n".join(m.content for m in self.messages if m.role in {"system", "user"})

    def number(self, name: str, default: float, *, most: float) -> float:
        """A parameter of the last message as a number from 0 to `most`."""
        given = self.parameters.get(name, default)
        try:
            return min(max(float(given), 0.0), most)
        except (TypeError, ValueError):
            return default

    def link(self, media: Media) -> str:
        """Where the file is fetched once it has been published."""
        return self.base_url + media.path


def read_query(body: object) -> Query:
    """The query that a JSON value stands for.

    Raises:
        MalformedQueryError: it is none.
    """
    if not isinstance(body, dict):
        raise MalformedQueryError("The body must be a JSON object.")
    _check_head(body)
    _check_types(body, FIELD_TYPES, "")
    return Query(
        messages=tuple(_message(raw, n) for n, raw in enumerate(body["query"])),
        tools=_each(body, "tools", _offer),
        tool_calls=_each(body, "tool_calls", _call),
        tool_results=_each(body, "tool_results", _result),
        body=body,
    )


def read_results(content: str) -> tuple[Result, ...]:
    """The results in a tool's message; text that is no JSON list is one result."""
    listed = _json_list(content)
    if not listed:
        return (Result("", _plain(content)),)
    return tuple(_result(raw, "content") for raw in listed)


def _check_head(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("version"), str):
        raise MalformedQueryError('Field "version" must be a string such as "1.2".')
    if body.get("type") != "query":
        raise MalformedQueryError('Field "type" must be "query".')
    if not isinstance(body.get("query"), list) or not body["query"]:
        raise MalformedQueryError('Field "query" must be a list with at least one message.')


def _check_types(raw: Mapping[str, Any], types: Mapping[str, tuple[type, ...]], where: str) -> None:
    for name, allowed in types.items():
        if name in raw and not isinstance(raw[name], allowed):
            wanted = " or ".join("null" if t is type(None) else t.__name__ for t in allowed)
            raise MalformedQueryError(f'Field "{where}{name}" must be of type {wanted}.')


def _message(raw: object, position: int) -> Message:
    where = f"query[{position}]"
    if not isinstance(raw, dict):
        raise MalformedQueryError(f'Field "{where}" must be an object.')
    if raw.get("role") not in ROLES:
        raise MalformedQueryError(f'Field "{where}.role" must be one of {", ".join(ROLES)}.')
    if "content" not in raw:
        raise MalformedQueryError(f'Field "{where}.content" is missing.')
    _check_types(raw, MESSAGE_TYPES, where + ".")
    return Message(
        role=raw["role"],
        content=raw["content"],
        parameters=raw.get("parameters") or {},
        attachments=tuple(_attachment(one, where) for one in raw.get("attachments", ())),
    )


def _attachment(raw: object, where: str) -> Attachment:
    needed = ("url", "content_type", "name")
    if not isinstance(raw, dict) or any(not isinstance(raw.get(n), str) for n in needed):
        raise MalformedQueryError(
            f'Each of "{where}.attachments" must have the strings url, content_type and name.'
        )
    return Attachment(url=raw["url"], content_type=raw["content_type"], name=raw["name"])


def _each(body: Mapping[str, Any], name: str, read: Callable[[Any, str], Any]) -> tuple[Any, ...]:
    return tuple(read(raw, f"{name}[{n}]") for n, raw in enumerate(body.get(name) or ()))


def _function(raw: object, where: str) -> Mapping[str, Any]:
    function = raw.get("function") if isinstance(raw, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise MalformedQueryError(f'Field "{where}.function.name" must be a string.')
    return function


def _offer(raw: object, where: str) -> ToolOffer:
    function = _function(raw, where)
    schema = function.get("parameters") or {}
    return ToolOffer(function["name"], str(function.get("description") or ""), schema)


def _call(raw: object, where: str) -> CallMade:
    function = _function(raw, where)
    return CallMade(function["name"], str(function.get("arguments") or ""))


def _result(raw: object, where: str) -> Result:
    if not isinstance(raw, dict) or not isinstance(raw.get("content"), str):
        raise MalformedQueryError(f'Field "{where}.content" must be a string.')
    return Result(str(raw.get("name") or ""), _plain(raw["content"]))


def _plain(content: str) -> str:
    """A result without the JSON quotes that it may have been given in."""
    try:
        value = json_text.read(content)
    except json_text.NotJsonError:
        return content
    return value if isinstance(value, str) else content


def _json_list(content: str) -> list[Any]:
    try:
        value = json_text.read(content)
    except json_text.NotJsonError:
        return []
    return value if isinstance(value, list) else []
