"""How often a password may be guessed: some times in each quarter of an hour.

Tries are counted before the password is looked at, over all workers, for each address and for all
together. The latter also bounds what the hashing of passwords costs.
"""

from __future__ import annotations

from collections.abc import Callable

from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace
from poeflask.web.throttle import network

WINDOW_S = 900.0
TRIES_OF_ONE = 10
TRIES_OF_ALL = 300

_ALL = "all"


class Throttle:
    """Counts tries.

    Args:
        store: where they are counted.
        clock: seconds since 1970.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._counts = Namespace(store, "admin-throttle", on_failure="refuse")
        self._clock = clock

    def wait_s(self, address: str) -> float:
        """Count a try from this address; 0 if it may be made, or the seconds until one may.

        Raises:
            OwnError: kind BUSY, if the store cannot be reached.
        """
        now = self._clock()
        limits = ((network(address), TRIES_OF_ONE), (_ALL, TRIES_OF_ALL))
        if all(self._add(name) <= limit for name, limit in limits):
            return 0.0
        return WINDOW_S - now % WINDOW_S

    def forget(self, address: str) -> None:
        """The right password came from this address: its tries do not count."""
        self._counts.delete(self._key(network(address)))

    def _add(self, name: str) -> int:
        return self._counts.add(self._key(name), 1, WINDOW_S)

    def _key(self, name: str) -> str:
        return f"{int(self._clock() // WINDOW_S)}:{name}"
