"""Tools through Poe's own protocol, for bots that take them, with what bots get wrong set right.

Poe's protocol knows functions only: a custom tool travels as one whose argument is a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind
from poeflask.core.prompt import Message, Part, Prompt, Tool, ToolCall
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
from poeflask.filters.joining import joined
from poeflask.filters.prompted_tools import PromptedTools, broken_off, is_cut
from poeflask.filters.tool_calls.arguments import custom_text
from poeflask.filters.tool_calls.lenient_json import read_json
from poeflask.filters.tool_calls.toolbox import Toolbox

_REFUSAL_CODE = "unsupported_feature_for_model"


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
        self._open: list[_NativeCall] = []
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
        if self._said_something and self._choice.mode != "required":
            # Nothing can be asked again any more, and it may hold a whole book.
            self._prompt = None
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
        waits = not all(call.is_whole() for call in self._open)
        if not waits:
            out += self._closed_calls()
        call = _NativeCall(self._toolbox.find(event.name), made, waits=waits)
        self._calls[event.position] = call
        self._open.append(call)
        return out + call.fed(event)

    def _closed_calls(self) -> list[ReplyEvent]:
        closed, self._open = self._open, []
        return [event for call in closed for event in call.closed()]

    def _waiting_calls(self) -> list[ReplyEvent]:
        return [event for call in self._open for event in call.released()]

    def _end(self, end: Finish | Failure) -> list[ReplyEvent]:
        if not self._said_something and _refuses_tools(end):
            self._become_prompted()
            return self._released()
        cut = is_cut(end)
        out = self._settled(truncated=cut)
        broken = self._parser.broken
        if broken is not None and broken.sent and not cut:
            return [*out, broken_off(broken)]
        if cut:
            return [*out, *self._waiting_calls(), end]
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
    """One call that came through the protocol.

    Args:
        tool: the tool that is meant; None if it is not among those offered.
        position: which call of the answer this is.
        waits: a call before it is not whole. Bots may write several calls at once, in turns;
            clients are told of one after the other.
    """

    def __init__(self, tool: Tool | None, position: int, *, waits: bool = False) -> None:
        self._tool = tool
        self._position = position
        self._waits = waits
        self._waiting: list[ReplyEvent] = []
        self._pieces: list[str] = []
        self._pieces_read = 0
        self._is_whole = False
        self._is_custom = tool is not None and tool.kind == "custom"
        self._is_closed = False

    def fed(self, event: ToolCallDelta) -> list[ReplyEvent]:
        """What of the next piece may be told now."""
        if self._is_closed:
            return []
        name = self._tool.name if event.name and self._tool else event.name
        kind = self._tool.kind if self._tool else event.kind
        event = replace(event, position=self._position, name=name, kind=kind)
        self._pieces.append(event.arguments)
        if self._is_custom:
            event = replace(event, arguments="")
        given: list[ReplyEvent] = [event] if event.name or event.arguments else []
        if not self._waits:
            return given
        self._waiting += given
        return []

    def is_whole(self) -> bool:
        """Whether all its arguments have come, as far as they tell.

        They are not read again before more of them has come.
        """
        if self._pieces_read != len(self._pieces):
            self._pieces_read = len(self._pieces)
            self._is_whole = self._is_json()
        return self._is_whole

    def _is_json(self) -> bool:
        try:
            json_text.read("".join(self._pieces))
        except json_text.NotJsonError:
            return False
        return True

    def released(self) -> list[ReplyEvent]:
        """What has waited."""
        self._waits = False
        waiting, self._waiting = self._waiting, []
        return waiting

    def closed(self) -> list[ReplyEvent]:
        """What has waited, and the last delta if the call still lacks its arguments."""
        if self._is_closed:
            return []
        self._is_closed = True
        return [*self.released(), *self._last()]

    def _last(self) -> list[ReplyEvent]:
        arguments = "".join(self._pieces)
        if self._is_custom:
            text = _text_of(arguments)
            return [self._delta(text)] if text else []
        return [] if arguments.strip() else [self._delta("{}")]

    def _delta(self, arguments: str) -> ToolCallDelta:
        kind: ToolKind = "custom" if self._is_custom else "function"
        return ToolCallDelta(position=self._position, arguments=arguments, kind=kind)


def _refuses_tools(end: Finish | Failure) -> bool:
    """Whether an answer without any content means that the bot takes no tools."""
    if isinstance(end, Finish):
        return not is_cut(end)
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
