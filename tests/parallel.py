"""How the tests run side by side, with pytest-xdist.

A worker of xdist is told by a thread of its own which tests to run, and its main thread waits for
that thread's word. Made after patching, the lock and the event between the two would be gevent's,
which end a main thread that nothing in its own loop can wake (LoopExit). They are made here anew.
"""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from execnet.gateway_base import MainThreadOnlyExecModel
from gevent.monkey import get_original

LOOK_EVERY_S = 0.005

FIRST = ("tests/deploy/", "tests/clients/", "tests/live/")
"""What mostly waits comes first, so that the processors have the rest to do meanwhile."""


class Flag:
    """An event that one thread may set for another; `wait` lets the greenlets of its thread run."""

    def __init__(self) -> None:
        self._up = False

    def set(self) -> None:
        """Let those go on who wait."""
        self._up = True

    def clear(self) -> None:
        """Make those wait who come."""
        self._up = False

    def is_set(self) -> bool:
        """Whether nobody need wait."""
        return self._up

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or so many seconds; tell whether it is."""
        with gevent.Timeout(timeout, False):
            while not self._up:
                gevent.sleep(LOOK_EVERY_S)
        return self._up


def install() -> None:
    """Make xdist's worker in this process wait in a way that gevent bears."""
    rlock: Any = get_original("_thread", "RLock")
    MainThreadOnlyExecModel.RLock = lambda _self: rlock()
    MainThreadOnlyExecModel.Event = lambda _self: Flag()


def order(item: pytest.Item) -> int:
    """Where a test belongs among all of them; equal for those whose order need not change."""
    places = (place for place, start in enumerate(FIRST) if item.nodeid.startswith(start))
    return next(places, len(FIRST))
