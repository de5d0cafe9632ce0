"""A store in one SQLite file that all workers of a machine share.

Two rules keep many greenlets and many processes apart. A transaction never yields: it is a few
statements in a row, and other greenlets of the worker wait for microseconds. And nobody waits
inside SQLite for long, since that stops the whole worker: its own patience is a few milliseconds,
after which the transaction is given up, the greenlet sleeps, and others run meanwhile.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from poeflask.stores.base import Claim, Put, StoreUnavailable, Taken
from poeflask.stores.claims import Kept, is_claimed, judge, summed, to_keep, without
from poeflask.stores.sqlite_file import (
    FileFromLaterError,
    FileInUseError,
    FileNotCopiedError,
    identity,
    in_use,
    open_file,
    release,
)

_T = TypeVar("_T")
_Work = Callable[[sqlite3.Connection], _T]

_FIRST_WAIT_S = 0.005
_LONGEST_WAIT_S = 0.1
_SWEEP_EVERY = 64
_SWEEP_PAUSE_S = 60.0
_SWEEP_ROWS = 512
_ROOM_ROWS = 256
_KEYS_AT_A_TIME = 256

_FAILURES = (sqlite3.Error, OSError, FileFromLaterError, FileInUseError, FileNotCopiedError)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FORBIDDEN = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)
_FORBIDDEN_BY_SYSTEM = (
    errno.EACCES,
    errno.EEXIST,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
)
_FULL_FOR_SYSTEM = (errno.EDQUOT, errno.ENOSPC)
_MEND = (
    "Stop poeflask and get it back with `poeflask restore FILE` from a backup; or move the file "
    "away, with what is named as it is and -wal or -shm, to begin with an empty one."
)

_GET = "SELECT value, end_s FROM entries WHERE key = ? AND (end_s IS NULL OR end_s > ?)"
_PUT = "INSERT OR REPLACE INTO entries (key, value, end_s) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM entries WHERE key = ?"
_KEYS_FROM = (
    "SELECT key, end_s IS NULL OR end_s > ? FROM entries WHERE key >= ? ORDER BY key LIMIT ?"
)
_KEYS_AFTER = _KEYS_FROM.replace(">= ?", "> ?", 1)
# No text in UTF-8 holds the byte 255, so that it ends the keys that begin with a prefix.
_ITEMS = (
    "SELECT key, value FROM entries WHERE key > ? AND key < CAST(? AS TEXT) "
    "AND (end_s IS NULL OR end_s > ?) ORDER BY key LIMIT ?"
)
_SWEEP = (
    "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE end_s <= ? "
    "ORDER BY end_s LIMIT ?)"
)
_MAKE_ROOM = (
    "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE end_s IS NOT NULL "
    "AND NOT is_claimed(value) ORDER BY end_s LIMIT ?)"
)


class SqliteStore:
    """Keeps everything in the file at `path`, which is made when it is first needed, mode 0600.

    Each process opens its own connection at its first use, so that the store may be made before a
    fork. Writes survive the process at once and a power cut nearly always (synchronous=NORMAL).

    Args:
        path: the file; its folder must exist or be one that can be made.
        max_bytes: the largest that the file may grow.
        patience_s: how long a locked database is tried again before StoreUnavailable.
        clock: the time in seconds since 1970, the same for all processes.
        sleep: waits so many seconds and lets other greenlets run.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = 2**30,
        patience_s: float = 2.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep
        self._connection: sqlite3.Connection | None = None
        self._process_id = 0
        self._of_other_processes: list[sqlite3.Connection] = []
        self._writes = 0
        self._swept_s = 0.0
        self._file: tuple[int, int] | None = None
        self._lock = -1

    def get(self, key: str) -> bytes | None:
        kept = self._read(lambda connection: _kept(connection, key, self._clock()))
        return None if kept is None else kept.value

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        self.write([Put(key, value, ttl_s)])

    def write(self, puts: Sequence[Put]) -> None:
        now_s = self._clock()

        def work(connection: sqlite3.Connection) -> None:
            for put in puts:
                _keep(connection, put.key, to_keep(put, now_s))

        self._write(work)

    def delete(self, key: str) -> None:
        self.write([Put(key, None)])

    def add(self, key: str, amount: int, ttl_s: float | None = None) -> int:
        def work(connection: sqlite3.Connection) -> int:
            now_s = self._clock()
            kept = _kept(connection, key, now_s)
            total = summed(kept.value if kept else None, amount)
            first_end_s = None if ttl_s is None else now_s + ttl_s
            _keep(connection, key, Kept(b"%d" % total, kept.end_s if kept else first_end_s))
            return total

        return self._write(work)

    def keys(self, prefix: str) -> Iterator[str]:
        # Read in pages: a cursor left open while the caller yields would hold back checkpoints.
        page = self._page(_KEYS_FROM, prefix)
        while page:
            for key, living in page:
                if not key.startswith(prefix):
                    return
                if living:
                    yield key
            page = self._page(_KEYS_AFTER, page[-1][0])

    def items(self, prefix: str, *, after: str = "", limit: int) -> list[tuple[str, bytes]]:
        values = (prefix + after, prefix.encode() + b"\xff", self._clock(), limit)
        rows = self._read(lambda connection: connection.execute(_ITEMS, values).fetchall())
        return [(key, bytes(value)) for key, value in rows]

    def take(self, claims: Sequence[Claim]) -> Taken:
        def work(connection: sqlite3.Connection) -> Taken:
            now_s = self._clock()
            found = [_kept(connection, claim.key, now_s) for claim in claims]
            taken, changed = judge(claims, found, now_s)
            for key, kept in changed.items():
                _keep(connection, key, kept)
            return taken

        return self._write(work)

    def give_back(self, key: str, holder: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            kept = _kept(connection, key, self._clock())
            if kept is not None:
                _keep(connection, key, without(kept, holder))

        self._write(work)

    def close(self) -> None:
        """Close this process's connection; the next use opens another."""
        if self._connection is not None and self._process_id == os.getpid():
            self._connection.close()
            self._connection = None
            release(self._lock)

    def _page(self, select: str, start: str) -> list[tuple[str, int]]:
        values = (self._clock(), start, _KEYS_AT_A_TIME)
        return self._read(lambda connection: connection.execute(select, values).fetchall())

    def _read(self, work: _Work[_T]) -> _T:
        """Do the work; once a minute sweep first, so that what has ended goes without writes."""
        now_s = self._clock()
        if not 0 <= now_s - self._swept_s <= _SWEEP_PAUSE_S:
            self._swept_s = now_s
            with suppress(StoreUnavailable):
                self._patiently(_atomic(self._sweep), patience_s=0)
        return self._patiently(work)

    def _write(self, work: _Work[_T]) -> _T:
        """Do the work in one transaction; now and then, sweep a bounded number of rows first."""
        sweep = self._writes % _SWEEP_EVERY == 0
        self._writes += 1

        def transaction(connection: sqlite3.Connection) -> _T:
            if sweep:
                self._sweep(connection)
            return work(connection)

        try:
            return self._patiently(_atomic(transaction))
        except StoreUnavailable as error:
            if not _is(error.__cause__, sqlite3.SQLITE_FULL):
                raise
        self._patiently(_atomic(lambda connection: connection.execute(_MAKE_ROOM, (_ROOM_ROWS,))))
        return self._patiently(_atomic(work))

    def _sweep(self, connection: sqlite3.Connection) -> None:
        connection.execute(_SWEEP, (self._clock(), _SWEEP_ROWS))

    def _patiently(self, work: _Work[_T], patience_s: float | None = None) -> _T:
        """Do the work; while the database is locked, sleep and do it again.

        Args:
            work: what is done.
            patience_s: for how long; by default as long as the store's own.

        Raises:
            StoreUnavailable: locked for longer than `patience_s`, or any other trouble.
        """
        longest_s = self._patience_s if patience_s is None else patience_s
        waited_s, wait_s = 0.0, _FIRST_WAIT_S
        while True:
            try:
                return work(self._connected())
            except _FAILURES as error:
                if not _is_locked(error) or waited_s >= longest_s:
                    raise self._failed(error) from error
            self._sleep(wait_s)
            waited_s += wait_s
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _failed(self, error: Exception) -> StoreUnavailable:
        if isinstance(error, FileFromLaterError):
            return StoreUnavailable(str(error))
        if not any(_is(error, code) for code in _DAMAGED):
            return StoreUnavailable(f"The store {self._path} failed: {error}. {self._mend(error)}")
        # Whoever mends it should not have to restart what runs.
        self.close()
        return StoreUnavailable(f"The store {self._path} is damaged: {error}. {_MEND}")

    def _mend(self, error: Exception) -> str:
        number = error.errno if isinstance(error, OSError) else None
        if _is_locked(error):
            return f"`fuser -v {self._path}` names the programs that have it open; one holds it."
        if _is(error, sqlite3.SQLITE_FULL) or number in _FULL_FOR_SYSTEM:
            return f"Make room on its disk; it may itself grow to {self._max_bytes // 2**20} MiB."
        if any(_is(error, code) for code in _FORBIDDEN) or number in _FORBIDDEN_BY_SYSTEM:
            folder = self._path.parent
            return f"Let poeflask's user own {folder} and all in it, or set CONFIG_DIR to another."
        return "Look whether its disk has room and is sound."

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._process_id != os.getpid():
            # Of the process that forked this one: closing it here would drop that one's locks.
            self._of_other_processes.append(self._connection)
            self._connection = None
        if self._connection is not None and identity(self._path) != self._file:
            # Somebody deleted the file, or put another one in its place.
            self.close()
        if self._connection is None:
            self._connection = self._open()
            self._process_id = os.getpid()
            self._file = identity(self._path)
        return self._connection

    def _open(self) -> sqlite3.Connection:
        lock = in_use(self._path)
        try:
            connection = open_file(self._path, max_bytes=self._max_bytes)
            connection.create_function("is_claimed", 1, is_claimed, deterministic=True)
        except _FAILURES:
            release(lock)
            raise
        self._lock = lock
        return connection


def _kept(connection: sqlite3.Connection, key: str, now_s: float) -> Kept | None:
    row = connection.execute(_GET, (key, now_s)).fetchone()
    return None if row is None else Kept(bytes(row[0]), row[1])


def _keep(connection: sqlite3.Connection, key: str, kept: Kept | None) -> None:
    """Keep the value in place of any other; None forgets it."""
    if kept is None:
        connection.execute(_DELETE, (key,))
    else:
        connection.execute(_PUT, (key, *kept))


def _atomic(work: _Work[_T]) -> _Work[_T]:
    """The work in one transaction that locks before it reads, so that nobody comes between."""

    def transaction(connection: sqlite3.Connection) -> _T:
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return result

    return transaction


def _is_locked(error: BaseException) -> bool:
    return (
        isinstance(error, FileInUseError)
        or _is(error, sqlite3.SQLITE_BUSY)
        or _is(error, sqlite3.SQLITE_LOCKED)
    )


def _is(error: BaseException | None, code: int) -> bool:
    """Whether the error has this primary code, whatever extends it."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF == code
