"""By which key a bot is asked, and what is learnt from how it answers: keys, circuits and pace."""

from __future__ import annotations

from collections.abc import Collection

from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.poe.breaker import FAILURES, Breakers, Permit
from poeflask.poe.keys import Lease, PoeKeys, fingerprint
from poeflask.poe.pacing import Pacer
from poeflask.poe.spacing import Spacing

FAULTS_NAMESPACE = "upstream"
"""Where faults of keys and bots are told to all workers."""

PACE_NAMESPACE = "pace"
"""Where all workers count what each key sends."""

_KEY_FAULTS = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.NO_POINTS, ErrorKind.BAD_KEY})
"""What says nothing of the bot."""


class Way:
    """One bot and one key, for one try. Must be closed."""

    __slots__ = ("_bot", "_lease", "_owner", "_permit", "_ways", "fingerprint", "key")

    def __init__(
        self, ways: Ways, bot: str, owner: str, key: str, mark: str, lease: Lease | None
    ) -> None:
        self._ways: Ways | None = ways
        self._bot = bot
        self._owner = owner
        self._lease = lease
        self._permit: Permit | None = None
        self.key = key
        self.fingerprint = mark

    def wait_turn(self) -> None:
        """Return as soon as a query may go out this way.

        Raises:
            ClientError: kind TOO_MANY_REQUESTS, if it would take too long.
        """
        if self._ways is None:
            return
        if self._ways.pacer is not None:
            self._ways.pacer.take(self.fingerprint, self._owner)
        if self._ways.spacing is not None:
            self._ways.spacing.wait()

    def answers(self) -> None:
        """The bot has begun to answer."""
        permit, self._permit = self._permit, None
        if permit is not None and self._ways is not None and self._ways.breakers is not None:
            self._ways.breakers.succeed(self._bot, self.fingerprint, permit)

    def failed(self, error: PoeflaskError) -> bool:
        """The bot did not begin to answer; gives whether another key may fare better, at once."""
        if self._ways is None:
            return False
        self._tell_breakers(self._ways, error)
        return self.key_failed(error)

    def key_failed(self, error: PoeflaskError) -> bool:
        """As `failed`, of something that the bot had no part in, such as an upload."""
        if self._lease is None or self._ways is None or self._ways.keys is None:
            return False
        return self._ways.keys.failed(self.fingerprint, self._bot, error)

    def close(self) -> None:
        """Let go of the key. May be called again."""
        ways, self._ways = self._ways, None
        if ways is None:
            return
        if self._permit is not None and ways.breakers is not None:
            ways.breakers.give_up(self._bot, self.fingerprint, self._permit)
        if self._lease is not None:
            self._lease.give_back()

    def ask_leave(self) -> float:
        """Seconds until the bot may be asked this way; 0 for now."""
        if self._ways is None or self._ways.breakers is None:
            return 0.0
        permit = self._ways.breakers.ask(self._bot, self.fingerprint)
        if permit.wait_s:
            return permit.wait_s
        self._permit = permit
        return 0.0

    def _tell_breakers(self, ways: Ways, error: PoeflaskError) -> None:
        """A request that Poe will never take says nothing of the bot's health, nor does a key."""
        if ways.breakers is None or self._permit is None:
            return
        if not isinstance(error, PoeError) or error.kind in _KEY_FAULTS:
            return
        if error.kind not in FAILURES:
            self.answers()
        elif error.allow_retry:
            permit, self._permit = self._permit, None
            ways.breakers.fail(self._bot, self.fingerprint, permit)


class Ways:
    """Finds the way for each try. Without any part it takes the caller's key and nothing else.

    Args:
        keys: the pool, for callers who bring no key.
        breakers: the circuits of bots and keys.
        pacer: holds back what Poe would refuse.
        spacing: keeps queries apart.
    """

    def __init__(
        self,
        *,
        keys: PoeKeys | None = None,
        breakers: Breakers | None = None,
        pacer: Pacer | None = None,
        spacing: Spacing | None = None,
    ) -> None:
        self.keys = keys
        self.breakers = breakers
        self.pacer = pacer
        self.spacing = spacing

    def open(self, bot: str, caller: Caller, but: Collection[str]) -> Way:
        """A way to a bot for a caller.

        Args:
            bot: who is to be asked.
            caller: whose key pays; the pool does if there is none.
            but: fingerprints of keys of the pool that were tried already.

        Raises:
            PoeflaskError: there is none now.
        """
        if caller.poe_key or self.keys is None:
            key = caller.poe_key
            way = Way(self, bot, caller.owner, key, fingerprint(key), None)
            wait_s = way.ask_leave()
            if wait_s:
                raise _open_circuit(bot, wait_s)
            return way
        return self._from_pool(self.keys, bot, caller.owner, set(but))

    def _from_pool(self, keys: PoeKeys, bot: str, owner: str, but: set[str]) -> Way:
        waits_s: list[float] = []
        while True:
            try:
                lease = keys.lease(bot, but)
            except PoeflaskError as error:
                raise _open_circuit(bot, min(waits_s)) if waits_s else error from error
            way = Way(self, bot, owner, lease.key, lease.fingerprint, lease)
            try:
                wait_s = way.ask_leave()
            except BaseException:
                # The circuits may have to be read, and the greenlet be killed meanwhile.
                way.close()
                raise
            if not wait_s:
                return way
            way.close()
            waits_s.append(wait_s)
            but.add(lease.fingerprint)


def _open_circuit(bot: str, wait_s: float) -> PoeError:
    return PoeError(
        ErrorKind.POE_UNAVAILABLE,
        f"The bot {bot!r} failed several times in a row and is left alone for a while; "
        f"it is asked again in {max(1, round(wait_s))} seconds.",
        retry_after_s=max(1.0, wait_s),
    )
