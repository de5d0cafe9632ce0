"""Circuit breakers: a bot that fails again and again with a key is left alone for a while.

A circuit is closed as long as the bot answers. So many failures in a row open it: nobody asks. When
its time is over, it is half open: one asks, as a probe, and all others still do not. The probe's
success closes it; its failure opens it again, for twice as long.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from poeflask.core.errors import ErrorKind
from poeflask.poe.noticeboard import Noticeboard

FAILURES = frozenset(
    {
        ErrorKind.POE_FAILED,
        ErrorKind.POE_UNAVAILABLE,
        ErrorKind.POE_TIMEOUT,
        ErrorKind.POE_UNREACHABLE,
        ErrorKind.OVERLOADED,
        ErrorKind.POE_BROKEN,
    }
)
"""The kinds of errors that say that a bot does not work."""

_PROBE_WAIT_S = 1.0
"""What those are told to wait who come while a probe is out."""

_MOST_CIRCUITS = 4096
_NOTE_GRACE_S = 600.0
"""How long after its end an open circuit is still told of, so that others let out one probe too."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """When circuits open, and for how long.

    Attributes:
        failures: so many in a row open a circuit; 0 for never.
        first_s: how long it stays open the first time; doubles with each probe that fails.
        longest_s: how long at most.
    """

    failures: int = 5
    first_s: float = 30.0
    longest_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether one may ask: `wait_s` is 0, else how long until then. `probe`: on whom it depends."""

    wait_s: float = 0.0
    probe: bool = False


class Circuit:
    """One circuit. Pure: the time is handed in, in seconds."""

    def __init__(self, sensitivity: Sensitivity) -> None:
        self._sensitivity = sensitivity
        self._failures = 0
        self._probing = False
        self.open_until_s: float | None = None
        self.open_for_s = 0.0

    def ask(self, now_s: float) -> Permit:
        """Whether a question may go out. Each that may must be reported by one of the others."""
        if self.open_until_s is None:
            return Permit()
        if now_s < self.open_until_s:
            return Permit(wait_s=self.open_until_s - now_s)
        if self._probing:
            return Permit(wait_s=_PROBE_WAIT_S)
        self._probing = True
        return Permit(probe=True)

    def succeed(self, permit: Permit) -> None:
        """The bot answered. Of what was asked before the circuit opened, nothing is learnt."""
        if permit.probe or self.open_until_s is None:
            self._failures = 0
            self._probing = False
            self.open_until_s = None
            self.open_for_s = 0.0

    def fail(self, permit: Permit, now_s: float) -> None:
        """The bot did not answer."""
        if permit.probe:
            self._probing = False
            self._open(now_s)
        elif self.open_until_s is None:
            self._failures += 1
            if 0 < self._sensitivity.failures <= self._failures:
                self._open(now_s)

    def give_up(self, permit: Permit) -> None:
        """Nobody knows what the bot would have answered."""
        if permit.probe:
            self._probing = False

    def adopt(self, open_until_s: float, open_for_s: float) -> None:
        """Be as open as elsewhere, if that is longer."""
        if self.open_until_s is None or self.open_until_s < open_until_s:
            self.open_until_s, self.open_for_s = open_until_s, open_for_s
            self._probing = False

    def _open(self, now_s: float) -> None:
        longest_s = self._sensitivity.longest_s
        self.open_for_s = min(self.open_for_s * 2 or self._sensitivity.first_s, longest_s)
        self.open_until_s = now_s + self.open_for_s


class Breakers:
    """The circuits of all bots and keys, as far as they failed; open ones are told to all workers.

    Args:
        board: where open circuits are told.
        sensitivity: when they open.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        board: Noticeboard,
        sensitivity: Sensitivity | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._board = board
        self._sensitivity = sensitivity or Sensitivity()
        self._clock = clock
        self._circuits: OrderedDict[str, Circuit] = OrderedDict()
        self._adopted: set[str] = set()

    def ask(self, bot: str, fingerprint: str) -> Permit:
        """Whether this bot may be asked with this key; see `Circuit.ask`."""
        name = _name(bot, fingerprint)
        note = self._board.notes().get(name)
        if note is not None:
            self._adopt(name, note["until"], note["for"])
        elif name in self._adopted:
            self._forget(name)
        circuit = self._circuits.get(name)
        return Permit() if circuit is None else circuit.ask(self._clock())

    def succeed(self, bot: str, fingerprint: str, permit: Permit) -> None:
        """The bot answered."""
        name = _name(bot, fingerprint)
        circuit = self._circuits.get(name)
        if circuit is None:
            return
        circuit.succeed(permit)
        if circuit.open_until_s is None:
            self._forget(name)
            if permit.probe:
                self._board.drop(name)

    def fail(self, bot: str, fingerprint: str, permit: Permit) -> None:
        """The bot did not answer."""
        name = _name(bot, fingerprint)
        circuit = self._circuit(name)
        before_s = circuit.open_until_s
        now_s = self._clock()
        circuit.fail(permit, now_s)
        until_s = circuit.open_until_s
        if until_s is not None and until_s != before_s:
            note = {"until": until_s, "for": circuit.open_for_s}
            self._board.put(name, note, until_s - now_s + _NOTE_GRACE_S)

    def give_up(self, bot: str, fingerprint: str, permit: Permit) -> None:
        """Nobody knows what the bot would have answered."""
        circuit = self._circuits.get(_name(bot, fingerprint))
        if circuit is not None:
            circuit.give_up(permit)

    def _adopt(self, name: str, open_until_s: float, open_for_s: float) -> None:
        """Believe another worker; what opened here too is closed by a probe from here alone."""
        circuit = self._circuit(name)
        if circuit.open_until_s is None:
            self._adopted.add(name)
        circuit.adopt(open_until_s, open_for_s)

    def _circuit(self, name: str) -> Circuit:
        circuit = self._circuits.pop(name, None) or Circuit(self._sensitivity)
        self._circuits[name] = circuit
        if len(self._circuits) > _MOST_CIRCUITS:
            self._forget(next(iter(self._circuits)))
        return circuit

    def _forget(self, name: str) -> None:
        self._circuits.pop(name, None)
        self._adopted.discard(name)


def _name(bot: str, fingerprint: str) -> str:
    return f"open/{fingerprint}/{bot.lower()}"
