"""The owner's keys of Poe's: which of them asks next, and which rest after a fault.

A key is known outside of this file by its name and by a fingerprint that does not lead back to it.
What one worker learns of a key, all others know within about a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

import gevent

from poeflask.core.errors import ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.poe.balance import Balance, read_balance
from poeflask.poe.noticeboard import Noticeboard

State = Literal["ok", "cooling", "no_points", "dead"]

COOL_S = 10.0
"""How long a key rests that Poe limits without saying for how long."""

LONGEST_COOL_S = 600.0
"""The longest rest that Poe can ask for with a 429."""

DEAR_S = 600.0
"""How long a bot that costs more than a key has left is not asked with it."""

_UNSURE_S = 60.0
_DEAD_S = 30 * 86400.0
_BALANCE_TTL_S = 60.0
_BALANCE_WAIT_S = 10.0
_DAY_S = 86400.0
_MOST_RESTS = 1000
_FAULTS = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.NO_POINTS, ErrorKind.BAD_KEY})


@dataclass(frozen=True, slots=True)
class PoeKey:
    """A key, what its owner calls it, and how much of the work it should do beside the others."""

    name: str
    key: str = field(repr=False)
    weight: int = 1

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """How a key is.

    Attributes:
        name: what its owner calls it.
        fingerprint: leads to no key.
        weight: how much of the work it should do beside the others.
        state: "ok"; "cooling" after a 429; "no_points" until the next grant; "dead" if Poe does
            not accept it, until it is revived or replaced.
        until_s: when that ends, in seconds since 1970; None if it is "ok" or "dead".
        in_flight: how many answers this process reads with it now.
        sent_last_minute: about how many queries went out with it within the last minute.
        balance: what Poe said of its points last; None if nobody asked.
    """

    name: str
    fingerprint: str
    weight: int
    state: State
    until_s: float | None
    in_flight: int
    sent_last_minute: int
    balance: Balance | None


def fingerprint(key: str) -> str:
    """A name for a key that does not lead back to it."""
    return sha256(b"poeflask poe key\n" + key.encode("utf-8", "replace")).hexdigest()[:16]


class Lease:
    """A key that is in use, until it is given back."""

    __slots__ = ("_entry", "fingerprint", "key")

    def __init__(self, entry: _Entry) -> None:
        self._entry: _Entry | None = entry
        self.key = entry.key.key
        self.fingerprint = entry.fingerprint
        entry.in_flight += 1
        entry.given += 1

    def give_back(self) -> None:
        """The key has less to do. May be called again."""
        entry, self._entry = self._entry, None
        if entry is not None:
            entry.in_flight -= 1


class PoeKeys:
    """The pool.

    Args:
        keys: at least none; names and keys each occur once.
        board: where faults are told to the other workers.
        ask_balance: asks Poe how many points a key has left, as `PoeClient.balance`. A bot may
            say what it likes about keys and points: this is how one knows.
        wait_s: in how many seconds a key, by its fingerprint, may send again.
        sent_last_minute: how many queries it sent.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        keys: Sequence[PoeKey],
        board: Noticeboard,
        ask_balance: Callable[[str], Mapping[str, Any]],
        *,
        wait_s: Callable[[str], float] = lambda _fingerprint: 0.0,
        sent_last_minute: Callable[[str], int] = lambda _fingerprint: 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._entries = {key.fingerprint: _Entry(key) for key in keys}
        self._board = board
        self._ask_balance = ask_balance
        self._wait_s = wait_s
        self._sent_last_minute = sent_last_minute
        self._clock = clock
        self._rests: dict[tuple[str, str], tuple[ErrorKind, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def lease(self, bot: str, but: Collection[str] = ()) -> Lease:
        """The key that has least to do of those that can ask this bot now.

        Args:
            bot: who is to be asked.
            but: fingerprints of keys that are not wanted.

        Raises:
            PoeError: all rest: kind RATE_LIMITED or NO_POINTS, with the time until one does not.
            OwnError: kind NOT_OFFERED: there is none, or Poe accepts none.
        """
        notes = self._board.notes()
        ready = [
            entry
            for mark, entry in self._entries.items()
            if mark not in but and self._rest(mark, bot, notes) is None
        ]
        if not ready:
            raise self._none(bot, notes)
        return Lease(min(ready, key=self._load))

    def failed(self, mark: str, bot: str, error: PoeflaskError) -> bool:
        """Keep that a query failed; give whether another key may fare better.

        May ask Poe for the balance, which takes its time.

        Args:
            mark: the fingerprint of the key that was used; one of the pool.
            bot: who was asked.
            error: what came of it.
        """
        entry = self._entries[mark]
        if error.kind not in _FAULTS:
            return False
        if error.kind is ErrorKind.RATE_LIMITED:
            self._limited(mark, bot, error.retry_after_s)
            return True
        # Others that fail in the same way meanwhile need not ask the same question.
        if entry.in_doubt:
            return True
        entry.in_doubt = True
        try:
            return self._looked_into(entry, bot, error.kind)
        finally:
            entry.in_doubt = False

    def status(self, *, with_balance: bool = False) -> list[KeyStatus]:
        """How each key is, in the owner's order.

        Args:
            with_balance: ask Poe for points that nobody has asked for within a minute.
        """
        return [self._status(entry, with_balance=with_balance) for entry in self._entries.values()]

    def revive(self, name: str) -> bool:
        """Use a key again, whatever was wrong with it; give whether there is one of that name."""
        for mark, entry in self._entries.items():
            if entry.key.name == name:
                self._board.drop(_note_name(mark))
                return True
        return False

    def _load(self, entry: _Entry) -> tuple[bool, float, float]:
        """The less, the better: may send now, has few answers open, was used little so far."""
        weight = entry.key.weight
        must_wait = self._wait_s(entry.fingerprint) > 0
        return must_wait, entry.in_flight / weight, (entry.given + 1) / weight

    def _rest(
        self, mark: str, bot: str, notes: Mapping[str, Any]
    ) -> tuple[ErrorKind, float] | None:
        """Why a key rests and until when; None if it does not."""
        now_s = self._clock()
        note = notes.get(_note_name(mark))
        if note is not None and note["until"] > now_s:
            return _KINDS[note["state"]], note["until"]
        rest = self._rests.get((mark, bot))
        return rest if rest is not None and rest[1] > now_s else None

    def _none(self, bot: str, notes: Mapping[str, Any]) -> PoeflaskError:
        rests = [rest for mark in self._entries if (rest := self._rest(mark, bot, notes))]
        if not self._entries:
            return OwnError(
                ErrorKind.NOT_OFFERED,
                "This service has no key of Poe's of its own; send yours, or have its owner set "
                "POE_API_KEYS.",
            )
        for kind, sentence in _ALL_REST.items():
            ends = [until_s for why, until_s in rests if why is kind]
            if ends:
                wait_s = max(1.0, min(ends) - self._clock())
                return PoeError(kind, sentence, retry_after_s=wait_s)
        return OwnError(
            ErrorKind.NOT_OFFERED,
            "Poe accepts none of this service's keys; its owner must replace them.",
        )

    def _limited(self, mark: str, bot: str, retry_after_s: float | None) -> None:
        """Without a time it may be the bot that is limited: only there the key rests then."""
        if retry_after_s is None:
            self._rest_from(mark, bot, ErrorKind.RATE_LIMITED, COOL_S)
        else:
            self._put(mark, "cooling", min(retry_after_s, LONGEST_COOL_S))

    def _looked_into(self, entry: _Entry, bot: str, kind: ErrorKind) -> bool:
        """Whether it is the key, as was said, or only the bot that says so."""
        mark = entry.fingerprint
        try:
            balance = self._fresh_balance(entry)
        except PoeError as error:
            if error.kind is ErrorKind.BAD_KEY:
                self._put(mark, "dead", _DEAD_S)
            elif kind is ErrorKind.NO_POINTS:
                self._put(mark, "no_points", self._until_grant_s(None))
            else:
                self._put(mark, "cooling", _UNSURE_S)
            return True
        if kind is ErrorKind.BAD_KEY:
            return False
        if balance.points:
            self._rest_from(mark, bot, kind, DEAR_S)
        else:
            self._put(mark, "no_points", self._until_grant_s(balance.next_grant_s))
        return True

    def _until_grant_s(self, next_grant_s: float | None) -> float:
        """Seconds until new points; Poe's daily ones are taken to come at midnight UTC."""
        now_s = self._clock()
        if next_grant_s is not None and next_grant_s > now_s:
            return next_grant_s - now_s
        return _DAY_S - now_s % _DAY_S

    def _put(self, mark: str, state: State, for_s: float) -> None:
        note = {"state": state, "until": self._clock() + for_s}
        self._board.put(_note_name(mark), note, for_s)
        self._begin_anew()

    def _rest_from(self, mark: str, bot: str, kind: ErrorKind, for_s: float) -> None:
        if len(self._rests) >= _MOST_RESTS:
            del self._rests[next(iter(self._rests))]
        self._rests[mark, bot] = kind, self._clock() + for_s

    def _begin_anew(self) -> None:
        """Else a key that comes back would have to catch up with all that the others did."""
        for entry in self._entries.values():
            entry.given = 0

    def _fresh_balance(self, entry: _Entry) -> Balance:
        late = PoeError(ErrorKind.POE_TIMEOUT, "Poe did not tell the balance in time.")
        with gevent.Timeout(_BALANCE_WAIT_S, late):
            entry.balance = read_balance(self._ask_balance(entry.key.key))
        entry.balance_s = self._clock()
        return entry.balance

    def _known_balance(self, entry: _Entry) -> Balance | None:
        if self._clock() - entry.balance_s < _BALANCE_TTL_S:
            return entry.balance
        try:
            return self._fresh_balance(entry)
        except PoeflaskError:
            return None

    def _status(self, entry: _Entry, *, with_balance: bool) -> KeyStatus:
        balance = self._known_balance(entry) if with_balance else entry.balance
        mark = entry.fingerprint
        note = self._board.notes().get(_note_name(mark))
        rests = note is not None and note["until"] > self._clock()
        state: State = note["state"] if note is not None and rests else "ok"
        return KeyStatus(
            name=entry.key.name,
            fingerprint=mark,
            weight=entry.key.weight,
            state=state,
            until_s=None if state in ("ok", "dead") or note is None else note["until"],
            in_flight=entry.in_flight,
            sent_last_minute=self._sent_last_minute(mark),
            balance=balance,
        )


_KINDS: Mapping[str, ErrorKind] = {
    "cooling": ErrorKind.RATE_LIMITED,
    "no_points": ErrorKind.NO_POINTS,
    "dead": ErrorKind.BAD_KEY,
}

_ALL_REST: Mapping[ErrorKind, str] = {
    ErrorKind.RATE_LIMITED: "Poe limits all keys of this service just now; try again in a moment.",
    ErrorKind.NO_POINTS: "The keys of this service have not enough points for this bot; "
    "new ones come with Poe's next grant.",
}
"""What is said if no key can ask; the first that is true of any key."""


class _Entry:
    """A key of the pool and what this process does with it."""

    __slots__ = ("balance", "balance_s", "fingerprint", "given", "in_doubt", "in_flight", "key")

    def __init__(self, key: PoeKey) -> None:
        self.key = key
        self.fingerprint = key.fingerprint
        self.in_flight = 0
        self.given = 0
        self.in_doubt = False
        self.balance: Balance | None = None
        self.balance_s = float("-inf")


def _note_name(mark: str) -> str:
    return f"key/{mark}"
