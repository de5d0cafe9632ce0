"""The folder of the state in one file, and back again.

A backup is a tar file, packed with gzip: `state/` and what the folder holds, then `backup.json`,
which names every file with its size and SHA-256. It comes last, so that a backup that was cut off
is known for one. The store's file is copied by SQLite's own means while others write it. Taken
along are the files that lie in the folder itself, and those of `files/`; not what the store keeps
beside its file, nor what has a dot in front.

What is restored is examined as a whole before anything is touched, and what it replaces stays in a
folder beside it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import stat
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from poeflask.core import json_text
from poeflask.stores import STORE_FILE
from poeflask.stores.contents import FILES_FOLDER
from poeflask.stores.sqlite_file import (
    FileNotCopiedError,
    alone,
    companions,
    copy_file,
    faults,
    folder_lock,
)

FORM = 1
"""The number of the form of backups; a later one is refused."""

MAX_BYTES = 64 * 2**30
MAX_FILES = 200_000
MAX_FILE_BYTES = 2**20
"""The largest file that is taken along from the folder itself, beside the store's."""

_LIST = "backup.json"
_LIST_MAX_BYTES = 64 * 2**20
_FILLING_MAX_BYTES = 2**16
_STATE = "state/"
_NAME = re.compile(rf"(?:{FILES_FOLDER}/)?[A-Za-z0-9_][A-Za-z0-9_.@-]{{0,200}}")
_DATED = re.compile(r"poeflask-[0-9]{8}T[0-9]{6}Z\.tar\.gz")
_CHUNK_BYTES = 2**20

Progress = Callable[[int, int], None]
"""Told how many bytes are done, of how many."""


class BackupError(Exception):
    """There is no backup, or it was not restored; the message says why and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was backed up or restored.

    Attributes:
        file: the backup.
        state_dir: the folder of the state.
        files: how many files of the folder it has.
        bytes: how large they are together.
        created_s: when the backup was made, in seconds since 1970.
        replaced: the folder with what was there before; None if a backup was made.
    """

    file: Path
    state_dir: Path
    files: int
    bytes: int
    created_s: float
    replaced: Path | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    sha256: str


def back_up(
    state_dir: Path,
    file: Path,
    *,
    version: str,
    progress: Progress = lambda _done, _total: None,
    clock: Callable[[], float] = time.time,
) -> Summary:
    """Write the folder's state into a file, mode 0600, all of it or nothing.

    Args:
        state_dir: the folder; services may run on it.
        file: the backup; one that is there is replaced.
        version: poeflask's own, for people who look into the backup.
        progress: told how far it is.
        clock: seconds since 1970.

    Raises:
        BackupError: it cannot be written.
    """
    created_s = clock()
    try:
        unfinished = _unfinished(file)
        try:
            entries = _pack(state_dir, unfinished, version, created_s, progress)
            os.replace(unfinished, file)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, FileNotCopiedError) as error:
        raise BackupError(f"{file} was not written: {error}.") from error
    size = sum(entry.size for entry in entries)
    return Summary(
        file=file, state_dir=state_dir, files=len(entries), bytes=size, created_s=created_s
    )


def dated(folder: Path, *, clock: Callable[[], float] = time.time) -> Path:
    """A name in the folder for a backup of now."""
    return folder / f"poeflask-{_date(clock())}.tar.gz"


def prune(folder: Path, keep: int) -> None:
    """Delete all backups with a date but so many of the latest; nothing else in the folder.

    Raises:
        BackupError: one cannot be deleted.
    """
    names = sorted(path for path in folder.iterdir() if _DATED.fullmatch(path.name))
    try:
        for path in names[:-keep]:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"{folder} keeps older backups than it should: {error}.") from error


