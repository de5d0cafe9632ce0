"""Contents that are too large for the store: one file each in a folder, or kept in memory.

Who may have a content, and whether it still is there for anybody, is not known here: records in the
store say so. What has come to its end is swept away with the next content that is put.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from poeflask.stores.base import StoreUnavailable

FILES_FOLDER = "files"
"""The folder's name in the folder of the state."""

MEMORY_MAX_BYTES = 256 * 2**20

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_UNFINISHED = ".part"
_UNFINISHED_S = 3600.0
"""What another process has begun to write and not finished after this long, it never will."""


class Contents(Protocol):
    """Bytes under names, each until its end. Every method may raise StoreUnavailable."""

    def get(self, name: str) -> bytes | None:
        """The content, or None if there is none."""

    def put(self, name: str, content: bytes, end_s: float) -> None:
        """Keep the content until then (seconds since 1970); raises StoreUnavailable if full."""

    def delete(self, name: str) -> None:
        """Forget the content, if there is one."""


class MemoryContents:
    """Keeps contents in this process; other workers do not see them.

    Args:
        max_bytes: the most that all contents may take together.
        clock: seconds since 1970.
    """

    def __init__(self, *, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: dict[str, tuple[bytes, float]] = {}

    def get(self, name: str) -> bytes | None:
        kept = self._kept.get(name)
        return None if kept is None else kept[0]

    def put(self, name: str, content: bytes, end_s: float) -> None:
        now = self._clock()
        self._kept = {other: kept for other, kept in self._kept.items() if kept[1] > now}
        taken = sum(len(other) for other, _ in self._kept.values())
        if taken + len(content) > self._max_bytes:
            raise _full(self._max_bytes)
        self._kept[name] = content, end_s

    def delete(self, name: str) -> None:
        self._kept.pop(name, None)


class FolderContents:
    """Keeps each content as a file, mode 0600; a file's time of change is its end.

    Args:
        folder: made when the first content comes.
        max_bytes: the most that all files may take together.
        clock: seconds since 1970, the same for all processes.
    """

    def __init__(
        self, folder: Path, *, max_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._clock = clock

    def get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed(self._folder, error) from error

    def put(self, name: str, content: bytes, end_s: float) -> None:
        path = self._path(name)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._swept() + len(content) > self._max_bytes:
                raise _full(self._max_bytes)
            _write(path, content, end_s)
        except OSError as error:
            raise _failed(self._folder, error) from error

    def delete(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise _failed(self._folder, error) from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a content")
        return self._folder / name

    def _swept(self) -> int:
        """The bytes of all files that have not come to their end; those that have are removed."""
        now = self._clock()
        size = 0
        with os.scandir(self._folder) as entries:
            for entry in entries:
                # Another process may sweep at the same time.
                with suppress(FileNotFoundError):
                    size += _size_or_remove(entry, now)
        return size


def _size_or_remove(entry: os.DirEntry[str], now: float) -> int:
    status = entry.stat(follow_symlinks=False)
    grace_s = _UNFINISHED_S if entry.name.endswith(_UNFINISHED) else 0
    if status.st_mtime + grace_s > now:
        return status.st_size
    os.unlink(entry.path)
    return 0


def _write(path: Path, content: bytes, end_s: float) -> None:
    """All of the file or nothing of it."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.utime(unfinished, (end_s, end_s))
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _full(max_bytes: int) -> StoreUnavailable:
    return StoreUnavailable(f"Files may take {max_bytes} bytes together, and these are taken.")


def _failed(folder: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"The folder {folder} failed: {error}.")
