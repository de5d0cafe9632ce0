"""At least so long between two queries, whoever sends them: RATE_LIMIT_MS of poe2openai."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
from gevent.lock import BoundedSemaphore

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.stores.base import Window
from poeflask.stores.namespace import Namespace

_KEY = "spacing"
_LEAST_WAIT_S = 0.005


class Spacing:
    """Lets one query go at a time, over all workers, and the next one only after a while.

    Args:
        shared: where all workers count; one that forgets.
        least_s: the least time between two queries; 0 for none.
        max_wait_s: how long a query waits at most.
        clock: seconds that only grow.
        sleep: waits so many seconds while others go on.
    """

    def __init__(
        self,
        shared: Namespace,
        *,
        least_s: float,
        max_wait_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self._shared = shared
        self._claim = Window(_KEY, 1, 1, least_s) if least_s else None
        self._least_s = least_s
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._sleep = sleep
        self._turn = BoundedSemaphore(1)

    def wait(self) -> None:
        """Return as soon as a query may go out.

        Raises:
            ClientError: kind TOO_MANY_REQUESTS, if it would take too long.
        """
        if self._claim is None:
            return
        until_s = self._clock() + self._max_wait_s
        # Those of one worker stand in line here, so that only the first of them asks the store.
        if not self._turn.acquire(timeout=self._max_wait_s):
            raise self._too_many()
        try:
            self._first_in_line(self._claim, until_s)
        finally:
            self._turn.release()

    def _first_in_line(self, claim: Window, until_s: float) -> None:
        taken = self._shared.take([claim])
        while taken.refused is not None:
            if self._clock() + taken.wait_s > until_s:
                raise self._too_many()
            self._sleep(max(taken.wait_s, _LEAST_WAIT_S))
            taken = self._shared.take([claim])

    def _too_many(self) -> ClientError:
        return ClientError(
            ErrorKind.TOO_MANY_REQUESTS,
            f"One query every {self._least_s:g} seconds goes to Poe from here, and too many wait; "
            "try again later.",
            retry_after_s=max(1.0, self._least_s),
        )
