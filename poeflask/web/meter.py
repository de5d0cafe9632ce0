"""Who looks on while an answer comes: counts what it brings, and keeps its text if that is wanted.

What happens for each batch of events is as little as can be: a look at the clock, a count of
letters. All that costs more waits for the end.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.bridge import Answer, Batch
from poeflask.core.errors import ErrorKind
from poeflask.core.ledger_row import OK, LedgerRow
from poeflask.core.points import estimate
from poeflask.core.prompt import Prompt
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.stores.recordings import MOST_LETTERS, text_of
from poeflask.web.live import LiveAnswer
from poeflask.web.logging import Line
from poeflask.web.metrics import GAP_BOUNDS_S

_LETTERS_PER_TOKEN = 4
"""About; where nothing was counted because the answer broke off."""


@dataclass(slots=True, kw_only=True)
class About:
    """What is known of a request before anything is answered.

    An answer may last for minutes, and a prompt may hold a whole book: it is not kept here.

    Attributes:
        line: what the log will say of it.
        time_s, began_s: when it came, in seconds since 1970 and as `time.monotonic` says it.
        replies: how many are asked for; 0 if no bot is asked.
        tools, files_in: how many tools a prompt offers, and how many files all prompts hold.
        listed: whether Poe lists the bot.
        pricing: the bot's prices, as Poe gives them.
        traceparent: the client's own span, if it told of one.
    """

    line: Line
    time_s: float
    began_s: float
    key_id: str
    key_name: str
    asked: str
    bot: str
    dialect: str
    client: str
    replies: int = 0
    tools: int = 0
    files_in: int = 0
    listed: bool = False
    pricing: Mapping[str, Any] | None = None
    traceparent: str = ""


class Meter:
    """One answer's onlooker: counts while it comes, and gives the sum when it is over.

    Args:
        about: what was asked.
        over: called once, when nothing of the answer comes any more; may not wait.
        clock: seconds that only go on.

    Attributes:
        answer: what is being given; None before it is opened and when it is over.
        live_id: the id by which it can be stopped.
    """

    __slots__ = (
        *("about", "answer", "live_id", "gaps", "gaps_s", "usage", "_over", "_clock", "_last_s"),
        *("_first_s", "_end_s", "_letters", "_calls", "_files", "_finished", "_failed"),
    )

    def __init__(
        self,
        about: About,
        over: Callable[[Meter], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.about = about
        self.answer: Answer | None = None
        self.live_id = ""
        self.gaps = [0] * (len(GAP_BOUNDS_S) + 1)
        self.gaps_s = 0.0
        self.usage: Usage | None = None
        self._over = over
        self._clock = clock
        self._last_s = about.began_s
        self._first_s: float | None = None
        self._end_s: float | None = None
        self._letters = 0
        self._calls = 0
        self._files = 0
        self._finished = 0
        self._failed = ""

    def saw(self, index: int, batch: Batch) -> None:
        """Count what came; see `Watch`."""
        now_s = self._clock()
        if self._first_s is not None and not index:
            self._saw_gap(now_s)
        self._last_s = now_s
        for event in batch:
            kind = type(event)
            if kind is TextDelta or kind is ReasoningDelta:
                self._letters += len(event.text)  # type: ignore[union-attr] # as the line above says
            elif kind is not Pause:
                self._saw_other(event)
        if self._first_s is None and self.has_output:
            self._first_s = now_s

    def heard(self, text: str) -> None:
        """Count a text of an answer that has begun; see `Watch`."""
        now_s = self._clock()
        self._saw_gap(now_s)
        self._last_s = now_s
        self._letters += len(text)

    def ended(self) -> None:
        """Nothing more comes; see `Watch`."""
        self._end_s = self._clock()
        self._over(self)

    @property
    def has_output(self) -> bool:
        """Whether anything of an answer has come."""
        return bool(self._letters or self._calls or self._files)

    @property
    def outcome(self) -> str:
        """How it went, as far as it has."""
        if self._failed:
            return self._failed
        if self._finished >= self.about.replies or self._end_s is None:
            return self.about.line.outcome
        # Somebody let go of the answer before its end: who, only the request knows.
        said = self.about.line.outcome
        return ErrorKind.CLIENT_GONE.value if said == OK else said

    def live(self, live_id: str, now_s: float) -> LiveAnswer:
        """How the answer stands."""
        about = self.about
        return LiveAnswer(
            id=live_id,
            request_id=about.line.request_id,
            since_s=about.time_s,
            key_id=about.key_id,
            key_name=about.key_name,
            bot=about.bot,
            dialect=about.dialect,
            client=about.client,
            tokens=self._letters // _LETTERS_PER_TOKEN,
            silent_s=round(max(0.0, now_s - self._last_s), 1),
        )

    def row(self, row_id: str, usage: Usage, points_per_usd: float) -> LedgerRow:
        """The row of the ledger.

        Args:
            row_id: its id.
            usage: the tokens, if none were told with the answer.
            points_per_usd: how many points a US dollar of Poe's prices is.
        """
        about, used = self.about, self.usage or usage
        points = estimate(
            about.pricing or {},
            prompt=used.prompt_tokens,
            completion=used.completion_tokens,
            cached=used.cached_tokens,
            points_per_usd=points_per_usd,
        )
        spent = points if used.prompt_tokens else None
        return LedgerRow(
            id=row_id,
            time_s=about.time_s,
            request_id=about.line.request_id,
            key_id=about.key_id,
            key_name=about.key_name,
            asked=about.asked,
            bot=about.bot,
            dialect=about.dialect,
            streamed=about.line.streamed,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            reasoning_tokens=used.reasoning_tokens,
            cached_tokens=used.cached_tokens,
            exact=used.exact,
            points=spent,
            points_estimated=spent is not None,
            first_token_s=_rounded(self._first_s, about.began_s),
            total_s=round((self._end_s or self._last_s) - about.began_s, 4),
            outcome=self.outcome,
            client=about.client,
            replies=about.replies,
            tools=about.tools,
            tool_calls=self._calls,
            files_in=about.files_in,
            files_out=self._files,
        )

    def facts(self) -> dict[str, object]:
        """What the log says of the answer."""
        used, about = self.usage, self.about
        first_s = _rounded(self._first_s, about.began_s)
        return {
            "key_name": about.key_name,
            "asked": about.asked,
            "bot": about.bot,
            "client": about.client,
            "prompt_tokens": used and used.prompt_tokens,
            "completion_tokens": used and used.completion_tokens,
            "first_token_ms": None if first_s is None else round(first_s * 1000),
        }

    def guessed_completion(self) -> int:
        """About how many tokens came, if nobody counted them."""
        return -(-self._letters // _LETTERS_PER_TOKEN)

    def _saw_gap(self, now_s: float) -> None:
        gap_s = now_s - self._last_s
        self.gaps[bisect_left(GAP_BOUNDS_S, gap_s)] += 1
        self.gaps_s += gap_s

    def _saw_other(self, event: ReplyEvent) -> None:
        match event:
            case ToolCallDelta():
                self._letters += len(event.arguments)
                self._calls += bool(event.call_id)
            case FileEvent():
                self._files += 1
            case Usage():
                self.usage = event if self.usage is None else self.usage + event
            case Finish():
                self._finished += 1
            case Failure():
                self._failed = self._failed or event.error.kind.value
            case _:
                pass


class Recorder:
    """Keeps what is recorded of an answer, for a key whose owner wants that.

    Attributes:
        prompt: the end of what was asked.
    """

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        # Several answers to the same prompt share it.
        different = {id(one): one for one in prompts}.values()
        self.prompt = "\n\n".join(map(text_of, different))[-MOST_LETTERS:]
        self._pieces: list[str] = []
        self._letters = 0

    @property
    def text(self) -> str:
        """The beginning of what came."""
        return "".join(self._pieces)

    def saw(self, index: int, batch: Batch) -> None:
        """Take the texts; see `Watch`."""
        for event in batch:
            if isinstance(event, TextDelta):
                self.heard(event.text)

    def heard(self, text: str) -> None:
        """Take a text; see `Watch`."""
        if self._letters < MOST_LETTERS:
            self._pieces.append(text)
            self._letters += len(text)

    def ended(self) -> None:
        """Whoever made this asks for the text."""


def _rounded(moment_s: float | None, began_s: float) -> float | None:
    return None if moment_s is None else round(moment_s - began_s, 4)
