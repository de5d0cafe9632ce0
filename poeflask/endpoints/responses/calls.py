"""Tool calls in the order in which a client may see them: one after the other.

A bot may mix the pieces of several calls; a Responses stream tells one item after the other, and
many clients rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from poeflask.core import json_text
from poeflask.core.reply import ToolCallDelta


class OpenCall:
    """One call while its pieces come."""

    def __init__(self, first: ToolCallDelta) -> None:
        self.first = first
        self._pieces = [first.arguments]

    def add(self, arguments: str) -> None:
        """Take the next piece."""
        self._pieces.append(arguments)

    @property
    def arguments(self) -> str:
        """All pieces so far."""
        return "".join(self._pieces)

    def so_far(self) -> ToolCallDelta:
        """All pieces as one."""
        return replace(self.first, arguments=self.arguments)

    def is_whole(self) -> bool:
        """Whether nothing more can belong to it. Free text never says that it is over."""
        if self.first.kind == "custom":
            return False
        try:
            json_text.read(self.arguments)
        except json_text.NotJsonError:
            return False
        return True


class CallOrder:
    """Holds back the pieces of later calls while an earlier one may still go on."""

    def __init__(self) -> None:
        self._open: OpenCall | None = None
        self._held: dict[int, list[ToolCallDelta]] = {}

    def feed(self, delta: ToolCallDelta) -> list[ToolCallDelta]:
        """The pieces that may be told now."""
        call = self._open
        if call is not None and delta.position == call.first.position:
            call.add(delta.arguments)
            return [delta]
        if not delta.call_id and delta.position not in self._held:
            # More of a call that is complete and was told: blanks behind its JSON.
            return []
        if self._held or (call is not None and not call.is_whole()):
            self._held.setdefault(delta.position, []).append(delta)
            return []
        self._open = OpenCall(delta)
        return [delta]

    def end(self) -> Iterator[ToolCallDelta]:
        """What was held, call by call; after it the order begins anew."""
        held, self._held, self._open = self._held, {}, None
        for position in sorted(held):
            yield from held[position]
