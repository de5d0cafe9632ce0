"""Which bots Poe has and what each can do: fetched rarely, shared by all workers, served stale.

Poe's list is read at most once a lifetime (`ttl_s`) by all processes that share the store. An old
copy is better than none: it is served while a new one is fetched behind, and for as long as Poe is
away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import gevent
from gevent.event import Event

from poeflask.core.bot import Bot
from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.core.model_names import ModelNames
from poeflask.core.profile import Parameter, Profile

STORE_KEY = "bots"
BACK_OFF_S = 30.0
"""How long a failed fetch is not tried again."""

PATIENCE_S = 2.0
"""How long a chat waits for the very first list before it goes on without."""

SKEW_S = 60.0
"""How far the clocks of two hosts may be apart."""


class SharedCopy(Protocol):
    """Where the list is kept for other processes and the next start."""

    def get(self, key: str) -> Any:
        """The JSON value that was put there, or None."""

    def put(self, key: str, value: Any, ttl_s: float | None = None) -> None:
        """Keep it; for ever, if no time is given."""


@dataclass(frozen=True, slots=True)
class _Copy:
    fetched_s: float
    bots: tuple[Bot, ...]
    by_name: Mapping[str, Bot]
    names: ModelNames


class Catalogue:
    """Poe's list of bots.

    Args:
        fetch: gives Poe's entries; may raise PoeError.
        store: where the list is shared.
        ttl_s: how old a copy may be before a new one is fetched.
        clock: seconds since 1970.
        spawn: runs the fetch in a greenlet of its own.
    """

    def __init__(
        self,
        fetch: Callable[[], list[dict[str, Any]]],
        store: SharedCopy,
        *,
        ttl_s: float,
        clock: Callable[[], float],
        spawn: Callable[[Callable[[], None]], object] = gevent.spawn,
    ) -> None:
        self._fetch = fetch
        self._store = store
        self._ttl_s = ttl_s
        self._clock = clock
        self._spawn = spawn
        self._copy: _Copy | None = None
        self._running: Event | None = None
        self._not_before_s = 0.0
        self._error: PoeflaskError | None = None
        self._has_looked = False

    def bots(self) -> tuple[Bot, ...]:
        """All bots, in Poe's order.

        Raises:
            PoeError: there is no copy at all and Poe's list cannot be had.
        """
        copy = self._known(patience_s=None)
        if copy is not None:
            return copy.bots
        raise self._error or PoeError(ErrorKind.POE_FAILED, "Poe's list of bots cannot be had.")

    def at_hand(self) -> tuple[Bot, ...]:
        """The bots that are known without long waiting, in Poe's order; none if none are."""
        copy = self._known(patience_s=PATIENCE_S)
        return () if copy is None else copy.bots

    def find(self, name: str) -> Bot | None:
        """The bot of that name, in any case; None if it is not known, or Poe's list is not."""
        copy = self._known(patience_s=PATIENCE_S)
        return None if copy is None else copy.by_name.get(name.lower())

    def resolve(self, name: str) -> Bot | None:
        """The bot of that name, or the one that another API's name for a model means."""
        copy = self._known(patience_s=PATIENCE_S)
        if copy is None:
            return None
        meant = name if name.lower() in copy.by_name else copy.names.find(name)
        return None if meant is None else copy.by_name[meant.lower()]

    def profile(self, name: str) -> Profile:
        """What the bot can do; for a bot that is not listed, what any bot can."""
        bot = self.find(name)
        return Profile(bot=name) if bot is None else bot.profile

    def state(self) -> Literal["fresh", "stale", "missing"]:
        """How good the copy at hand is; looks for one if there is none yet."""
        if self._known(PATIENCE_S) is None:
            return "missing"
        return "fresh" if self._is_fresh() else "stale"

    def _known(self, patience_s: float | None) -> _Copy | None:
        """The best copy at hand; without any, what a fetch gives within `patience_s`."""
        if self._copy is None and not self._has_looked:
            self._take_shared()
        if self._is_fresh():
            return self._copy
        running = self._start_unless_failed()
        if self._copy is None and running is not None:
            running.wait(patience_s)
        return self._copy

    def _is_fresh(self) -> bool:
        return self._copy is not None and self._clock() - self._copy.fetched_s < self._ttl_s

    def _take_shared(self) -> None:
        """Take over the shared copy if it is younger than ours."""
        self._has_looked = True
        kept = self._store.get(STORE_KEY)
        shared = _read_copy(kept, self._clock())
        if shared is not None and (self._copy is None or shared.fetched_s > self._copy.fetched_s):
            self._copy = shared

    def _start_unless_failed(self) -> Event | None:
        if self._running is None and self._clock() < self._not_before_s:
            return None
        return self._start()

    def _start(self) -> Event:
        """Start to renew the copy, unless that runs; give what is set when it is over."""
        if self._running is None:
            self._running = Event()
            self._spawn(partial(self._renew, self._running))
        return self._running

    def _renew(self, running: Event) -> None:
        """Take the copy of another process if that is fresh, else Poe's list."""
        self._not_before_s = self._clock() + BACK_OFF_S
        try:
            self._take_shared()
            if not self._is_fresh():
                self._take(self._fetch())
        except PoeflaskError as error:
            self._error = error
        finally:
            self._running = None
            running.set()

    def _take(self, entries: list[dict[str, Any]]) -> None:
        copy = _copy(self._clock(), entries)
        if not copy.bots:
            raise PoeError(ErrorKind.POE_BROKEN, "Poe's list of bots names no bot.")
        self._copy = copy
        self._error = None
        kept = {"fetched_s": copy.fetched_s, "data": [bot.entry for bot in copy.bots]}
        self._store.put(STORE_KEY, kept)


