"""At most so many queries a minute for each key of Poe's, over all workers; the others wait.

Poe refuses whoever asks more often than 500 times a minute. Here one waits instead, each owner in
turn.

Two shortcuts keep the shared count off the way of most queries, and the sum within the limit:

- Each worker may send a few queries in any minute without a word to the others. What all workers
  together may send so, a twenty-fourth of the limit, is left out of what the shared count grants.
- From the shared count a worker takes several queries at once where it sends many. It may send
  them for a few seconds, and the shared window is longer than a minute by these seconds, so that
  in no minute more are sent than the window granted.

Workers of another host that share the store know nothing of each other's few: each further host
may add its own twenty-fourth.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.poe.round_robin import RoundRobin
from poeflask.stores.base import Window
from poeflask.stores.namespace import Namespace

_MINUTE_S = 60.0
_STOCK_S = 3.0
"""For how long a worker may use what it took at once."""

_MOST_STOCK = 8
_UNTOLD_SHARE = 24
_MOST_KEYS = 4096
"""Of how many keys a worker remembers what it sent without a word to the others."""

_LEAST_WAIT_S = 0.05


class Pacer:
    """Lets queries go out no faster than Poe takes them.

    Args:
        shared: where all workers count; one that forgets.
        per_minute: how many queries one key may send; 0 for as many as one likes.
        workers: how many processes of this host count there.
        max_waiting: how many may wait for one key in this process.
        max_wait_s: how long one waits at most.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        shared: Namespace,
        *,
        per_minute: int,
        workers: int,
        max_waiting: int = 1000,
        max_wait_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._untold = per_minute // _UNTOLD_SHARE // workers
        self._limit = per_minute - self._untold * workers
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._paces: OrderedDict[str, _Pace] = OrderedDict()

    def take(self, fingerprint: str, owner: str) -> None:
        """Return as soon as a query may go out with that key.

        Raises:
            ClientError: kind TOO_MANY_REQUESTS, if it would take too long, or too many wait.
        """
        if not self._limit:
            return
        pace = self._pace(fingerprint)
        if not pace.queue and self._may_send(pace):
            return
        if len(pace.queue) >= self._max_waiting or self.wait_s(fingerprint) > self._max_wait_s:
            raise self._too_many(pace)
        self._wait(pace, owner)

    def wait_s(self, fingerprint: str) -> float:
        """Seconds until a query with that key may perhaps go out, as far as is known here."""
        pace = self._paces.get(fingerprint)
        return 0.0 if pace is None else max(0.0, pace.refused_until_s - self._clock())

    def sent_last_minute(self, fingerprint: str) -> int:
        """About how many queries went out with that key within the last minute.

        What other workers do not tell is missing.
        """
        pace = self._paces.get(fingerprint)
        here = 0 if pace is None else _within(pace.sent, self._clock() - _MINUTE_S)
        if not self._limit:
            return here
        claim = Window(fingerprint, 0, None, _MINUTE_S + _STOCK_S)
        return max(here, self._shared.take([claim]).used[0])

    def _pace(self, fingerprint: str) -> _Pace:
        pace = self._paces.get(fingerprint)
        if pace is not None:
            self._paces.move_to_end(fingerprint)
            return pace
        if len(self._paces) >= _MOST_KEYS:
            self._paces.popitem(last=False)
        pace = self._paces[fingerprint] = _Pace(fingerprint)
        return pace

    def _may_send(self, pace: _Pace) -> bool:
        now_s = self._clock()
        if _within(pace.untold, now_s - _MINUTE_S) < self._untold:
            pace.untold.append(now_s)
        elif not self._from_stock(pace):
            return False
        pace.sent.append(self._clock())
        return True

    def _from_stock(self, pace: _Pace) -> bool:
        # The store may take its time: who comes meanwhile shares what is taken, and takes no more.
        with pace.claiming:
            now_s = self._clock()
            if pace.stock and now_s < pace.stock_until_s:
                pace.stock -= 1
                return True
            return self._restocked(pace, now_s)

    def _restocked(self, pace: _Pace, now_s: float) -> bool:
        """Take some of the shared count, the first of them for whoever asks."""
        if now_s < pace.refused_until_s:
            return False
        # As many as are sent within the seconds for which they are good, if it goes on as it did.
        many = _within(pace.sent, now_s - _MINUTE_S) * _STOCK_S / _MINUTE_S
        wanted = min(max(int(many), 1), _MOST_STOCK)
        return any(self._claim(pace, amount, now_s) for amount in dict.fromkeys((wanted, 1)))

    def _claim(self, pace: _Pace, amount: int, now_s: float) -> bool:
        claim = Window(pace.fingerprint, amount, self._limit, _MINUTE_S + _STOCK_S)
        taken = self._shared.take([claim])
        if taken.refused is not None:
            pace.refused_until_s = now_s + taken.wait_s
            return False
        pace.refused_until_s = 0.0
        pace.stock, pace.stock_until_s = amount - 1, now_s + _STOCK_S
        return True

    def _wait(self, pace: _Pace, owner: str) -> None:
        turn = Event()
        pace.queue.put(owner, turn)
        if pace.serving is None:
            pace.serving = gevent.spawn(self._serve, pace)
        try:
            if not turn.wait(self._max_wait_s):
                raise self._too_many(pace)
        finally:
            pace.queue.discard(owner, turn)

    def _serve(self, pace: _Pace) -> None:
        """Let those go who wait, as queries may go out; ends when nobody waits."""
        try:
            while pace.queue:
                if not self._may_send(pace):
                    wait_s = pace.refused_until_s - self._clock()
                    gevent.sleep(max(wait_s, _LEAST_WAIT_S))
                elif pace.queue:
                    pace.queue.pop().set()
                else:
                    # All left while the store was asked.
                    pace.sent.pop()
                    pace.stock += 1
        finally:
            pace.serving = None

    def _too_many(self, pace: _Pace) -> ClientError:
        return ClientError(
            ErrorKind.TOO_MANY_REQUESTS,
            f"This Poe key sends as many queries as Poe takes ({self._limit} a minute); "
            "try again in a moment.",
            retry_after_s=max(1.0, pace.refused_until_s - self._clock()),
        )


class _Pace:
    """What is known of one key: when it sent, and what it may still send."""

    __slots__ = (
        "claiming",
        "fingerprint",
        "queue",
        "refused_until_s",
        "sent",
        "serving",
        "stock",
        "stock_until_s",
        "untold",
    )

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.sent: deque[float] = deque()
        self.untold: deque[float] = deque()
        self.stock = 0
        self.stock_until_s = 0.0
        self.refused_until_s = 0.0
        self.claiming = BoundedSemaphore(1)
        self.queue: RoundRobin[Event] = RoundRobin()
        self.serving: gevent.Greenlet | None = None


def _within(times_s: deque[float], since_s: float) -> int:
    """How many of the times, which only grow, are later than that; the others are dropped."""
    while times_s and times_s[0] <= since_s:
        times_s.popleft()
    return len(times_s)
