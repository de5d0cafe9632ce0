"""Structured output on every bot: the answer is JSON of the asked form, or an honest error.

No bot takes a response format over Poe's protocol, so the form is asked for in words. The whole
text is held back until its end, because only then it can be judged; pauses pass, so that a stream
stays alive. What surrounds the JSON is cut off, small faults are repaired, the value is checked by
the schema, and a wrong answer is shown to the bot once more with the fault named.

An answer that calls tools is no final answer: its text passes unjudged. So does one that the bot
was stopped in (length, content_filter), unless it is right as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from json import JSONDecoder
from typing import Any

import json_repair

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.json_schema import JsonSchema, check_schema
from poeflask.core.prompt import Message, OutputFormat, Prompt, Text
from poeflask.core.reply import (
    Failure,
    Finish,
    Replace,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)

MAX_REPAIR_BYTES = 64 * 1024
"""Repair takes a second for a few hundred KiB; beyond this the bot is asked again instead."""
SCHEMA_PARAM = "response_format.json_schema.schema"

_MAX_STARTS = 64
"""How many brackets in a text are tried as the beginning of its JSON."""
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*(.*)")
_OUTER_FENCE = re.compile(r"\A(?:`{3,}|~{3,})[^\n`{\[]*|\s*(?:`{3,}|~{3,})\Z")
_BRACKET = re.compile(r"[{\[]")
_BEGINNING = re.compile(
    r"\{\s*(?:[\"'“”}]|//|/\*|[A-Za-z_$][\w$-]*\s*:)|\[\s*(?:[\[{\"'“”\]]|-?\d)"
)
"""A bracket that begins JSON, perhaps broken; not one in prose, such as {name} or [see below]."""
_LENIENT = JSONDecoder(strict=False)


class Structured:
    """Holds an answer to the output format that its prompt asks for.

    Args:
        output_format: the form; its kind is "json_object" or "json_schema".
        repair: makes a value of nearly right JSON, or raises NotJsonError; called with at most
            `max_repair_bytes` of text. It computes for up to a second, so a server hands in one
            that does so beside its event loop.
        max_repair_bytes: a longer text is not repaired.
        param: the request's field that holds the schema, for error messages.

    Raises:
        ClientError: kind INVALID_REQUEST, naming `param`, if the schema cannot be used.
    """

    def __init__(
        self,
        output_format: OutputFormat,
        *,
        repair: Callable[[str], Any] | None = None,
        max_repair_bytes: int = MAX_REPAIR_BYTES,
        param: str = SCHEMA_PARAM,
    ) -> None:
        self._format = output_format
        self._schema = _schema(output_format, param)
        self._repair = repair or repaired
        self._max_repair_bytes = max_repair_bytes
        self._prompt: Prompt | None = None
        self._follow_up: Prompt | None = None
        self._asked_again = False
        self._text: list[str] = []
        self._calls_tools = False
        self._usage: Usage | None = None
        self._usage_before: Usage | None = None

    def on_prompt(self, prompt: Prompt) -> Prompt:
        instruction = _instruction(self._format, self._schema, with_tools=bool(prompt.tools))
        asking = replace(
            prompt,
            messages=_with_last_words(prompt.messages, instruction),
            output_format=OutputFormat(),
        )
        self._prompt = asking
        return asking

    @property
    def follow_up(self) -> Prompt | None:
        return self._follow_up

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        given: list[ReplyEvent] = []
        for event in events:
            self._follow_up = None
            given.extend(self._take(event))
        return given

    def _take(self, event: ReplyEvent) -> Sequence[ReplyEvent]:
        match event:
            case TextDelta() if not self._calls_tools:
                self._text.append(event.text)
                return ()
            case Replace() if not self._calls_tools:
                self._text[:] = [event.text]
                return ()
            case ToolCallDelta():
                self._calls_tools = True
                return (*self._held_text(), event)
            case Usage():
                self._usage = event
                return ()
            case Finish():
                return self._settle(event)
            case Failure():
                return (*self._held_text(), *self._spent(), event)
            case _:
                return (event,)

    def _settle(self, end: Finish) -> Sequence[ReplyEvent]:
        if self._calls_tools:
            return (*self._spent(), end)
        reading = self._read(may_repair=end.reason == "stop")
        if not reading.fault:
            return (TextDelta(reading.text), *self._spent(), end)
        if end.reason != "stop":
            return (*self._held_text(), *self._spent(), end)
        if self._asked_again or self._prompt is None:
            return (*self._spent(), Failure(self._wrong_shape(reading.fault)))
        self._ask_again(self._prompt, reading.fault)
        return ()

    def _ask_again(self, prompt: Prompt, fault: str) -> None:
        answer = "".join(self._text).strip()
        shown = (Message("assistant", (Text(answer),)),) if answer else ()
        correction = Message("user", (Text(_correction(fault)),))
        self._follow_up = replace(prompt, messages=(*prompt.messages, *shown, correction))
        self._asked_again = True
        self._text.clear()
        self._usage_before, self._usage = self._usage, None

    def _read(self, *, may_repair: bool) -> _Reading:
        """The largest right JSON in the held text; if none is right, the largest wrong one."""
        text = "".join(self._text)
        readings = [self._judged(*candidate) for candidate in found(text)]
        right = [reading for reading in readings if not reading.fault]
        if not right and may_repair:
            readings += [self._judged(*candidate) for candidate in self._repaired(text)]
            right = [reading for reading in readings if not reading.fault]
        nothing = _Reading("", "There is no JSON in it.")
        return max(right or readings, key=lambda reading: len(reading.text), default=nothing)

    def _judged(self, written: str, value: Any) -> _Reading:
        fault = self._fault(value) or ("" if written else "It holds a number that JSON has not.")
        return _Reading(written, fault)

    def _repaired(self, text: str) -> Iterator[tuple[str, Any]]:
        broken = _broken_json(text)
        if not broken or len(broken.encode("utf-8", "surrogatepass")) > self._max_repair_bytes:
            return
        try:
            value = self._repair(broken)
        except json_text.NotJsonError:
            return
        yield _written(value), value

    def _fault(self, value: Any) -> str:
        if self._schema is not None:
            return self._schema.fault(value)
        return "" if isinstance(value, dict) else "It is not a JSON object."

    def _held_text(self) -> Sequence[ReplyEvent]:
        text = "".join(self._text)
        self._text.clear()
        return (TextDelta(text),) if text else ()

    def _spent(self) -> Sequence[ReplyEvent]:
        """The tokens of both answers, as one event; none if no one counted them."""
        counted = [usage for usage in (self._usage_before, self._usage) if usage is not None]
        match counted:
            case [first, second]:
                return (_sum(first, second),)
            case _:
                return counted

    def _wrong_shape(self, fault: str) -> PoeError:
        text = "".join(self._text).strip()
        beginning = f" Its answer began: {text[:200]!r}." if text else " It answered nothing."
        return PoeError(
            ErrorKind.WRONG_SHAPE,
            f"The bot was asked twice and gave no answer of the form that response_format asks "
            f"for. {fault}{beginning}",
            # It was asked twice and paid twice; whether that is worth more is the client's to say.
            allow_retry=False,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The JSON in an answer, as it should be sent, and what is wrong with it."""

    text: str
    fault: str


