"""Who is logged in. The browser holds a random secret; the store its hash, until the session ends.

A session ends when nobody used it for a while, after some days in any case, at logout, and with the
password under which it began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace

IDLE_S = 12 * 3600.0
TOTAL_S = 7 * 86_400.0

_NOTED_EVERY_S = 60.0
"""Use is noted this often: not each request writes to the store."""

_LONGEST_SECRET = 128


@dataclass(frozen=True, slots=True)
class Session:
    """A login that goes on.

    Attributes:
        csrf: what each form of this session sends along; no other site can know it.
        ends_s: seconds since 1970 at which it ends, however much it is used.
    """

    csrf: str
    ends_s: float

    def sent(self, csrf: str) -> bool:
        """Whether a form with this token is one of this session's own."""
        return compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """All sessions.

    Args:
        store: where they are kept.
        clock: seconds since 1970.
        new_secret: 256 bits that nobody can guess, as text.
        idle_s: how long a session goes on without use.
        total_s: how long it goes on at most.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        new_secret: Callable[[], str],
        idle_s: float = IDLE_S,
        total_s: float = TOTAL_S,
    ) -> None:
        self._kept = Namespace(store, "admin-sessions", on_failure="refuse")
        self._clock = clock
        self._new_secret = new_secret
        self._idle_s = idle_s
        self._total_s = total_s

    def begin(self, password_id: str) -> str:
        """A new session under the password of this id; what is given is the browser's secret.

        Raises:
            OwnError: kind BUSY, here and in all methods, if the store cannot be reached.
        """
        secret = self._new_secret()
        now = self._clock()
        self._keep(_key(secret), {"began_s": now, "seen_s": now, "password": password_id})
        return secret

    def find(self, secret: str, password_id: str) -> Session | None:
        """The session of this secret; None if it has ended or another password is in force."""
        if not secret or len(secret) > _LONGEST_SECRET:
            return None
        key = _key(secret)
        kept = self._kept.get(key)
        if kept is None:
            return None
        ends_s = kept["began_s"] + self._total_s
        now = self._clock()
        if now >= ends_s or kept["password"] != password_id:
            self._kept.delete(key)
            return None
        if now - kept["seen_s"] >= _NOTED_EVERY_S:
            self._keep(key, {**kept, "seen_s": now})
        return Session(_csrf(secret), ends_s)

    def end(self, secret: str) -> None:
        """End the session of this secret, if there is one."""
        self._kept.delete(_key(secret))

    def end_others(self, secret: str) -> int:
        """End all sessions but the one of this secret; how many there were."""
        others = [key for key in self._kept.keys() if key != _key(secret)]  # noqa: SIM118 - no dict
        for key in others:
            self._kept.delete(key)
        return len(others)

    def count(self) -> int:
        """How many go on."""
        return sum(1 for _ in self._kept.keys())  # noqa: SIM118 - as above

    def _keep(self, key: str, value: dict[str, Any]) -> None:
        left_s = value["began_s"] + self._total_s - self._clock()
        self._kept.put(key, value, min(self._idle_s, left_s))


def _key(secret: str) -> str:
    return sha256(b"poeflask session\n" + secret.encode()).hexdigest()


def _csrf(secret: str) -> str:
    """Follows from the secret, so that nothing more is kept; does not lead back to it."""
    return sha256(b"poeflask csrf\n" + secret.encode()).hexdigest()
