"""The keys that the owner of this service gives out: issued, found, changed and revoked.

A key is "pf-", its id, and 192 bits of chance. Of the key itself only a hash is kept, made under
the server's secret. What a worker knows of a key it asks the store for again after a second, so
that whatever changes is seen by all workers soon after.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from poeflask.core.gateway_key import GatewayKey
from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace
from poeflask.stores.server_secret import ServerSecret
from poeflask.stores.turns import turn

PREFIX = "pf-"
"""How every gateway key begins, and no key of Poe's."""

SEEN_WITHIN_S = 1.0
"""How long a worker may not see that a key was changed or revoked."""

_ID_BYTES = 6
_SECRET_BYTES = 24
_KEY = re.compile(rf"pf-([0-9a-f]{{{2 * _ID_BYTES}}})-[0-9a-f]{{{2 * _SECRET_BYTES}}}")
_REMEMBERED = 4096
_PAGE = 500


class _Known(NamedTuple):
    key: GatewayKey
    hash: str


class _Seen(NamedTuple):
    known: _Known
    until_s: float


class GatewayKeys:
    """All keys.

    Args:
        store: where they are kept. If it cannot be reached, every method raises OwnError of kind
            BUSY: who may do what is not guessed.
        secret: under which they are hashed.
        clock: seconds since 1970.
        monotonic: seconds that only go on.
    """

    def __init__(
        self,
        store: Store,
        secret: ServerSecret,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept = Namespace(store, "gateway-keys:1", on_failure="refuse")
        self._turns = Namespace(store, "gateway-keys", on_failure="refuse")
        self._secret = secret
        self._secrets: tuple[bytes, ...] = ()
        self._clock = clock
        self._monotonic = monotonic
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def issue(self, said: Mapping[str, Any]) -> tuple[GatewayKey, str]:
        """Make a key; give what is known of it and the key itself, which nobody can tell again.

        Args:
            said: fields as `GatewayKey.changed` takes them; "name" must be among them.

        Raises:
            KeyFaultError: a field is unknown or holds what it cannot hold.
        """
        blank = GatewayKey(id=secrets.token_hex(_ID_BYTES), name="", created_s=self._clock())
        return self._give(blank.changed({"name": "", **said}))

    def find(self, text: str) -> GatewayKey | None:
        """What is known of the key that somebody brings; None if there is no such key."""
        match = _KEY.fullmatch(text)
        known = None if match is None else self._look_up(match[1])
        return known.key if known is not None and self._is(text, known) else None

    def knows(self, text: str) -> bool:
        """Whether this worker has seen the very key lately; the store is not asked."""
        match = _KEY.fullmatch(text)
        seen = None if match is None else self._seen.get(match[1])
        return seen is not None and self._is(text, seen.known)

    def all(self) -> list[GatewayKey]:
        """All keys, oldest first."""
        found: list[GatewayKey] = []
        after = ""
        while page := self._kept.items(after=after, limit=_PAGE):
            found += [_known(record).key for _, record in page]
            after = page[-1][0]
        return sorted(found, key=lambda key: (key.created_s, key.id))

    def get(self, key_id: str) -> GatewayKey | None:
        """What is known of the key with this id, as it is now; None if there is none."""
        record = self._kept.get(key_id)
        return None if record is None else _known(record).key

    def change(self, key_id: str, said: Mapping[str, Any]) -> GatewayKey | None:
        """Change what is said of a key; give it as it is now, or None if there is none.

        Raises:
            KeyFaultError: as in `issue`; nothing is changed.
        """
        with turn(self._turns, key_id):
            record = self._kept.get(key_id)
            if record is None:
                return None
            known = _known(record)
            changed = known._replace(key=known.key.changed(said))
            self._keep(changed)
        return changed.key

    def rotate(self, key_id: str) -> tuple[GatewayKey, str] | None:
        """Give the key another text, from now on the only one; None if there is no such key.

        What it may do, what it has used and what belongs to it stay.
        """
        with turn(self._turns, key_id):
            key = self.get(key_id)
            return None if key is None else self._give(key)

    def revoke(self, key_id: str) -> bool:
        """Forget a key for good; false if there was none."""
        with turn(self._turns, key_id):
            there = self._kept.get(key_id) is not None
            self._kept.delete(key_id)
            self._seen.pop(key_id, None)
        return there

    def _give(self, key: GatewayKey) -> tuple[GatewayKey, str]:
        text = f"{PREFIX}{key.id}-{secrets.token_hex(_SECRET_BYTES)}"
        given = replace(key, last4=text[-4:])
        self._keep(_Known(given, _hash(self._all_secrets()[0], text)))
        return given, text

    def _keep(self, known: _Known) -> None:
        self._kept.put(known.key.id, {"key": known.key.record(), "hash": known.hash})
        self._seen.pop(known.key.id, None)

    def _look_up(self, key_id: str) -> _Known | None:
        seen = self._seen.get(key_id)
        if seen is not None and seen.until_s > self._monotonic():
            return seen.known
        # The second counts from before the question, not from a late answer.
        until_s = self._monotonic() + SEEN_WITHIN_S
        record = self._kept.get(key_id)
        if record is None:
            self._seen.pop(key_id, None)
            return None
        known = _known(record)
        self._seen[key_id] = _Seen(known, until_s)
        self._seen.move_to_end(key_id)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return known

    def _is(self, text: str, known: _Known) -> bool:
        return any(
            hmac.compare_digest(_hash(secret, text).encode(), known.hash.encode())
            for secret in self._all_secrets()
        )

    def _all_secrets(self) -> tuple[bytes, ...]:
        if not self._secrets:
            self._secrets = self._secret.read()
        return self._secrets


def _hash(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), sha256).hexdigest()


def _known(record: Mapping[str, Any]) -> _Known:
    return _Known(GatewayKey.of_record(record["key"]), record["hash"])
