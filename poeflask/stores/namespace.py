"""A named, typed corner of a store, which knows what to do when the store cannot be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, Literal, NoReturn, TypeVar

import structlog

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, OwnError
from poeflask.stores.base import Store, StoreUnavailable

_V = TypeVar("_V")

Unreachable = Literal["forget", "refuse"]

_log = structlog.get_logger(__name__)


class Namespace(Generic[_V]):
    """Values of one type under short keys.

    With `unreachable="forget"` a store that cannot be reached is an empty one: nothing is found,
    what is kept is lost, and the answer to the client goes on. With "refuse" it is an error: what
    decides about access or money does not guess.

    Values are kept as JSON. A namespace whose values change their form needs a new name.

    Args:
        store: where the values are kept.
        name: the corner's name; letters, digits, dots.
        unreachable: what a store that cannot be reached means.
        dump: makes of a value what JSON can say.
        load: makes the value of that again.
        ttl_s: how long a value is kept unless `put` says otherwise; None for good.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        unreachable: Unreachable,
        dump: Callable[[_V], Any],
        load: Callable[[Any], _V],
        ttl_s: float | None = None,
    ) -> None:
        self._store = store
        self._name = name
        self._prefix = f"{name}:"
        self._unreachable = unreachable
        self._dump = dump
        self._load = load
        self._ttl_s = ttl_s

    def get(self, key: str) -> _V | None:
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
        return None if text is None else self._load(json_text.read(text))

    def put(self, key: str, value: _V, ttl_s: float | None = None) -> None:
        """Keep the value, for the namespace's time or another."""
        text = json_text.write(self._dump(value)).encode()
        try:
            self._store.put(self._prefix + key, text, self._ttl_s if ttl_s is None else ttl_s)
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
            ttl_s = self._ttl_s if ttl_s is None else ttl_s
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

    def _miss(self, error: StoreUnavailable) -> None:
        _log.warning("store_unreachable", namespace=self._name, reason=str(error))
        if self._unreachable == "refuse":
            self._refuse(error)

    def _refuse(self, error: StoreUnavailable) -> NoReturn:
        raise OwnError(
            ErrorKind.BUSY,
            "poeflask cannot reach its own records just now; try again in a moment.",
            retry_after_s=1.0,
        ) from error
