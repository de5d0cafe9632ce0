"""A named corner of a store for JSON values, which knows what an unreachable store means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, OwnError
from poeflask.log_lines import get_logger
from poeflask.stores.base import Claim, Store, StoreUnavailable, Taken

OnFailure = Literal["forget", "refuse"]

_log = get_logger(__name__)


class Namespace:
    """JSON values under short keys, apart from those of every other namespace.

    With `on_failure="forget"` a store that cannot be reached is an empty one: nothing is found,
    what is kept is lost, and the answer to the client goes on. With "refuse" it is an error: what
    decides about access or money does not guess.

    A namespace whose values change their form needs a new name.

    Args:
        store: where the values are kept.
        name: the corner's name.
        on_failure: what a store that cannot be reached means.
    """

    def __init__(self, store: Store, name: str, *, on_failure: OnFailure) -> None:
        self._store = store
        self._name = name
        self._prefix = f"{name}/"
        self._on_failure = on_failure

    def get(self, key: str) -> Any:
        """The value, or None.

        Raises:
            OwnError: kind BUSY, here and in all methods, if the store cannot be reached and the
                namespace refuses then.
        """
        try:
            text = self._store.get(self._prefix + key)
        except StoreUnavailable as error:
            self._miss(error)
            return None
        return None if text is None else json_text.read(text)

    def put(self, key: str, value: Any, ttl_s: float | None = None) -> None:
        """Keep the value, for so many seconds or for good."""
        text = json_text.write(value).encode()
        try:
            self._store.put(self._prefix + key, text, ttl_s)
        except StoreUnavailable as error:
            self._miss(error)

    def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        try:
            self._store.delete(self._prefix + key)
        except StoreUnavailable as error:
            self._miss(error)

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        """Add to the number under the key and give the sum; see `Store.add`.

        A namespace that forgets gives the amount alone if the store cannot be reached.
        """
        try:
            return self._store.add(self._prefix + key, amount, ttl_s)
        except StoreUnavailable as error:
            self._miss(error)
            return amount

    def keys(self) -> Iterator[str]:
        """The keys of this namespace, in order."""
        try:
            for key in self._store.keys(self._prefix):
                yield key.removeprefix(self._prefix)
        except StoreUnavailable as error:
            self._miss(error)

    def items(self, *, after: str = "", limit: int) -> list[tuple[str, Any]]:
        """The first keys of this namespace strictly after that one, and their values, in order."""
        try:
            found = self._store.items(self._prefix, after=after, limit=limit)
        except StoreUnavailable as error:
            self._miss(error)
            return []
        return [(key.removeprefix(self._prefix), json_text.read(text)) for key, text in found]

    def take(self, claims: Sequence[Claim]) -> Taken:
        """Take all that is claimed, or nothing; see `Store.take`.

        A namespace that forgets grants everything if the store cannot be reached.
        """
        try:
            return self._store.take(
                [replace(claim, key=self._prefix + claim.key) for claim in claims]
            )
        except StoreUnavailable as error:
            self._miss(error)
            return Taken(None, (0,) * len(claims))

    def give_back(self, key: str, holder: str) -> None:
        """End the lease that the holder has under the key, if there is one."""
        try:
            self._store.give_back(self._prefix + key, holder)
        except StoreUnavailable as error:
            self._miss(error)

    def _miss(self, error: StoreUnavailable) -> None:
        _log.warning("store_unreachable", namespace=self._name, reason=str(error))
        if self._on_failure == "refuse":
            raise OwnError(
                ErrorKind.BUSY,
                "poeflask cannot reach its own records just now; try again in a moment.",
                retry_after_s=1.0,
            ) from error
