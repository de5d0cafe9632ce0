"""Looks on while an answer comes, and tells the ledger, the metrics and the log how it went.

What happens for each batch of events is as little as can be: a look at the clock, a count of
letters. All that costs more waits for the end.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gevent
from flask import Flask, Response

from poeflask.bridge import Answer, Batch, Watch
from poeflask.core.caller import Caller
from poeflask.core.client_names import client_name
from poeflask.core.errors import ErrorKind
from poeflask.core.ledger_row import OK, LedgerRow
from poeflask.core.points import estimate
from poeflask.core.prompt import File, Prompt
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
from poeflask.filters.chain import Wants
from poeflask.log_lines import get_logger
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.ledger import Ledger
from poeflask.stores.recordings import MOST_LETTERS, Recording, Recordings, text_of
from poeflask.web.current import current_request, kept
from poeflask.web.live import Live, LiveAnswer
from poeflask.web.logging import Line, shown
from poeflask.web.metrics import GAP_BOUNDS_S, Metrics
from poeflask.web.watching import together

_log = get_logger("poeflask")

_LETTERS_PER_TOKEN = 4
"""About; where nothing was counted because the answer broke off."""

_SILENT_DIALECTS = frozenset(
    {"home", "models", "files", "refused", "health", "metrics", "reference", "admin"}
)
"""Endpoints that ask no bot: what they refuse is no request for an answer."""

OWN = "own-"
"""How the ids of keys begin that were not given out here."""

_NO_USAGE = Usage(exact=True)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An answer that is about to be asked for.

    Attributes:
        wants: what to ask the bridge for.
        watch: who looks on.
        meter: one of them.
    """

    wants: Wants
    watch: Watch
    meter: Meter


