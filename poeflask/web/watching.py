"""Several who look on while one answer comes."""

from __future__ import annotations

from collections.abc import Iterable

from poeflask.bridge import Batch, Watch


def together(watches: Iterable[Watch | None]) -> Watch | None:
    """All of them as one, in their order; None if there is nobody."""
    there = tuple(watch for watch in watches if watch is not None)
    return _Watches(there) if len(there) > 1 else next(iter(there), None)


class _Watches:
    """Several watches as one."""

    def __init__(self, watches: tuple[Watch, ...]) -> None:
        self._watches = watches

    def saw(self, index: int, batch: Batch) -> None:
        for watch in self._watches:
            watch.saw(index, batch)

    def heard(self, text: str) -> None:
        for watch in self._watches:
            watch.heard(text)

    def ended(self) -> None:
        for watch in self._watches:
            watch.ended()