def repaired(text: str) -> Any:
    """The value that a nearly right JSON text was meant to stand for.

    Raises:
        NotJsonError: nothing can be made of it.
    """
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError) as error:
        raise json_text.NotJsonError("it cannot be repaired") from error


def found(text: str) -> Iterator[tuple[str, Any]]:
    """Every JSON value that stands in an answer, each with its JSON text.

    The text is as the bot wrote it, or written anew if that is no strict JSON (raw line breaks in
    strings). Looked at are the whole answer, a JSON text in a JSON string, fenced blocks, and what
    stands between words; never a part of a larger value, also if that is broken.
    """
    whole = text.strip().removeprefix("\ufeff")
    for written, value in _whole(whole):
        yield written, value
        if isinstance(value, str):
            yield from _whole(value.strip())
        return
    for block in _fenced(whole):
        yield from _whole(block)
    yield from _between_words(whole)


def _whole(text: str) -> Iterator[tuple[str, Any]]:
    value, end = _decoded(text, 0)
    if end and end == len(text):
        yield _as_written(text, value), value


def _fenced(text: str) -> Iterator[str]:
    """What stands in each closed code fence."""
    opened = ""
    lines: list[str] = []
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if not opened:
            opened = mark[1] if mark else ""
        elif mark and mark[1].startswith(opened) and not mark[2]:
            yield "\n".join(lines).strip()
            opened = ""
            lines.clear()
        else:
            lines.append(line)