def restore(
    state_dir: Path,
    file: Path,
    *,
    force: bool = False,
    progress: Progress = lambda _done, _total: None,
    clock: Callable[[], float] = time.time,
) -> Summary:
    """Put the state of a backup in the place of the folder's.

    Args:
        state_dir: the folder; made if it is not there.
        file: the backup.
        force: also while services have the store open; they go on with what is restored.
        progress: told how far it is.
        clock: seconds since 1970.

    Raises:
        FileInUseError: services have the store open, and `force` is not given.
        BackupError: the backup is none, is damaged, or cannot be unpacked. Nothing has changed.
    """
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".restore-", dir=state_dir))
        try:
            created_s, entries = _unpack(file, staging, progress)
            replaced = state_dir / f"before-restore-{_date(clock())}"
            if force:
                _exchange(state_dir, staging, replaced)
            else:
                with alone(state_dir / STORE_FILE):
                    _exchange(state_dir, staging, replaced)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise BackupError(f"{file} was not restored: {error}.") from error
    size = sum(entry.size for entry in entries)
    return Summary(
        file=file,
        state_dir=state_dir,
        files=len(entries),
        bytes=size,
        created_s=created_s,
        replaced=replaced,
    )


def _date(seconds: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def _unfinished(file: Path) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    return Path(name)


def _kept_files(state_dir: Path) -> Iterator[tuple[str, Path]]:
    """The names and paths of what a backup takes along, the store's file left out."""
    kept_beside = {path.name for path in companions(Path(STORE_FILE))} | {f"{STORE_FILE}-lock"}
    for folder, prefix, most in (
        (state_dir, "", MAX_FILE_BYTES),
        (state_dir / FILES_FOLDER, f"{FILES_FOLDER}/", None),
    ):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            status = path.lstat()
            fits = most is None or status.st_size <= most
            name = prefix + path.name
            if name == STORE_FILE or name in kept_beside or not _NAME.fullmatch(name):
                continue
            if stat.S_ISREG(status.st_mode) and fits and not name.endswith(".part"):
                yield name, path


def _pack(
    state_dir: Path, target: Path, version: str, created_s: float, progress: Progress
) -> list[_Entry]:
    entries = []
    kept = list(_kept_files(state_dir))
    with (
        tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder,
        tarfile.open(target, "w:gz", format=tarfile.PAX_FORMAT, compresslevel=3) as tar,
    ):
        if (state_dir / STORE_FILE).exists():
            copy = Path(folder) / STORE_FILE
            copy_file(state_dir / STORE_FILE, copy)
            kept.insert(0, (STORE_FILE, copy))
        total = sum(path.stat().st_size for _, path in kept if path.exists())
        done = 0
        for name, path in kept:
            # A content that ends or is deleted meanwhile is no loss.
            with suppress(FileNotFoundError):
                entries.append(_add(tar, name, path))
                done += entries[-1].size
                progress(done, total)
        _add_list(tar, {"form": FORM, "version": version, "created_s": created_s}, entries)
    return entries


def _add(tar: tarfile.TarFile, name: str, path: Path) -> _Entry:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        member = tarfile.TarInfo(_STATE + name)
        member.size, member.mtime, member.mode = status.st_size, status.st_mtime, 0o600
        hashing = _Hashing(file)
        tar.addfile(member, hashing)
    return _Entry(name, member.size, hashing.hexdigest())


def _add_list(tar: tarfile.TarFile, head: dict[str, Any], entries: list[_Entry]) -> None:
    files = {entry.name: [entry.size, entry.sha256] for entry in entries}
    content = json_text.write({**head, "files": files}).encode()
    member = tarfile.TarInfo(_LIST)
    member.size, member.mtime, member.mode = len(content), head["created_s"], 0o600
    tar.addfile(member, io.BytesIO(content))


class _Hashing:
    """Reads a file and sums up what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self._file.read(size)
        self._sum.update(content)
        return content

    def hexdigest(self) -> str:
        """The sum of what was read."""
        return self._sum.hexdigest()


class _Unpacked(gzip.GzipFile):
    """What a backup holds; a header in it that claims to be huge is not read into memory."""

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, if they are asked for in bearable pieces."""
        if size is None or not 0 <= size <= _LIST_MAX_BYTES:
            raise ValueError("a part of it is too large")
        return super().read(size)

    def finish(self) -> None:
        """Read what fills the last block: where it ends, gzip compares the sum of all."""
        if len(self.read(_FILLING_MAX_BYTES)) == _FILLING_MAX_BYTES:
            raise ValueError("it goes on behind its end")


def _unpack(file: Path, staging: Path, progress: Progress) -> tuple[float, list[_Entry]]:
    """Unpack into an empty folder; give when the backup was made and what it holds."""
    try:
        with _Unpacked(file) as unpacked, tarfile.open(fileobj=unpacked, mode="r:") as tar:
            entries, listed = _unpack_members(tar, file, staging, progress)
            unpacked.finish()
    except (tarfile.TarError, zlib.error, EOFError, ValueError, ArithmeticError) as error:
        raise BackupError(f"{file} is no backup, or is damaged: {error}.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        # gzip's own complaints have no number.
        raise BackupError(f"{file} is no backup, or is damaged: {error}.") from error
    created_s = _check_list(file, entries, listed)
    store = staging / STORE_FILE
    fault = faults(store) if store.exists() else None
    if fault:
        raise BackupError(f"{file} holds a store that cannot be used: {fault}")
    return created_s, entries


def _unpack_members(
    tar: tarfile.TarFile, file: Path, staging: Path, progress: Progress
) -> tuple[list[_Entry], bytes | None]:
    entries: list[_Entry] = []
    listed: bytes | None = None
    left = min(MAX_BYTES, shutil.disk_usage(staging).free)
    total = file.stat().st_size
    for member in tar:
        plain = member.isreg() and not member.issparse() and member.size >= 0
        content = tar.extractfile(member) if plain else None
        if content is None or listed is not None:
            raise BackupError(f"{file} is no backup: {member.name!r} has no place in one.")
        if member.name == _LIST and member.size <= _LIST_MAX_BYTES:
            listed = content.read()
            continue
        left -= member.size
        if left < 0 or len(entries) >= MAX_FILES:
            raise BackupError(f"{file} holds more than there is room for in {staging.parent}.")
        entries.append(_unpack_one(member, content, file, staging))
        progress(min(tar.offset, total), total)
    return entries, listed


def _unpack_one(member: tarfile.TarInfo, content: IO[bytes], file: Path, staging: Path) -> _Entry:
    name = member.name.removeprefix(_STATE)
    if name == member.name or not _NAME.fullmatch(name):
        raise BackupError(f"{file} is no backup: {member.name!r} has no place in one.")
    path = staging / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    hashing = _Hashing(content)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while chunk := hashing.read(_CHUNK_BYTES):
            target.write(chunk)
    os.utime(path, (member.mtime, member.mtime))
    return _Entry(name, member.size, hashing.hexdigest())


def _check_list(file: Path, entries: list[_Entry], listed: bytes | None) -> float:
    """When the backup was made; raises BackupError unless it has what it says."""
    if listed is None:
        raise BackupError(f"{file} ends too early; take a backup that was finished.")
    try:
        head = json_text.read(listed)
        form, created_s, files = int(head["form"]), float(head["created_s"]), head["files"]
        wanted = {name: (int(size), str(digest)) for name, (size, digest) in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(f"{file} is no backup: its {_LIST} cannot be read.") from error
    if form > FORM:
        raise BackupError(
            f"{file} was written by a later poeflask: it has form {form}, and this version knows "
            f"forms up to {FORM}. Install the later version."
        )
    if wanted != {entry.name: (entry.size, entry.sha256) for entry in entries}:
        raise BackupError(f"{file} is damaged: it does not hold what its {_LIST} names.")
    return created_s


def _exchange(state_dir: Path, staging: Path, replaced: Path) -> None:
    """Put aside what a backup would hold, and put what was unpacked in its place, or neither."""
    names = {name.partition("/")[0] for name, _ in _kept_files(state_dir)}
    names |= {STORE_FILE, *(path.name for path in companions(Path(STORE_FILE)))}
    replaced.mkdir(mode=0o700)
    moves = [(state_dir / name, replaced / name) for name in sorted(names)]
    moves += [(path, state_dir / path.name) for path in sorted(staging.iterdir())]
    moved: list[tuple[Path, Path]] = []
    # Services that find no file wait for this lock before they make a new one.
    with folder_lock(state_dir):
        try:
            for source, target in moves:
                if source.exists():
                    source.rename(target)
                    moved.append((source, target))
        except OSError:
            for source, target in reversed(moved):
                target.rename(source)
            raise
