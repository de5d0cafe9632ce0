"""A few places for work that would hold up running answers, and a fair queue before them."""

from __future__ import annotations

import gevent
from gevent.event import Event

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.poe.round_robin import RoundRobin

_RETRY_AFTER_S = 1.0


class Place:
    """A place that is held until it is given back, or for the longest time that it may be."""

    __slots__ = ("_timer", "_turns")

    def __init__(self, turns: Turns, longest_hold_s: float) -> None:
        self._turns: Turns | None = turns
        self._timer = gevent.get_hub().loop.timer(longest_hold_s)
        self._timer.start(self.close)

    def close(self) -> None:
        """Let the next one begin. May be called again; never blocks."""
        turns, self._turns = self._turns, None
        if turns is not None:
            self._timer.close()
            turns.free_one()


class Turns:
    """Lets only so many work at a time; the others wait, each owner in turn.

    Args:
        places: how many may work at once.
        max_waiting: how many may wait.
        max_wait_s: how long one waits at most.
        longest_hold_s: after so long a place counts as free, whatever its holder does: who waits
            for somebody else's machine holds up nobody here.
    """

    def __init__(
        self,
        places: int,
        *,
        max_waiting: int = 1000,
        max_wait_s: float = 30.0,
        longest_hold_s: float = 1.0,
    ) -> None:
        self._free = places
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s
        self._longest_hold_s = longest_hold_s
        self._queue: RoundRobin[Event] = RoundRobin()

    def take(self, owner: str) -> Place:
        """A place, as soon as it is this owner's turn.

        Raises:
            OwnError: kind BUSY, if too many wait already or the wait took too long.
        """
        if not self._free:
            self._wait(owner)
        else:
            self._free -= 1
        return Place(self, self._longest_hold_s)

    def free_one(self) -> None:
        """A place is free: it goes to the next who waits."""
        if self._queue:
            self._queue.pop().set()
        else:
            self._free += 1

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._queue)

    def _wait(self, owner: str) -> None:
        if len(self._queue) >= self._max_waiting:
            raise _busy("too many requests wait already")
        turn = Event()
        self._queue.put(owner, turn)
        came = False
        try:
            came = turn.wait(self._max_wait_s)
        finally:
            # Whoever was given the place and is killed before it could go on hands it on.
            if not came and not self._queue.discard(owner, turn):
                self.free_one()
        if not came:
            raise _busy(f"no turn came within {self._max_wait_s:g} seconds")


def _busy(why: str) -> OwnError:
    return OwnError(
        ErrorKind.BUSY,
        f"poeflask is busy: {why}; try again in a moment.",
        retry_after_s=_RETRY_AFTER_S,
    )
