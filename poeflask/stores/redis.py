"""A store in a Redis, or in a Valkey, which speaks the same: shared by all workers of all hosts.

Whatever reads and writes is one script of the server's, and nobody comes between. The server's
clock is the one that counts, so that hosts need not agree. Scripts use names that they make up, so
that the server must be a single one, with or without replicas, and no cluster.

How much is kept is bounded by the server's own `maxmemory`. With its policy `noeviction`, the
store lets go of what would end soonest; with another one, the server may forget what it likes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import ChildDeadlockedError
from redis.retry import Retry

from poeflask.stores import redis_scripts as scripts
from poeflask.stores.addresses import place_of
from poeflask.stores.base import Claim, Lease, Put, StoreUnavailable, Taken, Total, Window
from poeflask.stores.claims import check

_KEYS_AT_A_TIME = 256
_ROOM_KEYS = 256
_ROOM_TRIES = 8
_AWAY_S = 0.5
"""How long nobody asks a server that did not answer, so that not everybody waits for it."""
_CHUNK_BYTES = 512 * 1024

_FAILURES = (redis.RedisError, ChildDeadlockedError, OSError)
_MENDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (
        (redis.AuthenticationError, redis.exceptions.NoPermissionError),
        "Set POEFLASK_STORE_URL with the password of a user who may do everything there.",
    ),
    (redis.OutOfMemoryError, "Raise its maxmemory, or delete what others keep there."),
    (redis.ReadOnlyError, "Set POEFLASK_STORE_URL to the server that this one copies."),
    (redis.BusyLoadingError, "It is starting, and will answer in a while."),
    (redis.ResponseError, "Look at POEFLASK_STORE_URL and at that server's log."),
    (Exception, "Start it, or set POEFLASK_STORE_URL to where it is, with its password."),
)
"""What would help, by what failed; the first that fits."""

KEEPS_ALL = "noeviction"
"""The only policy with which keys and budgets are as safe as what is written into a file."""

_MISTAKE = "POEFLASK "
_UNFIT = "the URL of the Redis cannot be used; it should be such as redis://:password@host:6379/0"
_SECRETS = ("password", "ssl_password")


class RedisStore:
    """Keeps everything in the Redis at a URL, under names that begin with the prefix.

    Nothing is opened before it is used, so that it is made before a worker forks. A server that
    was away is asked again half a second later at the latest. No message holds the password.

    Args:
        url: redis://, rediss:// or unix://, as Redis' own clients take it.
        prefix: the beginning of all names.
        timeout_s: how long connecting, an answer, or a free connection may take.
        connections: how many this process holds at a time.
        clock: the time in seconds since 1970; by default the server's.

    Raises:
        ValueError: the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "poeflask:",
        timeout_s: float = 2.0,
        connections: int = 32,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._server = _Server(url, timeout_s=timeout_s, connections=connections)
        self._prefix = prefix
        self._clock = clock

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self._run(scripts.GET, key)
        return value

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        self.write([Put(key, value, ttl_s)])

    def write(self, puts: Sequence[Put]) -> None:
        fields: list[str | bytes] = []
        for put in puts:
            verb = "forget" if put.value is None else "put"
            fields += [put.key, verb, put.value or b"", _number(put.ttl_s)]
        self._write(scripts.WRITE, *fields)

    def delete(self, key: str) -> None:
        self.write([Put(key, None)])

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        return int(self._write(scripts.ADD, key, str(amount), _number(ttl_s)))

    def keys(self, prefix: str) -> Iterator[str]:
        start = b"[" + prefix.encode()
        while page := self._page(start, prefix, _KEYS_AT_A_TIME, "keys"):
            yield from map(bytes.decode, page)
            start = b"(" + page[-1]

    def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
        page = self._page(b"(" + (prefix + after).encode(), prefix, limit, "items")
        return [(key.decode(), value) for key, value in zip(page[::2], page[1::2], strict=True)]

    def take(self, claims: Sequence[Claim]) -> Taken:
        check(claims)
        fields = [field for claim in claims for field in _fields(claim)]
        refused, wait_s, *used = self._write(scripts.TAKE, *fields)
        return Taken(None if refused < 0 else refused, tuple(map(int, used)), float(wait_s))

    def give_back(self, key: str, holder: str) -> None:
        self._write(scripts.GIVE_BACK, key, holder)

    def eviction(self) -> str:
        """What the server does once it is full, as its `maxmemory-policy` names it.

        Raises:
            StoreUnavailable: it does not say.
        """
        with self._server.reached() as server:
            return str(server.info("memory").get("maxmemory_policy", KEEPS_ALL))

    def close(self) -> None:
        """Close this process's connections; the next use opens others."""
        self._server.close()

    def _page(self, start: bytes, prefix: str, limit: int, what: str) -> list[bytes]:
        # No text in UTF-8 holds the byte 255, so that it ends the keys that begin with a prefix.
        page: list[bytes] = self._run(
            scripts.PAGE, start, b"(" + prefix.encode() + b"\xff", str(limit), what
        )
        return page

    def _write(self, script: str, *fields: str | bytes) -> Any:
        """Run a script that needs room; while there is none, make some, a few times."""
        for _ in range(_ROOM_TRIES):
            try:
                return self._run(script, *fields)
            except StoreUnavailable as error:
                if not isinstance(error.__cause__, redis.OutOfMemoryError):
                    raise
            if not self._run(scripts.MAKE_ROOM, str(_ROOM_KEYS)):
                break
        return self._run(script, *fields)

    def _run(self, script: str, *fields: str | bytes) -> Any:
        now_s = None if self._clock is None else self._clock()
        return self._server.run(script, self._prefix, _number(now_s), *fields)