class Metering:
    """Makes a meter for each answer, and takes from it what the ledger and the metrics want.

    Args:
        ledger: where rows go; None if none is kept.
        recordings: texts of keys that are recorded.
        live: the answers that are being given.
        metrics: the numbers.
        points_per_usd: how many points a US dollar of Poe's prices is.
        beside: begin other work of a worker, each in a greenlet of its own.
        told: hears of each answer's row, and of the `traceparent` that its client sent.
        close: called when the worker ends.
        connections: how many connections to Poe are idle and how many are not.
        clock: seconds since 1970.
        monotonic: seconds that only go on.
    """

    def __init__(
        self,
        *,
        ledger: Ledger | None,
        recordings: Recordings,
        live: Live,
        metrics: Metrics,
        points_per_usd: float,
        connections: Callable[[], tuple[int, int]] = lambda: (0, 0),
        beside: Sequence[Callable[[], gevent.Greenlet]] = (),
        told: Callable[[LedgerRow, str], None] | None = None,
        close: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = ledger
        self.recordings = recordings
        self.live = live
        self.metrics = metrics
        self._points_per_usd = points_per_usd
        self._connections = connections
        self._beside = beside
        self._told = told
        self._close_others = close
        self._clock = clock
        self._monotonic = monotonic
        self._settling: set[gevent.Greenlet] = set()
        self._working: list[gevent.Greenlet] = []

    def watched(
        self, caller: Caller, prompts: Sequence[Prompt], wants: Wants, catalogue: ShownCatalogue
    ) -> Watched:
        """What to ask the bridge for, and who looks on. `opened` is to be called next."""
        about = self._about(caller, prompts, catalogue)
        recorder = Recorder(prompts) if self.recordings.wants(about.key_id) else None
        meter = Meter(about, lambda meter: self._over(meter, recorder), self._monotonic)
        about.line.facts = meter.facts
        counted = self.ledger is not None or wants.usage
        return Watched(
            wants=wants if wants.usage == counted else replace(wants, usage=counted),
            watch=together([meter, recorder]) or meter,
            meter=meter,
        )

    def opened(self, meter: Meter, answer: Answer) -> None:
        """The answer is being given."""
        kept().metered = True
        meter.answer = answer
        meter.live_id = self.live.add(meter)
        self.metrics.began()

    def refused(self, caller: Caller, outcome: str) -> None:
        """Write down that the current request was refused before any bot was asked.

        Only for keys that were given out here: anybody can make up another, and could fill the
        ledger with it.
        """
        if self.ledger is None or not caller.key_id:
            return
        about = self._about(caller, (), None)
        line = about.line
        self.ledger.add(
            LedgerRow(
                id=self.ledger.new_id(about.time_s),
                time_s=about.time_s,
                request_id=line.request_id,
                key_id=about.key_id,
                key_name=about.key_name,
                asked=about.asked,
                bot=about.bot,
                dialect=about.dialect,
                total_s=round(self._monotonic() - about.began_s, 4),
                outcome=outcome,
                client=about.client,
            )
        )

    def begin_work(self) -> None:
        """A worker begins: look now and then how it fares, and do what is to be done beside."""
        self._working = [gevent.spawn(self._look_around), *(begin() for begin in self._beside)]

    def end_work(self) -> None:
        """The worker ends: write down what waits."""
        gevent.killall(self._working, block=False)
        gevent.joinall(list(self._settling), timeout=_SETTLE_S)
        if self.ledger is not None:
            self.ledger.flush()
        self._close_others()

    def _about(
        self, caller: Caller, prompts: Sequence[Prompt], catalogue: ShownCatalogue | None
    ) -> About:
        key_id = caller.key_id or own_id(caller.owner)
        request, known = current_request(), kept()
        environ = request.environ
        name = prompts[0].bot if prompts else known.get("model", "")
        bot = catalogue.find(name) if catalogue is not None else None
        return About(
            line=known.line,
            time_s=known.began,
            began_s=self._monotonic() - (self._clock() - known.began),
            key_id=key_id,
            key_name=caller.key_name or key_id,
            asked=shown(known.get("asked", ""))[:_NAME_LETTERS],
            bot=shown(name)[:_NAME_LETTERS],
            dialect=request.blueprint or "",
            client=client_name(environ.get("HTTP_USER_AGENT", "")),
            replies=len(prompts),
            tools=len(prompts[0].tools) if prompts else 0,
            files_in=sum(map(_files_in, prompts)),
            listed=bot is not None,
            pricing=None if bot is None else bot.pricing,
            traceparent=environ.get("HTTP_TRACEPARENT", "")[:_NAME_LETTERS],
        )

    def _over(self, meter: Meter, recorder: Recorder | None) -> None:
        answer, meter.answer = meter.answer, None
        self.live.discard(meter.live_id)
        if meter.usage is not None or not meter.has_output or self.ledger is None:
            self._close(meter, recorder, _NO_USAGE)
            return
        counts = [] if answer is None else list(answer.prompt_tokens.values())
        settling = gevent.spawn(self._settle, meter, recorder, counts)
        self._settling.add(settling)
        settling.link(self._settling.discard)

    def _settle(
        self, meter: Meter, recorder: Recorder | None, counts: Sequence[Callable[[], int]]
    ) -> None:
        """Say what an answer that broke off has cost, as well as can be."""
        prompt = sum(count() for count in counts)
        guessed = Usage(prompt_tokens=prompt, completion_tokens=meter.guessed_completion())
        self._close(meter, recorder, guessed)

    def _close(self, meter: Meter, recorder: Recorder | None, usage: Usage) -> None:
        about, ledger = meter.about, self.ledger
        row_id = ledger.new_id(about.time_s) if ledger is not None else ""
        row = meter.row(row_id, usage, self._points_per_usd)
        model = self.metrics.model(about.bot, listed=about.listed)
        self.metrics.answered(row, model, meter.gaps, meter.gaps_s)
        if self._told is not None:
            gevent.spawn(self._told, row, about.traceparent)
        # A key that Poe does not know may be anybody's invention.
        if ledger is not None and row.outcome != ErrorKind.BAD_KEY.value:
            ledger.add(row)
        if recorder is not None:
            gevent.spawn(self.recordings.keep, _recording(row, recorder))

    def _look_around(self) -> None:
        """The body of the greenlet that measures how late it wakes up."""
        while True:
            idle, busy = self._connections()
            self.metrics.look_around(idle=idle, busy=busy)
            for _ in range(_LOOKS_PER_ROUND):
                slept_s = self._monotonic()
                gevent.sleep(_LOOK_S)
                self.metrics.lagged(max(0.0, self._monotonic() - slept_s - _LOOK_S))


_SETTLE_S = 1.0
_LOOK_S = 0.5
_LOOKS_PER_ROUND = 10
_NAME_LETTERS = 100


def install(app: Flask, metering: Metering) -> None:
    """Let the app's requests be counted, and those that are refused be written down."""
    app.extensions["poeflask.metering"] = metering

    def look(response: Response) -> Response:
        if response.status_code < 400:
            return response
        request, now = current_request(), kept()
        caller = now.get("caller")
        asks = request.method == "POST" and request.blueprint not in _SILENT_DIALECTS
        if asks and caller is not None and "metered" not in now:
            metering.refused(caller, now.line.outcome)
        return response

    app.after_request(look)


def own_id(owner: str) -> str:
    """Stands for the id of a key that was not given out here."""
    return f"{OWN}{owner[:8]}"


def _files_in(prompt: Prompt) -> int:
    return sum(isinstance(part, File) for message in prompt.messages for part in message.parts)


def _recording(row: LedgerRow, recorder: Recorder) -> Recording:
    return Recording(
        row_id=row.id,
        time_s=row.time_s,
        key_id=row.key_id,
        key_name=row.key_name,
        bot=row.bot,
        outcome=row.outcome,
        prompt=recorder.prompt,
        answer=recorder.text,
    )


def _rounded(moment_s: float | None, began_s: float) -> float | None:
    return None if moment_s is None else round(moment_s - began_s, 4)
