"""Answers that nobody waits for: each is read to its end by a greenlet of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

from poeflask.bridge import Answer
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.reply import ReplyEvent


class Background:
    """The answers that this process reads in the background.

    Args:
        look_s: how often an answer's `go_on` is asked, in seconds.
    """

    def __init__(self, look_s: float = 2.0) -> None:
        self._look_s = look_s
        self._answers: dict[str, Answer] = {}

    def read(
        self,
        name: str,
        answer: Answer,
        *,
        go_on: Callable[[], bool],
        finish: Callable[[list[ReplyEvent]], None],
    ) -> None:
        """Read an answer to its end, whoever leaves. Returns at once.

        Args:
            name: under which `cancel` knows it.
            answer: nobody else may read it.
            go_on: asked now and then; false ends the answer with a Failure.
            finish: gets all events, once, in the greenlet that read them.
        """
        self._answers[name] = answer
        gevent.spawn(self._read, name, answer, go_on, finish)

    def cancel(self, name: str) -> None:
        """End an answer with a Failure, if this process reads it. Never blocks."""
        if name in self._answers:
            self._answers[name].cancel(_cancelled())

    def _read(
        self,
        name: str,
        answer: Answer,
        go_on: Callable[[], bool],
        finish: Callable[[list[ReplyEvent]], None],
    ) -> None:
        events: list[ReplyEvent] = []
        try:
            next_look_s = time.monotonic() + self._look_s
            while not answer.is_over():
                events += answer.next(self._look_s) or ()
                if time.monotonic() < next_look_s:
                    continue
                next_look_s = time.monotonic() + self._look_s
                if not go_on():
                    answer.cancel(_cancelled())
        finally:
            del self._answers[name]
            answer.close()
        finish(events)


def _cancelled() -> ClientError:
    return ClientError(ErrorKind.CLIENT_GONE, "The client cancelled this answer.")