class RedisContents:
    """Keeps contents that are too large for a store in the same Redis, in chunks.

    A content that is not whole, because it still is being written or because the server let go of
    a part, is none.

    Args:
        url: see `RedisStore`.
        max_bytes: the most that all contents may take together.
        prefix: the beginning of all names.
        timeout_s: see `RedisStore`.
        clock: the time in seconds since 1970; by default the server's.

    Raises:
        ValueError: the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        max_bytes: int,
        prefix: str = "poeflask:",
        timeout_s: float = 2.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._server = _Server(url, timeout_s=timeout_s, connections=8)
        self._max_bytes = max_bytes
        self._prefix = prefix
        self._clock = clock

    def get(self, name: str) -> bytes | None:
        with self._server.reached() as server:
            size = server.hget(f"{self._prefix}file_sizes", name)
            if size is None:
                return None
            names = self._chunks(name, int(size))
            chunks: list[Any] = [server.get(chunk) for chunk in names]
        content = b"".join(chunk or b"" for chunk in chunks)
        return content if len(content) == int(size) else None

    def put(self, name: str, content: bytes, end_s: float) -> None:
        now_s = None if self._clock is None else self._clock()
        fields = (name, str(len(content)), repr(end_s), str(self._max_bytes))
        kept_ms = self._server.run(scripts.RESERVE, self._prefix, _number(now_s), *fields)
        if kept_ms < 0:
            raise StoreUnavailable(
                f"Files may take {self._max_bytes} bytes together, and these are taken."
            )
        try:
            self._put_chunks(name, content, kept_ms)
        except StoreUnavailable:
            with suppress(StoreUnavailable):
                self.delete(name)
            raise

    def delete(self, name: str) -> None:
        with self._server.reached() as server:
            size = server.hget(f"{self._prefix}file_sizes", name)
            server.hdel(f"{self._prefix}file_sizes", name)
            server.zrem(f"{self._prefix}file_ends", name)
            for chunk in self._chunks(name, int(size or 0)):
                server.unlink(chunk)

    def _put_chunks(self, name: str, content: bytes, kept_ms: int) -> None:
        for number, chunk in enumerate(self._chunks(name, len(content))):
            start = number * _CHUNK_BYTES
            with self._server.reached() as server:
                server.set(chunk, content[start : start + _CHUNK_BYTES], px=kept_ms)

    def _chunks(self, name: str, size: int) -> list[str]:
        count = math.ceil(size / _CHUNK_BYTES)
        return [f"{self._prefix}file:{name}:{number}" for number in range(count)]


class _Server:
    """The connections to one server, and what its failures mean."""

    def __init__(self, url: str, *, timeout_s: float, connections: int) -> None:
        options = _options(url)
        self._place = place_of(url)
        self._secrets = [options[name] for name in _SECRETS if options.get(name)]
        kind = options.pop("connection_class", redis.Connection)
        options |= {
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            "decode_responses": False,
            "protocol": 2,
            # A broken connection is found before it is used; nothing is asked twice, since what
            # is added twice would be wrong.
            "retry": Retry(NoBackoff(), 0),
        }
        _check_options(kind, options)
        pool = redis.BlockingConnectionPool(  # type: ignore[no-untyped-call] # it has no types
            connection_class=kind, max_connections=connections, timeout=timeout_s, **options
        )
        self._client = redis.Redis(connection_pool=pool)
        self._scripts: dict[str, Callable[..., Any]] = {}
        self._away_until_s = 0.0

    def run(self, script: str, prefix: str, *fields: str | bytes) -> Any:
        """What the script gives.

        Raises:
            ValueError: the script says that it was asked for what makes no sense.
            StoreUnavailable: it could not be run.
        """
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self._client.register_script(script)
        with self.reached():
            return known(keys=[prefix], args=fields)

    @contextmanager
    def reached(self) -> Iterator[redis.Redis]:
        """The client; what fails meanwhile is told as StoreUnavailable."""
        if time.monotonic() < self._away_until_s:
            raise StoreUnavailable(f"The Redis at {self._place} did not answer a moment ago.")
        try:
            yield self._client
        except _FAILURES as error:
            text = str(error)
            if text.startswith(_MISTAKE):
                raise ValueError(text.removeprefix(_MISTAKE)) from error
            if isinstance(error, redis.ConnectionError | redis.TimeoutError | OSError):
                self._away_until_s = time.monotonic() + _AWAY_S
            raise StoreUnavailable(self._told(error)) from error

    def close(self) -> None:
        """Close all connections of this process."""
        self._client.connection_pool.disconnect()

    def _told(self, error: Exception) -> str:
        text = str(error) or type(error).__name__
        for secret in self._secrets:
            text = text.replace(secret, "***")
        mend = next(mend for kinds, mend in _MENDS if isinstance(error, kinds))
        return f"The Redis at {self._place} failed: {text.rstrip('.')}. {mend}"


def _options(url: str) -> dict[str, Any]:
    # The library's own words may quote a part of the URL, which may be the password.
    try:
        options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call] # it has no types
    except ValueError:
        raise ValueError(_UNFIT) from None
    return options


def _check_options(kind: type[Any], options: dict[str, Any]) -> None:
    """Raise ValueError if the URL names a parameter that no connection has."""
    try:
        kind(**options)
    except TypeError:
        raise ValueError(_UNFIT) from None


def _fields(claim: Claim) -> list[str]:
    """A claim as its script reads it."""
    limit = "" if claim.limit is None else str(claim.limit)
    match claim:
        case Window():
            much, span_s, age_s = str(claim.amount), repr(claim.window_s), repr(claim.age_s)
            return ["window", claim.key, much, limit, span_s, age_s, ""]
        case Total():
            return ["total", claim.key, str(claim.amount), limit, repr(claim.ttl_s), "", ""]
        case Lease():
            return ["lease", claim.key, "", limit, repr(claim.ttl_s), "", claim.holder]


def _number(number: float | None) -> str:
    return "" if number is None else repr(number)
