"""Who is next: the first of each owner in turn, so that no crowd keeps others waiting. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class RoundRobin(Generic[T]):
    """Things that wait in a line for each owner; the owners are served in turn.

    Whoever has n owners beside him waits for at most n others before each of his own.
    """

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, owner: str, thing: T) -> None:
        """Let a thing wait behind all others of its owner."""
        self._lines.setdefault(owner, deque()).append(thing)
        self._waiting += 1

    def pop(self) -> T:
        """The next thing, which waits no more.

        Raises:
            KeyError: nothing waits.
        """
        owner, line = self._lines.popitem(last=False)
        thing = line.popleft()
        self._waiting -= 1
        if line:
            self._lines[owner] = line
        return thing

    def discard(self, owner: str, thing: T) -> bool:
        """Let a thing wait no more; gives whether it did."""
        line = self._lines.get(owner)
        if line is None or thing not in line:
            return False
        line.remove(thing)
        self._waiting -= 1
        if not line:
            del self._lines[owner]
        return True
