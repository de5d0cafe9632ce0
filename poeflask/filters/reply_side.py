"""The shape shared by filters that only change the reply: one event at a time, and one end."""

from __future__ import annotations

from collections.abc import Sequence

from poeflask.core.prompt import Prompt
from poeflask.core.reply import END, ReplyEvent


class ReplySide:
    """A filter that leaves the prompt as it is and never asks the bot a second time.

    A subclass says in `take` what one event makes of itself. Nothing comes out after the end,
    whether the end was fed or is one of the filter's own.

    Attributes:
        settled: whether from now on every event passes unchanged; the subclass says so.
    """

    settled = False
    _ended = False

    def on_prompt(self, prompt: Prompt) -> Prompt:
        return prompt

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        if self._ended:
            return []
        if self.settled:
            self._ended = bool(events) and isinstance(events[-1], END)
            return list(events)
        given: list[ReplyEvent] = []
        for event in events:
            self.take(event, given)
            if given and isinstance(given[-1], END):
                self._ended = True
                break
        return given

    def passes(self, text: str) -> bool:
        """Whether this text goes on as it is, and nothing else with it, as nearly every text does.

        If so, the filter has taken note of it, and it is not fed; if not, nothing has happened.
        """
        return self.settled

    @property
    def follow_up(self) -> Prompt | None:
        return None

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        """Append to `given` what `event` makes of itself and of what was held."""
        given.append(event)
