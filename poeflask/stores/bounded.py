"""A cache of bounded size in a store: what was put long ago makes room for what is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent

from poeflask.core import json_text
from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace

_ENTRY_BYTES = 100
"""What a store needs for an entry besides its key and its value."""

_LOOK_AGAIN_S = 5.0
"""How long another process's turn may go unseen."""


class BoundedCache:
    """JSON values, as in a Namespace that forgets, but never more than so many bytes of them.

    They lie in two halves. When the younger one is full, the older one is emptied and becomes the
    younger: so nothing is counted but one sum, and nobody searches for what is oldest.

    Args:
        store: where the values are kept.
        name: the cache's name.
        max_bytes: the size of both halves together; 0 keeps nothing.
        clock: seconds that only grow.
        spawn: empties a half in a greenlet of its own.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        spawn: Callable[[Callable[[], None]], object] = gevent.spawn,
    ) -> None:
        self._store = store
        self._name = name
        self._counts = Namespace(store, f"{name}:counts", on_failure="forget")
        self._half_bytes = max_bytes // 2
        self._clock = clock
        self._spawn = spawn
        self._turn = 0
        self._next_look_s = float("-inf")

    def get(self, key: str) -> Any:
        """The value, or None."""
        turn = self._now()
        value = self._half(turn).get(key)
        return self._half(turn - 1).get(key) if value is None and turn else value

    def put(self, key: str, value: Any, ttl_s: float | None = None) -> None:
        """Keep the value for so many seconds, or until its place is needed."""
        size = len(key) + len(json_text.write(value)) + _ENTRY_BYTES
        if size > self._half_bytes:
            return
        turn = self._now()
        if self._counts.add(f"size:{turn}", size, ttl_s) > self._half_bytes:
            turn = self._take_turn(turn)
            self._counts.add(f"size:{turn}", size, ttl_s)
        self._half(turn).put(key, value, ttl_s)

    def _take_turn(self, turn: int) -> int:
        """Begin the next half, unless another process just did; give its number."""
        if self._counts.add(f"turned:{turn}", 1, _LOOK_AGAIN_S * 100) == 1:
            self._counts.add("turn", 1)
            self._spawn(partial(self._empty, turn - 1))
        self._next_look_s = float("-inf")
        return self._now()

    def _empty(self, turn: int) -> None:
        half = self._half(turn)
        keys = half.keys()
        for key in keys:
            half.delete(key)
            gevent.sleep(0)
        self._counts.delete(f"size:{turn}")

    def _now(self) -> int:
        """The number of the younger half."""
        if self._clock() >= self._next_look_s:
            self._next_look_s = self._clock() + _LOOK_AGAIN_S
            self._turn = int(self._counts.get("turn") or 0)
        return self._turn

    def _half(self, turn: int) -> Namespace:
        return Namespace(self._store, f"{self._name}:{turn}", on_failure="forget")
