"""Structured output on every bot: the answer is JSON of the asked form, or an honest error.

No bot takes a response format over Poe's protocol, so the form is asked for in words. The whole
text is held back until its end, because only then it can be judged; pauses pass, so that a stream
stays alive. What surrounds the JSON is cut off, and the value is checked by the schema. If it is
wrong, wrong types are put right where the meaning is plain, small faults of the JSON are repaired,
and what is wrong even then is shown to the bot once more with the fault named.

An answer that calls tools is no final answer: its text passes unjudged. So does one that the bot
was stopped in (length, content_filter), unless it is right as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from poeflask.core import json_text
from poeflask.core.coerce import coerce
from poeflask.core.errors import ErrorKind, PoeError
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
from poeflask.filters.json_in_text import broken_json, found, written

if TYPE_CHECKING:
    from poeflask.core.json_schema import JsonSchema

MAX_REPAIR_BYTES = 64 * 1024
"""Repair takes a second for a few hundred KiB; beyond this the bot is asked again instead."""
SCHEMA_PARAM = "response_format.json_schema.schema"


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
        repair: Callable[[str], Any] = json_text.repaired,
        max_repair_bytes: int = MAX_REPAIR_BYTES,
        param: str = SCHEMA_PARAM,
    ) -> None:
        self._format = output_format
        self._schema = _schema(output_format, param)
        self._repair = repair
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
        reading = self._read(may_mend=end.reason == "stop")
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

    def _read(self, *, may_mend: bool) -> _Reading:
        """The largest right JSON in the held text; if none is right, the largest wrong one."""
        wrong: list[_Reading] = []
        for candidates in self._candidates("".join(self._text), may_mend=may_mend):
            readings = [self._judged(*candidate) for candidate in candidates]
            right = [reading for reading in readings if not reading.fault]
            if right:
                return max(right, key=_length)
            wrong += readings
        return max(wrong, key=_length, default=_Reading("", "There is no JSON in it."))

    def _candidates(self, text: str, *, may_mend: bool) -> Iterator[list[tuple[str, Any]]]:
        """What the answer may have been meant as, with less and less trust."""
        as_written = list(found(text))
        yield as_written
        if may_mend:
            yield list(self._fitted(as_written))
            repaired = list(self._repaired(text))
            yield repaired
            yield list(self._fitted(repaired))

    def _fitted(self, candidates: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Those values, made right, in which only types were wrong: "3" for 3, one for a list."""
        if self._schema is None or self._format.schema is None:
            return
        for _, value in candidates:
            made = coerce(value, self._format.schema)
            if _weight(made) >= _weight(value) and not self._fault(made):
                yield written(made), made

    def _judged(self, written: str, value: Any) -> _Reading:
        fault = self._fault(value) or ("" if written else "It holds a number that JSON has not.")
        return _Reading(written, fault)

    def _repaired(self, text: str) -> Iterator[tuple[str, Any]]:
        broken = broken_json(text)
        if not broken or len(broken.encode("utf-8", "surrogatepass")) > self._max_repair_bytes:
            return
        try:
            value = self._repair(broken)
        except json_text.NotJsonError:
            return
        yield written(value), value

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
        match self._usage_before, self._usage:
            case Usage() as first, Usage() as second:
                return (first + second,)
            case first, second:
                return [usage for usage in (first, second) if usage is not None]

    def _wrong_shape(self, fault: str) -> PoeError:
        text = "".join(self._text).strip()
        beginning = f" Its answer began: {text[:200]!r}." if text else " It answered nothing."
        return PoeError(
            ErrorKind.WRONG_SHAPE,
            "The bot was asked twice and gave no answer of the form that was asked for. "
            f"{fault}{beginning}",
            # It was asked twice and paid twice; whether that is worth more is the client's to say.
            allow_retry=False,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The JSON in an answer, as it should be sent, and what is wrong with it."""

    text: str
    fault: str


def _length(reading: _Reading) -> int:
    return len(reading.text)


def _weight(value: Any) -> int:
    """How much a value says: its values, lists and objects counted, nulls left out.

    Coercion may leave out keys that a schema forbids; what they said would be lost in silence.
    """
    weight = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        weight += item is not None
        match item:
            case dict():
                waiting.extend(item.values())
            case list():
                waiting.extend(item)
    return weight


def _schema(output_format: OutputFormat, param: str) -> JsonSchema | None:
    if output_format.kind != "json_schema" or output_format.schema is None:
        return None
    from poeflask.core.json_schema import check_schema

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
