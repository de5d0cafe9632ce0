"""The file of the SQLite store: made, opened, brought to the newest form, copied and examined.

The form of a file is numbered (`PRAGMA user_version`). It goes forward only: an older one is copied
beside itself and then brought forward, a newer one is left alone.

SQLite keeps two more files beside it while it is open: -wal, and -shm, which tells what -wal holds.
Those of another file would ruin a new one: whoever makes the file takes them away first, and holds
the folder's lock meanwhile. A fourth one, -lock, is held by every process that has the store open.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

MIGRATIONS = (
    """
    CREATE TABLE IF NOT EXISTS entries (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL,
        end_s REAL
    );
    CREATE INDEX IF NOT EXISTS entries_end ON entries (end_s) WHERE end_s IS NOT NULL;
    """,
)
"""What leads from each form to the next; the first makes it. Only ever add to the end."""

WAL_MAX_BYTES = 8 * 2**20
"""What -wal is cut to when it begins anew: every 4 MB, unless somebody reads for long."""

_BUSY_TIMEOUT_MS = 20
_COPIED_PAGES = 256


class FileFromLaterError(Exception):
    """The file has a form that this version does not know."""


class FileNotCopiedError(Exception):
    """The file cannot be copied; the message says why."""


class FileInUseError(Exception):
    """Another process has the store open."""


def open_file(
    path: Path, *, max_bytes: int, migrations: tuple[str, ...] = MIGRATIONS
) -> sqlite3.Connection:
    """A connection to the file, which is made if it is not there, mode 0600.

    Raises:
        FileFromLaterError: it has a later form.
        FileNotCopiedError: it has an older form, and there is no copy of that.
        sqlite3.Error, OSError: it cannot be opened.
    """
    _make_private_file(path)
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL").close()
        connection.execute("PRAGMA synchronous = NORMAL").close()
        connection.execute(f"PRAGMA journal_size_limit = {WAL_MAX_BYTES}").close()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max_bytes // page_bytes}").close()
        _bring_forward(connection, path, migrations)
    except (sqlite3.Error, OSError, FileFromLaterError, FileNotCopiedError):
        connection.close()
        raise
    return connection


def copy_file(
    source: Path, target: Path, progress: Callable[[int, int], None] | None = None
) -> None:
    """A consistent copy of a file that others may write meanwhile, mode 0600, without -wal.

    Args:
        source: the file.
        target: where the copy will be; must not be there.
        progress: told how many bytes are copied, of how many.

    Raises:
        FileNotCopiedError, OSError: it cannot be copied.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        _copy(source, target, progress or (lambda _done, _total: None))
    except sqlite3.Error as error:
        raise FileNotCopiedError(f"{source} cannot be copied: {error}") from error


def faults(path: Path, migrations: tuple[str, ...] = MIGRATIONS) -> str | None:
    """What is wrong with a file that nobody uses, in a sentence; None if nothing is."""
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, OSError) as error:
        return f"{path} cannot be read: {error}."
    if version > len(migrations):
        return _from_later(path, version, len(migrations))
    return None if found == "ok" else f"{path} is damaged: {found}."


def identity(path: Path) -> tuple[int, int] | None:
    """What tells the file from another one at the same path; None if there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def companions(path: Path) -> list[Path]:
    """-wal and -shm of the file."""
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm")]


def in_use(path: Path) -> int:
    """Tell others that this process has the store open, until what is given back is released.

    Raises:
        FileInUseError: somebody exchanges the file just now.
        OSError: the lock's file cannot be made.
    """
    return _locked(path, fcntl.LOCK_SH)


def release(descriptor: int) -> None:
    """Give up a lock."""
    # gevent closes files a little later than it says, once its loop runs.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While nobody else has the store open.

    Raises:
        FileInUseError: somebody has.
        OSError: the lock's file cannot be made.
    """
    descriptor = _locked(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        release(descriptor)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """While nobody else makes or exchanges files of the store in the folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        release(descriptor)


def _copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as read,
        closing(sqlite3.connect(target, isolation_level=None)) as written,
    ):
        (page_bytes,) = read.execute("PRAGMA page_size").fetchone()

        def tell(_status: int, remaining: int, total: int) -> None:
            progress((total - remaining) * page_bytes, total * page_bytes)

        # One transaction for the whole copy: step by step, each write of another process would
        # make it begin anew. It holds up no writer, and -wal for as long as it takes.
        read.execute("BEGIN").close()
        read.execute("SELECT count(*) FROM sqlite_master").fetchone()
        read.backup(written, pages=_COPIED_PAGES, progress=tell, sleep=0)
        # The copy would ask for -wal and -shm wherever it is read.
        written.execute("PRAGMA journal_mode = DELETE").close()


def _locked(path: Path, kind: int) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.with_name(path.name + "-lock")
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise FileInUseError(f"{path} is open in another process") from error
    return descriptor


def _make_private_file(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the main one. A file that is there is left
    # alone: to open and close it here would drop the locks of this process's connections.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    with folder_lock(path.parent):
        if not path.exists():
            for left_over in companions(path):
                left_over.unlink(missing_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _bring_forward(connection: sqlite3.Connection, path: Path, migrations: tuple[str, ...]) -> None:
    version = _version(connection)
    if version > len(migrations):
        raise FileFromLaterError(_from_later(path, version, len(migrations)))
    if version == len(migrations):
        return
    if version:
        _keep_copy(path, version)
    connection.execute("BEGIN IMMEDIATE").close()
    try:
        # Another process may have been first.
        for step in range(_version(connection), len(migrations)):
            for statement in filter(str.strip, migrations[step].split(";")):
                connection.execute(statement).close()
            connection.execute(f"PRAGMA user_version = {step + 1}").close()
        connection.execute("COMMIT").close()
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK").close()


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _keep_copy(path: Path, version: int) -> None:
    """A copy as the file is now; the first process's is the one that counts."""
    kept = path.with_name(f"{path.name}.form-{version}")
    with folder_lock(path.parent):
        if not kept.exists():
            unfinished = kept.with_name(kept.name + ".part")
            unfinished.unlink(missing_ok=True)
            copy_file(path, unfinished)
            unfinished.rename(kept)


def _from_later(path: Path, version: int, known: int) -> str:
    return (
        f"{path} was written by a later poeflask: it has form {version}, and this version knows "
        f"forms up to {known}. Install the later version again, or restore an older backup."
    )
