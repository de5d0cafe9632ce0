"""Tool calls for every bot: through Poe's own protocol where the bot takes it, in text elsewhere.

`tools_filter` chooses. `PromptedTools` asks in words and reads the calls out of the text;
`NativeTools` leaves them to the wire, sets right what bots get wrong, and becomes `PromptedTools`
if the bot refuses tools or says nothing at all.

A call that cannot be read is asked for once more, with the exact error. If that fails too, the
client gets the text as it came: half a call never passes for a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.prompt import Message, Part, Prompt, Tool, ToolCall, ToolChoice
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    FinishReason,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    ToolKind,
    Usage,
)
from poeflask.filters import tool_prompt, tool_text
from poeflask.filters.base import Filter
from poeflask.filters.joining import joined
from poeflask.filters.tool_calls.arguments import custom_text
from poeflask.filters.tool_calls.lenient_json import Repair, read_json
from poeflask.filters.tool_calls.parser import Broken, ToolParser
from poeflask.filters.tool_calls.toolbox import Toolbox

ToolMode = Literal["auto", "native", "prompted"]

_REFUSAL_CODE = "unsupported_feature_for_model"
_CUT_OFF: tuple[FinishReason, ...] = ("length", "content_filter")


def tools_filter(
    prompt: Prompt,
    profile: Profile,
    mode: ToolMode = "auto",
    *,
    new_call_id: Callable[[], str],
    repair: Repair = json_text.repaired,
) -> Filter | None:
    """The filter that this prompt needs for its tools; None if it has to do with none.

    Args:
        prompt: as the client asks.
        profile: what is known of the bot.
        mode: "auto" goes by the profile; the others overrule it.
        new_call_id: makes the id of a call; each must be new and hard to guess.
        repair: makes a value of a text that is nearly JSON, or raises ValueError; called with at
            most 64 KiB, for which it may need a second.
    """
    offered = tool_prompt.offered_tools(prompt)
    if not offered and not prompt.tools and not tool_prompt.has_tool_history(prompt):
        return None
    prompted = PromptedTools(
        offered,
        prompt.tool_choice,
        tool_text.mark_of(prompt),
        new_call_id=new_call_id,
        repair=repair,
    )
    is_native = profile.native_tools if mode == "auto" else mode == "native"
    if not offered or not is_native:
        return prompted
    return NativeTools(prompted)


class PromptedTools:
    """Tools in words, for bots that take none.

    Args:
        tools: those that may be called; none if calls are not wanted, and text is left alone.
        choice: what the client wants of the bot.
        mark: the mark of this conversation's tags.
        new_call_id: makes a call's id.
        repair: makes a value of a text that is nearly JSON.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        choice: ToolChoice,
        mark: str,
        *,
        new_call_id: Callable[[], str],
        repair: Repair = json_text.repaired,
    ) -> None:
        self.tools = tuple(tools)
        self.choice = choice
        self.mark = mark
        self._new_call_id = new_call_id
        self._repair = repair
        self._parser = self.parser()
        self._asked: Prompt | None = None
        self._follow_up: Prompt | None = None
        self._answer: list[str] = []
        self._behind: list[ReplyEvent] = []
        self._usage: Usage | None = None
        self._earlier_calls = 0
        self._is_second = False
        self._unread = ""

    def parser(self, position: int = 0) -> ToolParser:
        """A parser for the next answer, whose first call has this number."""
        return ToolParser(
            self.tools,
            self.mark,
            new_call_id=self._new_call_id,
            repair=self._repair,
            parallel=self.choice.parallel,
            position=position,
        )

    def on_prompt(self, prompt: Prompt) -> Prompt:
        self._asked = tool_prompt.as_text(prompt, self.mark)
        return self._asked

    @property
    def follow_up(self) -> Prompt | None:
        return self._follow_up

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        if not self.tools:
            return list(events)
        if self._follow_up is not None:
            self._begin_second()
        out: list[ReplyEvent] = []
        for event in events:
            out += self._fed(event)
            if self._parser.done:
                break
        return joined(out)

    def ask_for_call(self, prompt: Prompt, answer: str, usage: Usage | None) -> None:
        """Take over an answer without the call that was demanded: follow up on it."""
        self._usage = usage
        asked = self.on_prompt(prompt)
        self._ask(tool_prompt.ask_for_call(asked, answer, self.choice, self.mark))

    def take_over(self, prompt: Prompt, usage: Usage | None) -> None:
        """Ask the whole prompt anew, in words, as if nothing had been asked."""
        self._usage = usage
        self._follow_up = self.on_prompt(prompt)

    def _fed(self, event: ReplyEvent) -> list[ReplyEvent]:
        match event:
            case TextDelta():
                return self._read(event.text)
            case Finish() | Failure():
                return self._end(event)
            case Pause():
                return [event]
            case Usage():
                self._usage = event = self._usage + event if self._usage else event
            case ReasoningDelta() if self._is_second:
                return []
        if self._parser.holds:
            self._behind.append(event)
            return []
        return [event]

    def _read(self, text: str) -> list[ReplyEvent]:
        self._answer.append(text)
        out = self._visible(self._parser.feed(text))
        if not self._parser.holds:
            out += self._released()
        if self._parser.done:
            out += [*self._released(), Finish("tool_calls")]
        return out

    def _visible(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        """A second answer's text speaks of the first, which the client never saw: calls count."""
        if not self._is_second:
            return events
        return [event for event in events if not isinstance(event, TextDelta)]

    def _released(self) -> list[ReplyEvent]:
        released, self._behind = self._behind, []
        return released

    def _end(self, end: Finish | Failure) -> list[ReplyEvent]:
        is_cut = isinstance(end, Failure) or end.reason in _CUT_OFF
        out = self._visible(self._parser.end(truncated=is_cut))
        if self._parser.done:
            return [*out, *self._released(), self._finish(end)]
        if self._is_second:
            return [*out, *self._end_second(end)]
        broken = self._parser.broken
        if broken is not None:
            return [*out, *self._end_broken(broken, end, is_cut=is_cut)]
        if not is_cut and not self._parser.calls and self.choice.mode == "required":
            self._ask(tool_prompt.ask_for_call(self._prompt, self._said, self.choice, self.mark))
            return [*out, *self._released()]
        return [*out, *self._released(), self._finish(end)]

    def _end_broken(
        self, broken: Broken, end: Finish | Failure, *, is_cut: bool
    ) -> list[ReplyEvent]:
        if broken.sent:
            return [*self._released(), end if is_cut else _broken_off(broken)]
        if is_cut:
            return [TextDelta(broken.text), *self._released(), end]
        self._unread = broken.text
        self._ask(
            tool_prompt.ask_again(self._prompt, self._said, broken.error, broken.text, self.mark)
        )
        return self._released()

    def _end_second(self, end: Finish | Failure) -> list[ReplyEvent]:
        """Whatever the second answer was, the first one holds where it gave no call."""
        out = self._released()
        broken = self._parser.broken
        if broken is not None and broken.sent:
            return [*out, end if isinstance(end, Failure) else _broken_off(broken)]
        if not self._parser.calls and self._unread:
            out.insert(0, TextDelta(self._unread))
        any_call = self._parser.calls or self._earlier_calls
        return [*out, Finish("tool_calls" if any_call else "stop")]

    def _finish(self, end: Finish | Failure) -> Finish | Failure:
        if isinstance(end, Failure) or end.reason in _CUT_OFF:
            return end
        any_call = self._parser.calls or self._earlier_calls
        return replace(end, reason="tool_calls" if any_call else "stop")

    @property
    def _prompt(self) -> Prompt:
        if self._asked is None:
            raise RuntimeError("on_prompt must be called before feed")
        return self._asked

    @property
    def _said(self) -> str:
        return "".join(self._answer)

    def _ask(self, prompt: Prompt) -> None:
        self._follow_up = prompt
        self._is_second = True

    def _begin_second(self) -> None:
        self._follow_up = None
        self._earlier_calls += self._parser.calls
        self._parser = self.parser(self._earlier_calls)
        self._answer = []


class NativeTools:
    """Tools through Poe's protocol, with what bots get wrong set right.

    Calls that a bot writes as text although it was given tools are read as well, as long as it
    has made no call properly. Custom tools travel as functions with one text.

    Args:
        prompted: what to become if the bot takes no tools after all.
    """

    def __init__(self, prompted: PromptedTools) -> None:
        self._prompted = prompted
        self._is_prompted = False
        self._choice = prompted.choice
        self._toolbox = Toolbox(prompted.tools)
        self._parser = prompted.parser()
        self._prompt: Prompt | None = None
        self._answer: list[str] = []
        self._usage: Usage | None = None
        self._said_something = False
        self._calls: dict[int, _NativeCall] = {}
        self._behind: list[ReplyEvent] = []

    def on_prompt(self, prompt: Prompt) -> Prompt:
        self._prompt = prompt
        return _custom_as_functions(tool_prompt.native(prompt))

    @property
    def follow_up(self) -> Prompt | None:
        return self._prompted.follow_up

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        if self._is_prompted:
            return self._prompted.feed(events)
        out: list[ReplyEvent] = []
        for event in events:
            made = self._fed(event)
            out += made
            if made and isinstance(made[-1], Finish):
                break
        return joined(out)

    def _fed(self, event: ReplyEvent) -> list[ReplyEvent]:
        match event:
            case TextDelta():
                return self._read(event)
            case ToolCallDelta():
                return self._call(event)
            case Finish() | Failure():
                return self._end(event)
            case Pause():
                return [event]
            case Usage():
                self._usage = self._usage + event if self._usage else event
            case ReasoningDelta() | FileEvent():
                self._said_something = True
        if self._parser.holds:
            self._behind.append(event)
            return []
        return [event]

    def _read(self, event: TextDelta) -> list[ReplyEvent]:
        self._answer.append(event.text)
        self._said_something = self._said_something or bool(event.text.strip())
        if self._calls:
            return [event]
        out = self._parser.feed(event.text)
        if not self._parser.holds or self._parser.done:
            out += self._released()
        return [*out, Finish("tool_calls")] if self._parser.done else out

    def _released(self) -> list[ReplyEvent]:
        released, self._behind = self._behind, []
        return released

    def _settled(self, *, truncated: bool) -> list[ReplyEvent]:
        """What the text still holds, once no more of it is read."""
        if self._calls:
            return self._released()
        out = self._parser.end(truncated=truncated)
        broken = self._parser.broken
        if broken is not None and not broken.sent:
            out.append(TextDelta(broken.text))
        return out + self._released()

    def _call(self, event: ToolCallDelta) -> list[ReplyEvent]:
        self._said_something = True
        call = self._calls.get(event.position)
        if call is not None:
            return call.fed(event)
        if not event.name:
            return []
        out = self._settled(truncated=True)
        made = len(self._calls) + self._parser.calls
        if made and not self._choice.parallel:
            return [*out, *self._closed_calls(), Finish("tool_calls")]
        out += self._closed_calls()
        call = _NativeCall(self._toolbox.find(event.name), made)
        self._calls[event.position] = call
        return out + call.fed(event)

    def _closed_calls(self) -> list[ReplyEvent]:
        return [event for call in self._calls.values() for event in call.closed()]

    def _end(self, end: Finish | Failure) -> list[ReplyEvent]:
        if not self._said_something and _refuses_tools(end):
            self._become_prompted()
            return self._released()
        is_cut = isinstance(end, Failure) or end.reason in _CUT_OFF
        out = self._settled(truncated=is_cut)
        broken = self._parser.broken
        if broken is not None and broken.sent and not is_cut:
            return [*out, _broken_off(broken)]
        if is_cut:
            return [*out, end]
        made = bool(self._calls or self._parser.calls)
        if not made and self._choice.mode == "required" and self._prompt is not None:
            self._is_prompted = True
            self._prompted.ask_for_call(self._prompt, "".join(self._answer), self._usage)
            return out
        reason: FinishReason = "tool_calls" if made else "stop"
        return [*out, *self._closed_calls(), Finish(reason)]

    def _become_prompted(self) -> None:
        if self._prompt is None:
            raise RuntimeError("on_prompt must be called before feed")
        self._is_prompted = True
        self._prompted.take_over(self._prompt, self._usage)


class _NativeCall:
    """One call that came through the protocol."""

    def __init__(self, tool: Tool | None, position: int) -> None:
        self._tool = tool
        self._position = position
        self._pieces: list[str] = []
        self._is_custom = tool is not None and tool.kind == "custom"
        self._is_closed = False
        self._is_empty = True

    def fed(self, event: ToolCallDelta) -> list[ReplyEvent]:
        if self._is_closed:
            return []
        name = self._tool.name if event.name and self._tool else event.name
        kind = self._tool.kind if self._tool else event.kind
        event = replace(event, position=self._position, name=name, kind=kind)
        self._is_empty = self._is_empty and not event.arguments.strip()
        if self._is_custom and event.arguments:
            self._pieces.append(event.arguments)
            event = replace(event, arguments="")
        return [event] if event.name or event.arguments else []

    def closed(self) -> list[ReplyEvent]:
        """The last delta, if the call still lacks its arguments; empty ones are an object."""
        if self._is_closed:
            return []
        self._is_closed = True
        if self._is_custom:
            text = _text_of("".join(self._pieces))
            return [self._delta(text)] if text else []
        return [self._delta("{}")] if self._is_empty else []

    def _delta(self, arguments: str) -> ToolCallDelta:
        kind: ToolKind = "custom" if self._is_custom else "function"
        return ToolCallDelta(position=self._position, arguments=arguments, kind=kind)


def _broken_off(broken: Broken) -> Failure:
    return Failure(
        PoeError(
            ErrorKind.WRONG_SHAPE,
            f"The bot's tool call could not be read to its end: {broken.error} Try again.",
        )
    )


def _refuses_tools(end: Finish | Failure) -> bool:
    """Whether an answer without any content means that the bot takes no tools."""
    if isinstance(end, Finish):
        return end.reason not in _CUT_OFF
    error = end.error
    if error.code == _REFUSAL_CODE:
        return True
    return error.kind is ErrorKind.BOT_REJECTED and "tool" in error.message.lower()


def _text_of(arguments: str) -> str:
    try:
        return custom_text(read_json(arguments))
    except ValueError:
        return arguments


def _custom_as_functions(prompt: Prompt) -> Prompt:
    """Poe's protocol knows functions only: a custom tool is one whose argument is a text."""
    if not any(tool.kind == "custom" for tool in prompt.tools):
        return prompt
    tools = tuple(_as_function(tool) for tool in prompt.tools)
    return replace(prompt, tools=tools, messages=tuple(map(_with_function_calls, prompt.messages)))


def _as_function(tool: Tool) -> Tool:
    if tool.kind != "custom":
        return tool
    text = {"type": "string", "description": "The whole text that is given to the tool."}
    if tool.format:
        text["description"] += f" Its format: {json_text.write(dict(tool.format))}"
    schema = {
        "type": "object",
        "properties": {tool_text.CUSTOM_KEY: text},
        "required": [tool_text.CUSTOM_KEY],
    }
    return replace(tool, kind="function", schema=schema, format=None)


def _with_function_calls(message: Message) -> Message:
    return replace(message, parts=tuple(_function_call(part) for part in message.parts))


def _function_call(part: Part) -> Part:
    if not isinstance(part, ToolCall) or part.kind != "custom":
        return part
    arguments = json_text.write({tool_text.CUSTOM_KEY: part.arguments})
    return replace(part, kind="function", arguments=arguments)
