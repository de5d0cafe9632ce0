"""What a filter is: one concern, two sides, no IO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from poeflask.core.prompt import Prompt
from poeflask.core.reply import ReplyEvent


class Filter(Protocol):
    """Changes what is asked and what is answered, for one concern.

    One object serves one answer. `on_prompt` is called once, before any event; then `feed` with
    every batch of events, the last of which ends in Finish or Failure. Whatever a filter holds back
    it lets go when the end comes, in front of it. Events it does not know it passes on unchanged,
    in their order; only a Pause may overtake text that is held.

    A filter may end the answer early by giving a Finish of its own: nothing is fed to it after.
    """

    def on_prompt(self, prompt: Prompt) -> Prompt:
        """The prompt as the bot should get it."""

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        """The events that these events make of themselves."""

    @property
    def follow_up(self) -> Prompt | None:
        """After the end: what to ask the bot next before the client is told anything.

        Not None means that the filter swallowed the end it was fed and wants the events of the
        reply to this prompt fed to it (through all filters before it) instead.
        """
