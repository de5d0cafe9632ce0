"""Tools in words, for bots that take none: asked for in the prompt, read out of the text.

A call that cannot be read is asked for once more, with the exact error; so is one that was demanded
and did not come. If that fails too, the client gets the text as it came: half a call never passes
for a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import Prompt, Tool, ToolChoice
from poeflask.core.reply import (
    Failure,
    Finish,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    Usage,
)
from poeflask.filters import tool_prompt
from poeflask.filters.joining import joined
from poeflask.filters.tool_calls.lenient_json import Repair
from poeflask.filters.tool_calls.parser import Broken, ToolParser


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
        repair: Repair,
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
        asked = tool_prompt.as_text(prompt, self.mark)
        # Without tools nothing is ever asked again.
        self._asked = asked if self.tools else None
        return asked

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
        cut = is_cut(end)
        out = self._visible(self._parser.end(truncated=cut))
        if self._parser.done:
            return [*out, *self._released(), self._finish(end)]
        if self._is_second:
            return [*out, *self._end_second(end)]
        broken = self._parser.broken
        if broken is not None:
            return [*out, *self._end_broken(broken, end, cut=cut)]
        if not cut and not self._parser.calls and self.choice.mode == "required":
            self._ask(tool_prompt.ask_for_call(self._prompt, self._said, self.choice, self.mark))
            return [*out, *self._released()]
        return [*out, *self._released(), self._finish(end)]

    def _end_broken(self, broken: Broken, end: Finish | Failure, *, cut: bool) -> list[ReplyEvent]:
        if broken.sent:
            return [*self._released(), end if cut else broken_off(broken)]
        if cut:
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
            return [*out, end if isinstance(end, Failure) else broken_off(broken)]
        if not self._parser.calls and self._unread:
            out.insert(0, TextDelta(self._unread))
        any_call = self._parser.calls or self._earlier_calls
        return [*out, Finish("tool_calls" if any_call else "stop")]

    def _finish(self, end: Finish | Failure) -> Finish | Failure:
        if isinstance(end, Failure) or is_cut(end):
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


def is_cut(end: Finish | Failure) -> bool:
    """Whether an answer ended before the bot was done, so that nothing in it may be completed."""
    return isinstance(end, Failure) or end.reason in ("length", "content_filter")


def broken_off(broken: Broken) -> Failure:
    """The end of an answer whose call broke when its beginning had been sent."""
    return Failure(
        PoeError(
            ErrorKind.WRONG_SHAPE,
            f"The bot's tool call could not be read to its end: {broken.error} Try again.",
        )
    )
