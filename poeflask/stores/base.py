"""What a store is: bytes under keys, each with an end or without, and claims to the scarce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_NUMBER = 2**53 - 1
"""The largest amount, limit and sum; the scripts of a Redis know no larger whole number."""


class StoreUnavailable(Exception):  # noqa: N818 - it names a state of the store, not a mistake
    """The store cannot be reached, is locked for too long, or is full."""


@dataclass(frozen=True, slots=True)
class Put:
    """A value to keep; None for one to forget.

    Attributes:
        key: where it is kept.
        value: what is kept, in place of any other; None if the key is to be deleted.
        ttl_s: for how many seconds; None for good.
    """

    key: str
    value: bytes | None
    ttl_s: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A claim to an amount of which only so much may be taken in any stretch of time.

    Whatever stretch of `window_s` seconds one looks at, what was taken in it is at most the limit.
    What is taken at nearly the same time is remembered together, so that the limit may bind a
    little longer than it must (by `window_s` / 20), and never shorter.

    One key is for one length of window. If it changes, what was taken before may be forgotten.

    Attributes:
        key: where it is counted.
        amount: how much is taken. Below 0 it is given back, as far as there is something, and
            never refused. 0 asks how much is used.
        limit: how much may be taken; None takes in any case, to settle what has happened already.
        window_s: how long what was taken counts, in seconds.
        age_s: with an amount below 0: how many seconds ago it was taken. What was taken longer ago
            than the window counts no more, so that nothing is given back.

    Raises:
        ValueError: an amount or a limit is beyond `MAX_NUMBER`, or a time is not above 0.
    """

    key: str
    amount: int
    limit: int | None
    window_s: float
    age_s: float = 0.0

    def __post_init__(self) -> None:
        _check_numbers(self.amount, self.limit)
        _check_seconds(self.window_s)


@dataclass(frozen=True, slots=True)
class Total:
    """A claim to an amount of which only so much may be taken until the count begins anew.

    `Store.add` and `Store.get` know the same number.

    Attributes:
        key: where it is counted, in decimal digits.
        amount: as in `Window`.
        limit: as in `Window`.
        ttl_s: how many seconds the count lives from the first that is taken.

    Raises:
        ValueError: as in `Window`.
    """

    key: str
    amount: int
    limit: int | None
    ttl_s: float

    def __post_init__(self) -> None:
        _check_numbers(self.amount, self.limit)
        _check_seconds(self.ttl_s)


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim to one of a few places, until it is given back or comes to its end.

    Who takes again as the same holder keeps the place, with a new end. All holders of a key are
    read and written together: it is meant for hundreds of them, not for many thousands.

    Attributes:
        key: where the places are.
        holder: who takes one; not empty, one line.
        limit: how many places there are; None for as many as are wanted.
        ttl_s: for how many seconds the place is held if nobody gives it back.

    Raises:
        ValueError: as in `Window`, or the holder is empty or has several lines.
    """

    key: str
    holder: str
    limit: int | None
    ttl_s: float

    def __post_init__(self) -> None:
        _check_numbers(0, self.limit)
        _check_seconds(self.ttl_s)
        if self.holder.splitlines() != [self.holder]:
            raise ValueError(f"{self.holder!r} cannot hold a lease; it should be one line of text")


Claim = Window | Total | Lease


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of claims.

    Attributes:
        refused: which claim was refused, counted from 0; of several, the one to be waited for
            longest. None if all were granted.
        used: how much of each is used: after all were granted, or, if not, at present. Of a
            lease, how many places are held.
        wait_s: if one was refused: it will not be granted earlier than in so many seconds, and
            then if nobody else takes more or gives back. One that asks for more than its limit is
            never granted.
    """

    refused: int | None
    used: tuple[int, ...]
    wait_s: float = 0.0


class Store(Protocol):
    """Shared state, small enough to be kept anywhere.

    What has come to its end is never returned, whether it has been swept away or not. A store that
    is full lets go of what would end soonest. By itself it never drops what has no end, nor what
    was claimed, since that would be granted again.

    Every method raises StoreUnavailable if the store does not answer in time.
    """

    def get(self, key: str) -> bytes | None:
        """The value, or None if there is none."""

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        """Keep the value, for so many seconds or for good, in place of any other."""

    def write(self, puts: Sequence[Put]) -> None:
        """Do all of these, in their order, or none; nobody sees a part of them."""

    def delete(self, key: str) -> None:
        """Forget the value, if there is one."""

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        """Add to the number under the key, which begins at 0, and give the sum.

        No other addition can come between. The value is the number in decimal digits. `ttl_s`
        counts from the first addition; later ones leave the end where it is.

        Raises:
            ValueError: the value under the key is no number, or the sum is beyond `MAX_NUMBER`.
        """

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin so, in the order of their characters.

        What is put or deleted while they are read may be missed or met.
        """

    def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
        """The first keys that begin so, whole, and their values, in the order of their characters.

        Args:
            prefix: how the keys begin.
            after: only keys that stand strictly after `prefix + after`: a page ends with a key
                whose rest behind the prefix the next one is asked with.
            limit: how many at most.
        """

    def take(self, claims: Sequence[Claim]) -> Taken:
        """Take all that is claimed, or nothing.

        No other taking can come between, of whatever worker or host. Claims that are refused
        change nothing. A clock that was set back delays nobody by more than one window.

        Raises:
            ValueError: two claims have the same key, or the value under a key is none of its kind.
        """

    def give_back(self, key: str, holder: str) -> None:
        """End the lease that the holder has under the key, if there is one.

        Raises:
            ValueError: the value under the key is no lease.
        """

    def close(self) -> None:
        """Let go of what this process holds open; a later call opens it again."""


def _check_numbers(amount: int, limit: int | None) -> None:
    if max(abs(amount), abs(limit or 0)) > MAX_NUMBER:
        raise ValueError(f"amounts and limits go up to {MAX_NUMBER}, not {amount} of {limit}")


def _check_seconds(seconds: float) -> None:
    if not 0 < seconds < MAX_NUMBER:
        raise ValueError(f"{seconds!r} is no time; it should be a number of seconds above 0")