def read_bots(entries: Iterable[Any]) -> tuple[Bot, ...]:
    """The bots of Poe's list, in its order; entries without a name, and repeated ones, left out."""
    bots: dict[str, Bot] = {}
    for entry in entries:
        bot = _bot(entry) if isinstance(entry, dict) else None
        if bot is not None:
            bots.setdefault(bot.id, bot)
    return tuple(bots.values())


def _copy(fetched_s: float, entries: Iterable[Any]) -> _Copy:
    bots = read_bots(entries)
    by_handle = {bot.handle.lower(): bot for bot in bots}
    by_name = by_handle | {bot.id: bot for bot in bots}
    return _Copy(fetched_s, bots, by_name, ModelNames(bot.handle for bot in bots))


def _read_copy(value: Any, now_s: float) -> _Copy | None:
    """The copy that another process or version kept; None if it cannot be read."""
    fetched_s = _object(value).get("fetched_s")
    entries = _object(value).get("data")
    if not isinstance(fetched_s, int | float) or not isinstance(entries, list):
        return None
    # A clock that was wrong once must not make the copy young for ever.
    copy = _copy(fetched_s if fetched_s <= now_s + SKEW_S else 0.0, entries)
    return copy if copy.bots else None


def _bot(entry: Mapping[str, Any]) -> Bot | None:
    name = _text(entry.get("id"))
    if not name:
        return None
    architecture = _object(entry.get("architecture"))
    window = _object(entry.get("context_window"))
    return Bot(
        id=name.lower(),
        handle=_text(_object(entry.get("metadata")).get("display_name")) or name,
        created_s=_seconds(entry.get("created")),
        owned_by=_text(entry.get("owned_by")),
        description=_text(entry.get("description")),
        input_modalities=_texts(architecture.get("input_modalities")) or ("text",),
        output_modalities=_texts(architecture.get("output_modalities")) or ("text",),
        context_tokens=_count(window.get("context_length")) or _count(entry.get("context_length")),
        max_output_tokens=_count(window.get("max_output_tokens")),
        features=_texts(entry.get("supported_features")),
        parameters=_parameters(entry.get("parameters")),
        pricing=_object(entry.get("pricing")),
        reasoning=_object(entry.get("reasoning")),
        entry=entry,
    )


def _parameters(value: Any) -> tuple[Parameter, ...]:
    found = []
    for entry in value if isinstance(value, list) else []:
        name = _text(_object(entry).get("name"))
        if name:
            found.append(
                Parameter(
                    name=name,
                    schema=_object(entry.get("schema")),
                    default=entry.get("default_value"),
                    description=_text(entry.get("description")),
                )
            )
    return tuple(found)


_FIRST_MILLISECOND_COUNT = 100_000_000_000
"""As seconds it is the year 5138, as milliseconds 1973: Poe has always meant the latter."""

_LAST_SECOND = 253_402_300_799
"""The last one of the year 9999; no calendar goes on, and no bot was made later."""


def _seconds(value: Any) -> int:
    """Poe counts in milliseconds, against the API it copies; both are understood."""
    count = _count(value) or 0
    seconds = count // 1000 if count >= _FIRST_MILLISECOND_COUNT else count
    return seconds if seconds <= _LAST_SECOND else 0


def _count(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
