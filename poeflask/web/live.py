"""The answers that are being given now, by all workers, and a way to stop one.

About once a second, while it has any, each worker looks whether somebody wants one of its own
stopped, and writes them all down if somebody has lately asked to see them: for hundreds of answers
that is work. What a dead worker wrote comes to its end by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Protocol

import gevent

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, OwnError, PoeflaskError
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store, StoreUnavailable

_log = get_logger(__name__)

_NAME = "live:1"
_EVERY_S = 1.0
_KEPT_S = 5.0
_STOP_KEPT_S = 60.0
_LOOKED = f"{_NAME}/looked"
_LOOKED_KEPT_S = 10.0
_FIRST_LOOK_S = 1.25
"""How long all workers need to hear that somebody looks, and to write."""

_MOST_SHOWN = 500
"""Answers of one worker that are written down; a worker can give thousands at a time."""

_MOST_WORKERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAnswer:
    """An answer while it comes, as it was at most a second ago.

    Attributes:
        id: what `stop` is called with.
        request_id: as in the log.
        since_s: when it was asked for, in seconds since 1970.
        tokens: about how many the answer has so far.
        silent_s: for how long nothing has come from the bot.
    """

    id: str
    request_id: str
    since_s: float
    key_id: str
    key_name: str
    bot: str
    dialect: str
    client: str
    tokens: int
    silent_s: float


class Cancellable(Protocol):
    """What can be stopped: an answer of the bridge's."""

    def cancel(self, error: PoeflaskError) -> None:
        """End it with this error. Never blocks."""


class Shown(Protocol):
    """One answer that is being given, as whoever watches it knows it."""

    def live(self, live_id: str, now_s: float) -> LiveAnswer:
        """How it stands; `now_s` as `time.monotonic` says it."""

    @property
    def answer(self) -> Cancellable | None:
        """What is stopped; None before it was opened and when it is over."""


class Live:
    """The open answers of this worker, and through the store those of all.

    Args:
        store: where workers see each other's.
        worker: a name that no other process has.
        clock: seconds that only go on.
        sleep: waits so many seconds and lets other greenlets run.
    """

    def __init__(
        self,
        store: Store,
        *,
        worker: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._sleep = sleep
        self._open: dict[str, Shown] = {}
        self._number = 0
        self._writer: gevent.Greenlet | None = None

    def add(self, shown: Shown) -> str:
        """An answer begins; gives the id under which `discard` knows it. Never waits."""
        self._number += 1
        live_id = f"{self._worker}-{self._number:x}"
        self._open[live_id] = shown
        if self._writer is None:
            self._writer = gevent.spawn(self._follow)
        return live_id

    def discard(self, live_id: str) -> None:
        """It is over. Never waits."""
        self._open.pop(live_id, None)

    def answers(self) -> list[LiveAnswer]:
        """The open answers of all workers, the longest first.

        Whoever is the first to look for some time waits for about a second.

        Raises:
            StoreUnavailable: here and in `stop`.
        """
        is_first = self._store.get(_LOOKED) is None
        self._store.put(_LOOKED, b"1", _LOOKED_KEPT_S)
        if is_first:
            self._sleep(_FIRST_LOOK_S)
        items = self._store.items(f"{_NAME}/open/", limit=_MOST_WORKERS)
        found = [LiveAnswer(**told) for _, value in items for told in json_text.read(value)]
        return sorted(found, key=lambda answer: (answer.since_s, answer.id))

    def stop(self, live_id: str) -> None:
        """End an answer, whichever worker gives it, within about a second.

        Its client reads an error that says so. If there is no such answer, nothing happens.
        """
        worker = live_id.rpartition("-")[0]
        self._store.put(f"{_NAME}/stop/{worker}/{live_id}", b"1", _STOP_KEPT_S)

    def _follow(self) -> None:
        """The body of the greenlet that tells of the answers, until there are none."""
        told = False
        self._sleep(_EVERY_S)
        while self._open:
            try:
                if self._store.get(_LOOKED) is not None:
                    self._tell()
                self._stop_unwanted()
            except StoreUnavailable as error:
                _log.warning("live_not_told", reason=str(error))
            told = True
            self._sleep(_EVERY_S)
        self._writer = None
        if told:
            self._tell_of_none()

    def _tell(self) -> None:
        now_s = self._clock()
        some = list(islice(self._open.items(), _MOST_SHOWN))
        told = [asdict(shown.live(live_id, now_s)) for live_id, shown in some]
        self._store.put(self._key, json_text.write(told).encode(), _KEPT_S)

    def _tell_of_none(self) -> None:
        try:
            self._store.delete(self._key)
        except StoreUnavailable as error:
            _log.warning("live_not_told", reason=str(error))

    def _stop_unwanted(self) -> None:
        prefix = f"{_NAME}/stop/{self._worker}/"
        for key, _ in self._store.items(prefix, limit=_MOST_SHOWN):
            shown = self._open.get(key.removeprefix(prefix))
            if shown is not None and shown.answer is not None:
                shown.answer.cancel(_stopped())
            self._store.delete(key)

    @property
    def _key(self) -> str:
        return f"{_NAME}/open/{self._worker}"


def _stopped() -> OwnError:
    return OwnError(ErrorKind.STOPPED, "The owner of this service stopped this answer.")
