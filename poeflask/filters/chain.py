"""The filters of one answer, in series. Their order is written here, once, with its reason.

    0 progress      sees what replacements swallow
    1 replacements  from here on text is only added
    2 files         needs text and files together
    3 reasoning     a tool call inside thinking is not a call
    4 tools         the rest may hold calls
    5 structured    what remains must be JSON
    6 limits        stop sequences and length look at the visible answer
    7 usage         counts what the client really sees

Replies run 0 to 7, prompts 7 to 0. A filter takes part only if the prompt and the profile need it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from poeflask.core.profile import Profile
from poeflask.core.prompt import Prompt
from poeflask.core.reply import END, Pause, ReplyEvent, TextDelta, renumbered
from poeflask.filters.base import Filter
from poeflask.filters.files import files_filter
from poeflask.filters.limits import LimitsFilter
from poeflask.filters.parameters import Parameters
from poeflask.filters.progress import Progress
from poeflask.filters.reasoning import ReasoningFilter
from poeflask.filters.replacements import Replacements
from poeflask.filters.reply_side import ReplySide
from poeflask.filters.structured import Structured
from poeflask.filters.tools import tools_maker
from poeflask.filters.usage import UsageFilter

MakeFilters = Callable[[], list[Filter]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What a dialect wants of an answer.

    Attributes:
        usage: tokens are counted.
        files_as_text: files become links in the text, for dialects that have no other place.
        progress: Notes tell how far the bot has come.
    """

    usage: bool = True
    files_as_text: bool = True
    progress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Aids:
    """What filters need done that is neither free of chance nor cheap.

    Attributes:
        count: the number of tokens of a text.
        count_prompt: gives, when asked for its result, the number of tokens of a prompt.
        repair: the value that a broken JSON text most likely stands for.
        new_call_id: an id for a tool call.
        tools_mode: "native" or "prompted" for all bots, or "auto" for what each can.
    """

    count: Callable[[str], int]
    count_prompt: Callable[[Prompt], Callable[[], int]]
    repair: Callable[[str], Any]
    new_call_id: Callable[[], str]
    tools_mode: Literal["auto", "native", "prompted"] = "auto"


def chain_for(prompt: Prompt, profile: Profile, wants: Wants, aids: Aids) -> Chain:
    """The chain that this prompt to this bot needs. It keeps of the prompt only what it must."""
    prompt_tokens = aids.count_prompt(prompt) if wants.usage else None
    output_format, limits = prompt.output_format, prompt.limits
    make_tools = tools_maker(
        prompt,
        profile,
        aids.tools_mode if profile.tools_mode == "auto" else profile.tools_mode,
        new_call_id=aids.new_call_id,
        repair=aids.repair,
    )

    def text_filters() -> list[Filter]:
        filters: list[Filter] = [
            Replacements(buffered=profile.buffered),
            files_filter(as_text=wants.files_as_text),
        ]
        if profile.thinking_marks != "none":
            filters.append(ReasoningFilter(profile.thinking_marks))
        return filters

    def filters() -> list[Filter]:
        chain: list[Filter] = [Parameters(profile)]
        if wants.progress:
            chain.append(Progress())
        chain += text_filters()
        if make_tools is not None:
            chain.append(make_tools())
        if output_format.kind != "text":
            chain.append(Structured(output_format, repair=aids.repair))
        if limits.stop or limits.max_tokens is not None:
            chain.append(
                LimitsFilter(stop=limits.stop, max_tokens=limits.max_tokens, count=aids.count)
            )
        if prompt_tokens is not None:
            chain.append(UsageFilter(prompt_tokens, aids.count))
        return chain

    return Chain(filters, text_filters, prompt_tokens)


