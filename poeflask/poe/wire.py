"""Poe's grammar: a Prompt as a query dict, frames as reply events. Pure; knows no connection.

Source: Poe's protocol specification (creator.poe.com/docs) and the official client, fastapi-poe.
What the protocol cannot say of a Prompt (most of sampling, tool choice, output format, tools that
take free text) is not written: a filter has turned it into something sayable before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import File, Message, Prompt, Role, Text, Tool, ToolCall, ToolResult
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    Replace,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
)
from poeflask.core.sse import Frame
from poeflask.poe import faults
from poeflask.poe.chunks import ChunkReader, whole_number

PROTOCOL_VERSION = "1.2"

_ROLES: dict[Role, str] = {
    "system": "system",
    "user": "user",
    "assistant": "bot",
    "tool": "tool",
}

_HALF = re.compile("[\ud800-\udfff]")

_PLAIN_TEXT = re.compile(r'\{"text": ?"([^"\\\x00-\x1f]*)"\}')
"""Nearly every text event: a text in which nothing is escaped, and nothing beside it."""

_Object = dict[str, Any]


def write_query(prompt: Prompt) -> dict[str, Any]:
    """The prompt as the body of a query.

    Raises:
        ValueError: a file still holds its content or an id instead of a link, or stands in a
            tool's result, where no bot would see it.
    """
    query: _Object = {
        "version": PROTOCOL_VERSION,
        "type": "query",
        "query": _messages(prompt),
        "user_id": "",
        "conversation_id": "",
        "message_id": "",
        "skip_system_prompt": prompt.skip_system_prompt,
        "stop_sequences": list(prompt.limits.stop),
        "logit_bias": dict(prompt.sampling.logit_bias),
        "language_code": "en",
    }
    if prompt.sampling.temperature is not None:
        query["temperature"] = prompt.sampling.temperature
    if prompt.tools:
        query["tools"] = [_tool(tool) for tool in prompt.tools]
    return query


def _messages(prompt: Prompt) -> list[_Object]:
    messages: list[_Object] = []
    results: list[ToolResult] = []
    names: dict[str, str] = {}
    for message in prompt.messages:
        results += [part for part in message.parts if isinstance(part, ToolResult)]
        spoken = list(_spoken(message))
        if spoken and results:
            messages += _results(results, names)
            results = []
        messages += spoken
        calls = (part for part in message.parts if isinstance(part, ToolCall))
        names |= {call.call_id: call.name for call in calls}
    messages += _results(results, names)
    _set_parameters(messages, prompt.parameters)
    return messages


def _spoken(message: Message) -> Iterable[_Object]:
    """The message without its tool results: what was said and shown, then what was called."""
    texts_and_files = [part for part in message.parts if isinstance(part, Text | File)]
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if texts_and_files or not message.parts:
        files = [part for part in texts_and_files if isinstance(part, File)]
        yield _plain(_ROLES[message.role], message.text, files)
    if calls:
        content = json_text.write([_call(call) for call in calls])
        yield {"role": "bot", "message_type": "function_call", "content": content}


def _plain(role: str, text: str, files: Sequence[File]) -> _Object:
    message: _Object = {"role": role, "content": text, "content_type": "text/markdown"}
    if files:
        message["attachments"] = [_attachment(file) for file in files]
    return message


def _attachment(file: File) -> _Object:
    if not file.url:
        raise ValueError(f"the file {file.name!r} must be uploaded before the query is written")
    return {
        "url": file.url,
        "content_type": file.content_type or "application/octet-stream",
        "name": file.name or file.url.rsplit("/", 1)[-1].split("?")[0] or "file",
    }


def _call(call: ToolCall) -> _Object:
    written: _Object = {
        "id": call.call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }
    if call.extra is not None:
        written["extra_content"] = dict(call.extra)
    return written


def _results(results: Sequence[ToolResult], names: Mapping[str, str]) -> list[_Object]:
    """One tool message for all results in a row."""
    if not results:
        return []
    content = json_text.write([_result(result, names) for result in results])
    return [{"role": "tool", "content": content}]


def _result(result: ToolResult, names: Mapping[str, str]) -> _Object:
    if result.files:
        raise ValueError(f"the files of the result {result.call_id!r} must be in a user's turn")
    return {
        "role": "tool",
        "tool_call_id": result.call_id,
        "name": result.name or names.get(result.call_id, ""),
        "content": f"Error: {result.text}" if result.is_error else result.text,
    }


def _set_parameters(messages: Sequence[_Object], parameters: Mapping[str, Any]) -> None:
    """Give the parameters to the last message of the user, where bots look for them."""
    last = next((message for message in reversed(messages) if message["role"] == "user"), None)
    if last is not None and parameters:
        last["parameters"] = dict(parameters)


def _tool(tool: Tool) -> _Object:
    # The protocol's own type of a tool demands both fields of its schema.
    schema = {"type": "object", "properties": {}, **tool.schema}
    function = {"name": tool.name, "description": tool.description, "parameters": schema}
    return {"type": "function", "function": function}


_Piece = TextDelta | ReasoningDelta | ToolCallDelta


class Reader:
    """Makes reply events of the frames of one reply.

    Exactly one Finish or Failure comes, with index 0, and it is last: what is fed after it is
    dropped. Where Poe cut its texts means nothing: those that come together are given as one, and
    empty ones are left out.

    Args:
        on_unknown: told once of each event name that is not known.
        secret: what must not appear in an error's message (the key).
    """

    def __init__(
        self, on_unknown: Callable[[str], None] | None = None, *, secret: str = ""
    ) -> None:
        self._on_unknown = on_unknown
        self._secret = secret
        self._unknown: set[str] = set()
        self._chunks = ChunkReader()
        self._halves: dict[int, _Piece] = {}
        # Texts in a row that were read but not yet said, and the answer that they belong to.
        self._texts: list[str] = []
        self._index = 0
        self._at_start = True
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the end has been given."""
        return self._ended

    @property
    def is_between(self) -> bool:
        """Whether all that was fed has been said: nothing waits for what comes next."""
        return not (self._halves or self._at_start or self._ended)

    def feed(self, frames: Sequence[Frame]) -> list[ReplyEvent]:
        """The events that the next frames stand for."""
        events: list[ReplyEvent] = []
        for frame in frames:
            if self._ended:
                break
            try:
                if frame.name == "text":
                    self._collect(frame, events)
                else:
                    self._say(events)
                    events += map(_readable, self._read(frame))
            except PoeError as error:
                self._say(events)
                events += self.fail(error)
            self._at_start = False
        self._say(events)
        return events

    def _collect(self, frame: Frame, events: list[ReplyEvent]) -> None:
        if plain := _PLAIN_TEXT.fullmatch(frame.data):
            text, index = plain[1], 0
        else:
            data = _object(frame)
            text, index = _string(data, "text", frame), _index(data)
        if index != self._index:
            self._say(events)
            self._index = index
        self._texts.append(text)

    def _say(self, events: list[ReplyEvent]) -> None:
        """Append what the collected texts stand for: all that came in a row, as one."""
        if self._texts:
            text = "".join(self._texts)
            self._texts.clear()
            if text and not self._halves and text.isascii():
                events.append(TextDelta(text, self._index))
                return
            text = _with_whole_characters(text)
            if text and not self._halves and not _is_cut(text):
                events.append(_readable(TextDelta(text, self._index)))
            else:
                events += map(_readable, self._whole(TextDelta(text, self._index)))

    def end(self) -> list[ReplyEvent]:
        """The last events of a reply whose bytes ended, as they should."""
        return self._close(Finish(self._chunks.finish_reason or "stop"))

    def fail(self, error: PoeError) -> list[ReplyEvent]:
        """The last events of a reply that broke off."""
        return self._close(Failure(error))

    def _close(self, end: Finish | Failure) -> list[ReplyEvent]:
        if self._ended:
            return []
        self._ended = True
        usage = self._chunks.usage
        events: list[ReplyEvent] = list(map(_readable, self._halves.values()))
        events += [usage] if usage is not None else []
        events.append(end)
        return events

    def _read(self, frame: Frame) -> Iterable[ReplyEvent]:
        match frame.name:
            case "json":
                return self._json(_object(frame))
            case "ping":
                return (Pause(),)
            case "done":
                return self.end()
            case "replace_response":
                data = _object(frame)
                return self._replace(Replace(_string(data, "text", frame), _index(data)))
            case "file":
                return self._file(frame)
            case "error":
                raise faults.from_event(_object(frame), secret=self._secret)
            case "suggested_reply" | "data":
                return self._note(frame)
            case "meta":
                return self._note(frame) if self._at_start else ()
            case _:
                self._report(frame.name)
                return ()

    def _json(self, data: Mapping[str, Any]) -> list[ReplyEvent]:
        if data.get("error") and not data.get("choices"):
            raise faults.from_event(data, secret=self._secret)
        events: list[ReplyEvent] = []
        for event in self._chunks.read(data, whole_number(data.get("index"))):
            events += self._whole(event)
        return events

    def _file(self, frame: Frame) -> list[ReplyEvent]:
        data = _object(frame)
        inline_ref = data.get("inline_ref")
        event = FileEvent(
            url=_string(data, "url", frame),
            content_type=_string(data, "content_type", frame),
            name=_string(data, "name", frame),
            inline_ref=inline_ref if isinstance(inline_ref, str) else "",
            index=_index(data),
        )
        return [*self._released(event.index), event]

    def _note(self, frame: Frame) -> list[ReplyEvent]:
        data = _object(frame)
        return [Note(frame.name, data, _index(data))]

    def _replace(self, event: Replace) -> list[ReplyEvent]:
        held = self._released(event.index)
        if _is_cut(event.text):
            self._halves[event.index] = TextDelta(event.text[-1], event.index)
            event = replace(event, text=event.text[:-1])
        return [*held, event]

    def _whole(self, event: ReplyEvent) -> list[ReplyEvent]:
        """The event without half a character at its end, behind what was held before it."""
        match event:
            case TextDelta(text) if not text:
                return []
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                return self._joined(event)
            case _:
                return [event]

    def _joined(self, event: _Piece) -> list[ReplyEvent]:
        half = self._halves.get(event.index)
        if half is not None and _continues(event, half):
            event = _with_text(event, _united(_text_of(half), _text_of(event)))
            del self._halves[event.index]
        events = self._released(event.index)
        text = _text_of(event)
        if not _is_cut(text):
            return [*events, event]
        self._halves[event.index] = _tail(event)
        return [*events, *_unless_empty(_with_text(event, text[:-1]))]

    def _released(self, index: int) -> list[ReplyEvent]:
        half = self._halves.pop(index, None)
        return [] if half is None else [half]

    def _report(self, name: str) -> None:
        if self._on_unknown is not None and name not in self._unknown:
            self._unknown.add(name)
            self._on_unknown(name)


