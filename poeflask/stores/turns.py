"""One after the other: work on what several workers and hosts share, done by one at a time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.stores.base import Lease
from poeflask.stores.namespace import Namespace

_HELD_S = 10.0
_PATIENCE_S = 2 * _HELD_S
_WAIT_S = 0.02


@contextmanager
def turn(
    kept: Namespace, name: str, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Wait until nobody else is at this, and keep others waiting until the block ends.

    Whoever dies in the block keeps the others waiting for ten seconds; so long it may take.

    Args:
        kept: where the turns are kept; one that refuses if it cannot be reached.
        name: what is to be done by one alone.
        sleep: waits so many seconds.

    Raises:
        OwnError: kind BUSY, if it is not free in time.
    """
    key, holder = f"turn:{name}", secrets.token_hex(8)
    waited_s = 0.0
    while kept.take([Lease(key, holder, 1, _HELD_S)]).refused is not None:
        if waited_s >= _PATIENCE_S:
            raise OwnError(ErrorKind.BUSY, "Somebody else is changing this; try again.")
        sleep(_WAIT_S)
        waited_s += _WAIT_S
    try:
        yield
    finally:
        kept.give_back(key, holder)
