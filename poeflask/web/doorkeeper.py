"""Who may come in with which key: one of Poe's, or one that the owner of this service gave out."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Literal

from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.gateway_key import GatewayKey
from poeflask.stores.gateway_keys import PREFIX, GatewayKeys
from poeflask.web.throttle import Throttle

Mode = Literal["passthrough", "keys", "both"]
"""Which keys are taken: Poe's, this service's own, or either."""


class Doorkeeper:
    """Knows callers by their keys.

    Args:
        keys: the keys that the owner of this service gave out.
        mode: which keys are taken.
        clock: seconds since 1970.
        throttle: holds back addresses that guess.
    """

    def __init__(
        self,
        keys: GatewayKeys,
        mode: Mode,
        *,
        clock: Callable[[], float],
        throttle: Throttle | None = None,
    ) -> None:
        self._keys = keys
        self._mode = mode
        self._clock = clock
        self._throttle = throttle or Throttle()

    @property
    def takes_gateway_keys(self) -> bool:
        """Whether keys that were given out here open anything."""
        return self._mode != "passthrough"

    def caller(self, key: str, address: str) -> Caller:
        """The caller that a key stands for.

        Args:
            key: what was brought as one.
            address: where the request came from.

        Raises:
            ClientError: kind UNAUTHENTICATED or FORBIDDEN, if the key is not taken; kind
                TOO_MANY_REQUESTS, if the address has brought too many that are unknown.
            OwnError: kind BUSY, if the keys cannot be looked at.
        """
        if not key.startswith(PREFIX):
            if self._mode == "keys":
                raise _refused("Poe's own keys are not taken here. Send a key of this service.")
            return Caller(owner=owner_of(key), poe_key=key)
        if not self.takes_gateway_keys:
            raise _refused("Keys of this service are switched off. Send a key of Poe's.")
        known = self._known(key, address)
        if known.has_expired(self._clock()):
            raise _refused(f"The key {known.name!r} has expired.", code="api_key_expired")
        if known.disabled:
            raise ClientError(
                ErrorKind.FORBIDDEN,
                f"The key {known.name!r} is switched off. Whoever gave it to you can switch it on.",
                code="api_key_disabled",
            )
        return Caller(
            owner=owner_of_gateway_key(known.id), key_id=known.id, key_name=known.name, key=known
        )

    def _known(self, key: str, address: str) -> GatewayKey:
        # Whoever shares an address with somebody who guesses is not kept out.
        wait_s = 0.0 if self._keys.knows(key) else self._throttle.wait_s(address)
        if wait_s:
            raise ClientError(
                ErrorKind.TOO_MANY_REQUESTS,
                "Too many unknown keys came from this address; wait a moment.",
                retry_after_s=wait_s,
            )
        known = self._keys.find(key)
        if known is None:
            self._throttle.failed(address)
            raise _refused("There is no such key, or it was revoked.")
        return known


def owner_of(key: str) -> str:
    """The name under which what belongs to a key is kept; it does not lead back to the key."""
    return sha256(b"poeflask owner\n" + key.encode()).hexdigest()[:32]


def owner_of_gateway_key(key_id: str) -> str:
    """As `owner_of`, of a gateway key: the same name whatever its text is, and no other key's."""
    return sha256(b"poeflask gateway key\n" + key_id.encode()).hexdigest()[:32]


def _refused(sentence: str, code: str | None = None) -> ClientError:
    return ClientError(ErrorKind.UNAUTHENTICATED, sentence, code=code)
