"""What a store is: bytes under keys, each with an end or without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class StoreUnavailable(Exception):  # noqa: N818 - it names a state of the store, not a mistake
    """The store cannot be reached, is locked for too long, or is full."""


class Store(Protocol):
    """Shared state, small enough to be kept anywhere.

    What has come to its end is never returned, whether it has been swept away or not. A store that
    is full lets go of what would end soonest; what has no end it never drops by itself.

    Every method raises StoreUnavailable if the store does not answer in time.
    """

    def get(self, key: str) -> bytes | None:
        """The value, or None if there is none."""

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        """Keep the value, for so many seconds or for good, in place of any other."""

    def delete(self, key: str) -> None:
        """Forget the value, if there is one."""

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        """Add to the number under the key, which begins at 0, and give the sum.

        No other addition can come between. The value is the number in decimal digits. `ttl_s`
        counts from the first addition; later ones leave the end where it is.

        Raises:
            ValueError: the value under the key is no number.
        """

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin so, in the order of their characters.

        What is put or deleted while they are read may be missed or met.
        """

    def close(self) -> None:
        """Let go of what this process holds open; a later call opens it again."""
