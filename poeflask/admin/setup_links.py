"""The link through which the first password, or a new one in place of a lost one, is set.

It holds a token in its fragment, which browsers do not send: no log of a server or a proxy sees it.
There is one link at a time; it works once and until its end. Only the token's hash is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest

from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace

TTL_S = 86_400.0

_KEY = "link"


class SetupLinks:
    """Makes links' tokens and takes them back.

    Args:
        store: where the token's hash is kept.
        new_secret: 256 bits that nobody can guess, as text that fits into a link.
        ttl_s: how long a link works.
    """

    def __init__(
        self, store: Store, new_secret: Callable[[], str], *, ttl_s: float = TTL_S
    ) -> None:
        self._links = Namespace(store, "admin-setup", on_failure="refuse")
        self._new_secret = new_secret
        self._ttl_s = ttl_s

    def make(self) -> str:
        """The token of a new link; an earlier link ends."""
        token = self._new_secret()
        self._links.put(_KEY, _hash(token), self._ttl_s)
        return token

    def works(self, token: str) -> bool:
        """Whether this is the token of the link that works at present."""
        kept = self._links.get(_KEY)
        return isinstance(kept, str) and compare_digest(kept, _hash(token))

    def take(self, token: str) -> bool:
        """Use the link up; False if it does not work, also because another was faster."""
        if not self.works(token):
            return False
        is_first = self._links.add(f"taken:{_hash(token)}", 1, self._ttl_s) == 1
        self._links.delete(_KEY)
        return is_first


def link(base_url: str, token: str) -> str:
    """The link itself, for a person to open."""
    return f"{base_url.rstrip('/')}/admin/setup#{token}"


def _hash(token: str) -> str:
    return sha256(b"poeflask setup\n" + token.encode()).hexdigest()
