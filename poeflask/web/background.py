"""Answers that nobody waits for: each is read to its end by a greenlet of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
from gevent.queue import Queue

from poeflask.bridge import Answer, Batch
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.reply import END, ReplyEvent

_GoOn = Callable[[], bool]
_Finish = Callable[[list[ReplyEvent]], None]


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
        go_on: _GoOn,
        finish: _Finish,
    ) -> Answer:
        """Read an answer to its end, whoever leaves. Returns at once.

        Args:
            name: under which `cancel` knows it.
            answer: nobody else may read it.
            go_on: asked now and then; false ends the answer with a Failure.
            finish: gets all events, once, in the greenlet that read them, before a listener
                hears of the end.

        Returns:
            the same answer for somebody who may listen as long as they like, and need not.
        """
        heard: Queue[Batch] = Queue()
        listened = Answer(1)
        listened.attach(0, gevent.spawn(_pass_on, heard, listened))
        self._answers[name] = answer
        gevent.spawn(self._read, name, answer, listened, heard, go_on, finish)
        return listened

    def cancel(self, name: str) -> None:
        """End an answer with a Failure, if this process reads it. Never blocks."""
        if name in self._answers:
            self._answers[name].cancel(_cancelled())

    def _read(
        self,
        name: str,
        answer: Answer,
        listened: Answer,
        heard: Queue[Batch],
        go_on: _GoOn,
        finish: _Finish,
    ) -> None:
        events: list[ReplyEvent] = []
        batch: Batch = []
        next_look_s = time.monotonic() + self._look_s
        try:
            while not answer.is_over():
                listened.asked_bot = answer.asked_bot
                if batch:
                    heard.put(batch)
                batch = answer.next(self._look_s) or []
                events += batch
                if time.monotonic() < next_look_s:
                    continue
                next_look_s = time.monotonic() + self._look_s
                if not go_on():
                    answer.cancel(_cancelled())
            finish(events)
        finally:
            del self._answers[name]
            answer.close()
            heard.put(batch)


def _pass_on(heard: Queue[Batch], listened: Answer) -> None:
    """Hand on batches up to the end, or until the listener leaves and ends this greenlet."""
    batch: Batch = []
    while not batch or not isinstance(batch[-1], END):
        batch = heard.get()
        listened.put(0, batch)


def _cancelled() -> ClientError:
    return ClientError(ErrorKind.CLIENT_GONE, "The client cancelled this answer.")