def _between_words(text: str) -> Iterator[tuple[str, Any]]:
    position = 0
    for _ in range(_MAX_STARTS):
        start = _BRACKET.search(text, position)
        if start is None:
            return
        value, end = _decoded(text, start.start())
        if value:
            yield _as_written(text[start.start() : end], value), value
        if not end and _BEGINNING.match(text, start.start()):
            return
        position = end or start.end()


def _decoded(text: str, start: int) -> tuple[Any, int]:
    """The value at a place and where it ends; that is 0 if there is none."""
    try:
        return _LENIENT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, 0


def _as_written(text: str, value: Any) -> str:
    try:
        json_text.read(text)
        text.encode("utf-8")
    except (json_text.NotJsonError, UnicodeEncodeError):
        return _written(value)
    return text


def _written(value: Any) -> str:
    """The value as compact JSON; empty if JSON has no word for it, such as infinity."""
    try:
        text = json_text.write(value)
        json_text.read(text)
    except (ValueError, TypeError, RecursionError):
        return ""
    return text


def _broken_json(text: str) -> str:
    """The part of an answer that was meant as JSON; empty if there is none, or if it breaks off.

    What stops in the middle is not repaired: closing it would hide that something is missing.
    """
    for block in (*_fenced(text), _OUTER_FENCE.sub("", text.strip())):
        start = _BEGINNING.search(block)
        if start and _closes(block[start.start() :]):
            return block[start.start() :]
    return ""


def _closes(text: str) -> bool:
    opened = text.count("{") + text.count("[")
    return text.rstrip().endswith(("}", "]")) and text.count("}") + text.count("]") >= opened


def _schema(output_format: OutputFormat, param: str) -> JsonSchema | None:
    if output_format.kind != "json_schema" or output_format.schema is None:
        return None
    return check_schema(output_format.schema, param)


def _instruction(
    output_format: OutputFormat, schema: JsonSchema | None, *, with_tools: bool
) -> str:
    when = "When you give your final answer and call no tool, answer" if with_tools else "Answer"
    alone = "and nothing else: no words before or after it, no code fence, no comments"
    if schema is None:
        return f'{when} with one JSON object {alone}. For example: {{"key":"value"}}'
    about = f" ({output_format.description})" if output_format.description else ""
    named = f" named {output_format.name!r}" if output_format.name else ""
    return (
        f"{when} with one JSON value {alone}. It must be valid against the JSON Schema{named}"
        f"{about} below; give the data itself, not the schema.\n{schema.text}"
    )


def _correction(fault: str) -> str:
    return (
        f"Your last answer is not of the form that was asked for. {fault}\n"
        "Give the whole answer again, corrected: JSON only, without any other words."
    )


def _with_last_words(messages: tuple[Message, ...], words: str) -> tuple[Message, ...]:
    """The messages with a text at the end of the last user turn, or as a new one if none is."""
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.role == "user":
            longer = replace(message, parts=(*message.parts, Text(words)))
            return (*messages[:place], longer, *messages[place + 1 :])
    return (*messages, Message("user", (Text(words),)))


def _sum(first: Usage, second: Usage) -> Usage:
    return Usage(
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        completion_tokens=first.completion_tokens + second.completion_tokens,
        reasoning_tokens=first.reasoning_tokens + second.reasoning_tokens,
        cached_tokens=first.cached_tokens + second.cached_tokens,
        exact=first.exact and second.exact,
    )
