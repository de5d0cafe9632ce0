"""What workers tell each other in a few words: read at most once in a second by each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from poeflask.stores.namespace import Namespace

_MOST_NOTES = 1000


class Noticeboard:
    """Short notes under names, each with an end; what is written here is seen here at once.

    Args:
        namespace: where the notes hang; one that forgets.
        look_s: for how long what was read counts as new.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        namespace: Namespace,
        *,
        look_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._namespace = namespace
        self._look_s = look_s
        self._clock = clock
        self._notes: dict[str, Any] = {}
        # What was hung or, as None, taken down here since the last look began.
        self._changed: dict[str, Any] = {}
        self._next_look_s = float("-inf")

    def notes(self) -> Mapping[str, Any]:
        """All notes, by their names."""
        now_s = self._clock()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + self._look_s
            self._look()
        return self._notes

    def put(self, name: str, note: Any, ttl_s: float) -> None:
        """Hang a note in place of any other of that name."""
        self._namespace.put(name, note, ttl_s)
        self._notes[name] = self._changed[name] = note

    def drop(self, name: str) -> None:
        """Take a note down, if it hangs."""
        self._namespace.delete(name)
        self._notes.pop(name, None)
        self._changed[name] = None

    def _look(self) -> None:
        """Read all notes; what changes here meanwhile is newer than what was read."""
        self._changed.clear()
        read = dict(self._namespace.items(limit=_MOST_NOTES))
        read |= self._changed
        self._notes = {name: note for name, note in read.items() if note is not None}
