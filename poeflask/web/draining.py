"""Ends the answers that are still running when the worker must stop, each with its own last word.

A server that is told to stop waits for running answers, but only so long; then it kills its
workers, and every stream that is still open breaks off in silence. A little before that, all of
them are cancelled here: their clients read an error that says that another try makes sense.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import gevent
from flask import Flask, current_app

from poeflask.bridge import Answer
from poeflask.core.errors import ErrorKind, OwnError

_NAME = "poeflask.drain"
_LOOK_S = 0.25
_MARGIN_S = 2.5
"""How long before its limit a worker needs to write the last words and to end."""


class Drain:
    """The answers that are being given, and their end if the worker stops before them.

    Args:
        clock: seconds that only go on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: set[Answer] = set()
        self._until_s: float | None = None

    def add(self, answer: Answer) -> None:
        """An answer begins."""
        self._answers.add(answer)
        if self._is_due():
            answer.cancel(_stopping())

    def discard(self, answer: Answer) -> None:
        """It has ended, however."""
        self._answers.discard(answer)

    def follow(self, is_alive: Callable[[], bool], limit_s: float) -> gevent.Greenlet:
        """Wait in a greenlet until the worker is told to stop, and then for most of its time.

        Args:
            is_alive: false once the worker was told to stop.
            limit_s: how long it may go on from then.
        """
        return gevent.spawn(self._follow, is_alive, limit_s)

    def _follow(self, is_alive: Callable[[], bool], limit_s: float) -> None:
        while is_alive():
            gevent.sleep(_LOOK_S)
        self._until_s = self._clock() + max(limit_s - _MARGIN_S, limit_s / 2) - _LOOK_S
        while not self._is_due():
            gevent.sleep(_LOOK_S)
        for answer in list(self._answers):
            answer.cancel(_stopping())

    def _is_due(self) -> bool:
        return self._until_s is not None and self._clock() >= self._until_s


def install(app: Flask) -> Drain:
    """Give the app its drain; the server's configuration finds it among the app's extensions."""
    drain = Drain()
    app.extensions[_NAME] = drain
    return drain


def drain() -> Drain:
    """The drain of the app that handles the current request."""
    return cast("Drain", current_app.extensions[_NAME])


def _stopping() -> OwnError:
    return OwnError(
        ErrorKind.DRAINING,
        "poeflask is being restarted and could not wait for the end of this answer; ask again.",
        retry_after_s=1.0,
    )
