"""Heavy pure work off the event loop: counting tokens, mending JSON.

The libraries that do it let go of the interpreter or at least of the loop; a greenlet waits for the
result while others run. The pool is its own, because gevent's default one resolves host names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gevent.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A few threads, started when first needed, so that it is made before a worker forks.

    Args:
        size: how many; two, since the work is bounded by the processor.
    """

    def __init__(self, size: int = 2) -> None:
        self._size = size
        self._pool: ThreadPool | None = None

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The work's result; raises what it raises. Only the calling greenlet waits."""
        if self._pool is None:
            self._pool = ThreadPool(self._size)
        result: T = self._pool.apply(work, args, kwargs)
        return result