def _object(frame: Frame) -> Mapping[str, Any]:
    try:
        data = json_text.read(frame.data)
    except json_text.NotJsonError as error:
        raise _broken(frame, f"its data is no JSON ({error})") from error
    if not isinstance(data, dict):
        raise _broken(frame, "its data is no JSON object")
    return data


def _string(data: Mapping[str, Any], name: str, frame: Frame) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise _broken(frame, f'its "{name}" is no text')
    return value


def _index(data: Mapping[str, Any]) -> int:
    return whole_number(data.get("index")) or 0


def _broken(frame: Frame, why: str) -> PoeError:
    """The bot writes its events wrongly, which another try will not change."""
    message = f'Poe sent a "{frame.name}" event that cannot be read: {why}.'
    return PoeError(ErrorKind.POE_BROKEN, message, allow_retry=False)


def _is_cut(text: str) -> bool:
    """Whether the text ends in the first half of a character that is written as two."""
    return "\ud800" <= text[-1:] <= "\udbff"


def _united(half: str, text: str) -> str:
    """Both texts joined, their meeting halves made one character."""
    if not "\udc00" <= text[:1] <= "\udfff":
        return half + text
    return _with_whole_characters(half + text[0]) + text[1:]


def _with_whole_characters(text: str) -> str:
    """The text with each two halves that meet in it made one character."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _readable(event: ReplyEvent) -> ReplyEvent:
    """The event with U+FFFD for each half of a character that its other half never joined.

    JSON could say a half, but many clients' readers refuse the whole text for it.
    """
    match event:
        case TextDelta() | ReasoningDelta() | Replace():
            return event if _is_utf8(event.text) else replace(event, text=_mended(event.text))
        case ToolCallDelta(arguments=arguments) if not _is_utf8(arguments):
            return replace(event, arguments=_mended(arguments))
        case _:
            return event


def _is_utf8(text: str) -> bool:
    return text.isascii() or _HALF.search(text) is None


def _mended(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _continues(event: _Piece, half: _Piece) -> bool:
    match event, half:
        case ToolCallDelta(), ToolCallDelta():
            return event.position == half.position
        case _:
            return type(event) is type(half)


def _text_of(piece: _Piece) -> str:
    return piece.arguments if isinstance(piece, ToolCallDelta) else piece.text


def _with_text(piece: _Piece, text: str) -> _Piece:
    if isinstance(piece, ToolCallDelta):
        return replace(piece, arguments=text)
    return replace(piece, text=text)


def _tail(piece: _Piece) -> _Piece:
    half = _text_of(piece)[-1]
    if isinstance(piece, ToolCallDelta):
        return ToolCallDelta(position=piece.position, arguments=half, index=piece.index)
    return replace(piece, text=half)


def _unless_empty(piece: _Piece) -> list[ReplyEvent]:
    is_opening = isinstance(piece, ToolCallDelta) and bool(piece.name)
    return [piece] if _text_of(piece) or is_opening else []