class Chain:
    """All filters of one answer, as one.

    Args:
        make: gives the filters of a new answer in the order of replies.
        make_parallel: gives those of a further answer to the same prompt, which a bot may send
            under an index of its own; they may not ask again.
        prompt_tokens: gives the number of tokens of the prompt; None if they are not counted.

    Attributes:
        ended: whether the answer has.
    """

    def __init__(
        self,
        make: MakeFilters,
        make_parallel: MakeFilters,
        prompt_tokens: Callable[[], int] | None = None,
    ) -> None:
        self.prompt_tokens = prompt_tokens
        self._make = make
        self._make_parallel = make_parallel
        self._filters = make()
        self._gates = self._gates_left()
        # How many filters the text that comes next has already passed.
        self._passed = 0
        self._parallel: dict[int, Chain] = {}
        self.ended = False

    def on_prompt(self, prompt: Prompt) -> Prompt:
        """The prompt as the bot should get it."""
        return _ask(self._filters, prompt)

    def passes(self, text: str) -> bool:
        """Whether no filter changes this text of the first answer, as none does with nearly all.

        If so, it is dealt with and goes to the client as it is; if not, it must be fed next.
        Takes no time worth speaking of and never waits.
        """
        if self._parallel or self.ended:
            return False
        for place, passes in self._gates:
            if place < self._passed:
                continue
            if not passes(text):
                self._passed = place
                return False
        self._passed = 0
        return True

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        """What the client should see of these events; empty once the answer has ended.

        Ends every parallel answer too when the first one ends, each with the same end, so that the
        events of each index end exactly once.
        """
        text = _only_text(events)
        if text and self.passes(text):
            return list(events)
        if self.ended:
            return []
        if self._parallel or any(not isinstance(event, Pause) and event.index for event in events):
            return self._feed_parallel(events)
        return self._feed_first(events)

    def follow_up(self) -> Prompt | None:
        """After the end: the prompt whose reply is to be fed next, or None if this was all.

        The filters before the one that asks begin anew, as for any answer.
        """
        if self.ended:
            return None
        for position, filter_ in enumerate(self._filters):
            asked = filter_.follow_up
            if asked is not None:
                self._filters[:position] = self._make()[:position]
                self._gates = self._gates_left()
                return _ask(self._filters[:position], asked)
        return None

    def _gates_left(self) -> list[tuple[int, Callable[[str], bool]]]:
        """The filters that may want a text, by their places; one that has settled never will."""
        gates = enumerate(map(_gate, self._filters))
        return [(place, gate) for place, gate in gates if gate is not None]

    def _feed_first(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        # Nothing is asked of a Pause but that it comes, so that no filter needs to see the last.
        paused = bool(events) and isinstance(events[-1], Pause)
        batch = list(events[:-1] if paused else events)
        passed, self._passed = self._passed, 0
        for filter_ in self._filters[passed:]:
            batch = _until_end(filter_.feed(batch))
        self._gates = self._gates_left()
        self.ended = bool(batch) and isinstance(batch[-1], END)
        if paused and not self.ended:
            batch.append(events[-1])
        return batch

    def _feed_parallel(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        for event in events:
            index = 0 if isinstance(event, Pause) else event.index
            if index:
                out += self._feed_other(index, event)
                continue
            given = self._feed_first([event])
            if self.ended:
                for other in sorted(self._parallel):
                    out += self._feed_other(other, renumbered(given[-1], other))
            out += given
            if self.ended:
                break
        return out

    def _feed_other(self, index: int, event: ReplyEvent) -> list[ReplyEvent]:
        if index not in self._parallel:
            self._parallel[index] = Chain(self._make_parallel, self._make_parallel)
        given = self._parallel[index].feed([renumbered(event, 0)])
        return [renumbered(one, index) for one in given]


def _ask(filters: Sequence[Filter], prompt: Prompt) -> Prompt:
    for filter_ in reversed(filters):
        prompt = filter_.on_prompt(prompt)
    return prompt


def _gate(filter_: Filter) -> Callable[[str], bool] | None:
    """What tells whether a text passes the filter; None: each does from now on."""
    if not isinstance(filter_, ReplySide):
        return _never
    return None if filter_.settled else filter_.passes


def _never(_text: str) -> bool:
    return False


def _only_text(events: Sequence[ReplyEvent]) -> str:
    """The text of the first answer that these events are, if they are nothing else."""
    if not events or len(events) > 2 or type(events[-1]) is not Pause:
        return ""
    first = events[0]
    return first.text if type(first) is TextDelta and not first.index else ""


def _until_end(events: list[ReplyEvent]) -> list[ReplyEvent]:
    """The events up to the first end: what a filter ends early is over."""
    for position, event in enumerate(events):
        if isinstance(event, END):
            return events[: position + 1]
    return events
