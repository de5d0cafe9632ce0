"""Counts tokens so that nobody waits for it who need not."""

from __future__ import annotations

from collections.abc import Callable

import gevent

from poeflask.core.prompt import Prompt
from poeflask.core.tokens import TokenCounter, letters
from poeflask.threads import Threads


class Counting:
    """Counts at once what is short, and in a thread what is long.

    Args:
        counter: knows the vocabulary, which it loads when it is first needed.
        threads: where long texts are counted.
    """

    def __init__(self, counter: TokenCounter, threads: Threads) -> None:
        self._counter = counter
        self._threads = threads

    def count_prompt(self, prompt: Prompt) -> Callable[[], int]:
        """Count a prompt's tokens while Poe thinks; what is given back waits for the number.

        A short prompt is only counted if the number is needed.
        """
        if self._counter.is_quick(letters(prompt)):
            return lambda: self._counter.count_messages(prompt)
        counting = gevent.spawn(self._threads.run, self._counter.count_messages, prompt)
        return lambda: int(counting.get())

    def count(self, text: str) -> int:
        """Count a text's tokens; others may work meanwhile if it is long."""
        if self._counter.is_quick(len(text)):
            return self._counter.count(text)
        return self._threads.run(self._counter.count, text)
