"""Gives each answer a meter, and tells the ledger and the metrics how it went."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import gevent
from flask import Flask, Response

from poeflask.bridge import Answer, Watch
from poeflask.core.caller import Caller
from poeflask.core.client_names import client_name
from poeflask.core.errors import ErrorKind
from poeflask.core.ledger_row import LedgerRow
from poeflask.core.prompt import File, Prompt
from poeflask.core.reply import Usage
from poeflask.filters.chain import Wants
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.ledger import Ledger
from poeflask.stores.recordings import Recording, Recordings
from poeflask.web.current import current_request, kept
from poeflask.web.live import Live
from poeflask.web.logging import shown
from poeflask.web.meter import About, Meter, Recorder
from poeflask.web.metrics import Metrics
from poeflask.web.watching import together

_SILENT_DIALECTS = frozenset(
    {"home", "models", "files", "refused", "health", "metrics", "reference", "admin"}
)
"""Endpoints that ask no bot: what they refuse is no request for an answer."""

OWN = "own-"
"""How the ids of keys begin that were not given out here."""

_NO_USAGE = Usage(exact=True)


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
        self._pending: set[gevent.Greenlet] = set()
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
        """The worker ends: wait a little for what its answers left to be done; write the rows."""
        gevent.killall(self._working, block=False)
        with gevent.Timeout(_SETTLE_S, False):
            # What is settled leaves more to be done.
            while pending := [one for one in self._pending if not one.dead]:
                gevent.joinall(pending)
        if self.ledger is not None:
            self.ledger.close()
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
        self._begin(self._settle, meter, recorder, counts)

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        """Do what may wait in a greenlet of its own, which only the worker's end waits for."""
        begun = gevent.spawn(work, *arguments)
        self._pending.add(begun)
        begun.link(self._pending.discard)

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
            self._begin(self._told, row, about.traceparent)
        # A key that Poe does not know may be anybody's invention.
        if ledger is not None and row.outcome != ErrorKind.BAD_KEY.value:
            ledger.add(row)
        if recorder is not None:
            self._begin(self.recordings.keep, _recording(row, recorder))

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
