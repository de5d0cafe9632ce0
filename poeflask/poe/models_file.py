"""`models.yaml` on the disk: read again when it changes, edited by many without a loss.

All processes that have the file look at it by themselves; nothing is told between them. A file that
cannot be used is refused whole, and the last good one stays in force, for processes that start
later too: a copy of it lies beside the file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from poeflask.log_lines import get_logger
from poeflask.poe.changes import Change
from poeflask.poe.overrides import Overrides, OverridesError, is_foreign, plain, read

LOOK_AGAIN_S = 1.0
"""How long a change may go unseen; a look is one question to the file system."""

LOCK_WAIT_S = 5.0
"""How long an edit waits for another one; of 360 bots at once it took half a second."""

_LOCK_LOOK_S = 0.05
_INSTANT_BYTES = 4 * 1024
"""Up to here reading takes some milliseconds and need not go elsewhere; 28 kB took 55 ms."""

_log = get_logger("poeflask")

Run = Callable[[Callable[[str], Overrides], str], Overrides]


class EditError(Exception):
    """An edit was not made, and the file is as it was; the message says why and what helps."""


class StaleEditError(EditError):
    """The file has changed since it was read."""


class FileText(NamedTuple):
    """A file as it was read.

    Attributes:
        text: what stands in it; empty if there is none.
        tag: changes whenever the text does.
    """

    text: str
    tag: str


def read_here(work: Callable[[str], Overrides], text: str) -> Overrides:
    """Do the work on the spot."""
    return work(text)


class ModelsFile:
    """The owner's overrides, as the file says now.

    Args:
        path: the file; it need not exist.
        clock: seconds that only grow.
        run: does work that takes long without holding up others.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        *,
        run: Run = read_here,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._clock = clock
        self._run: Run = read_here
        self._sleep = sleep
        self._overrides = Overrides()
        self._fault = ""
        self._tag = _tag(b"")
        self._seen: tuple[int, ...] | None = None
        self._next_look_s = float("-inf")
        # Read here and now: nothing may be asked before it is known what is disabled.
        self._look()
        if self._fault:
            self._recall()
        self._run = run

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def overrides(self) -> Overrides:
        """What the file says, or said when it was last good; the same value until it changes."""
        self._look()
        return self._overrides

    def fault(self) -> str:
        """Why the file as it is now cannot be used; empty if it can."""
        self._look()
        return self._fault

    def tag(self) -> str:
        """That of the text that is in force, looked at just now.

        Ask for it before `overrides`: an edit of what was seen is then refused rather than made
        on something newer.
        """
        self._next_look_s = float("-inf")
        self._look()
        return self._tag

    def text(self) -> FileText:
        """The file as it stands there, good or bad.

        Raises:
            EditError: it cannot be read.
        """
        try:
            content = self._path.read_bytes()
            return FileText(content.decode("utf-8-sig"), _tag(content))
        except FileNotFoundError:
            return FileText("", _tag(b""))
        except (OSError, UnicodeDecodeError) as error:
            raise EditError(f"{self._path} cannot be read: {_reason(error)}") from error

    def edit(self, *changes: Change, tag: str | None = None) -> FileText:
        """Change what the file says, and nothing else in it; what others wrote is not lost.

        A file of poe2openai's is kept beside it, and written anew in poeflask's own form.

        Args:
            changes: made one after the other, all or none.
            tag: that of the text on which they are based, if they depend on it.

        Raises:
            OverridesError: the file cannot be used as it is, or could not be used afterwards.
            StaleEditError: the file has another tag by now.
            EditError: it cannot be read or written, or another edit takes too long.
        """
        from poeflask.poe import yaml_text

        with self._locked():
            before = self._expected(tag)
            wanted = plain(before.text)
            for change in changes:
                wanted = change(wanted)
            foreign = is_foreign(before.text)
            made = yaml_text.written(wanted) if foreign else yaml_text.edited(before.text, wanted)
            read(made)
            if foreign:
                self._write(self._path.with_name(self._path.name + ".poe2openai"), before.text)
            return self._replace(made)

    def write(self, text: str, *, tag: str | None = None) -> FileText:
        """Put this text in the file's place.

        Raises: as `edit`, but for a file that could not be used before.
        """
        with self._locked():
            self._expected(tag)
            read(text)
            return self._replace(text)

    def _look(self) -> None:
        """Read the file if it changed; a bad one is logged once and otherwise ignored."""
        now_s = self._clock()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_AGAIN_S
        seen = self._stamp()
        if seen == self._seen:
            return
        # Whoever is told to stop while this is read elsewhere must not leave it unread for ever.
        before, self._seen = self._seen, seen
        is_read = False
        try:
            self._take(seen)
            is_read = True
        finally:
            if not is_read:
                self._seen = before

    def _take(self, seen: tuple[int, ...] | None) -> None:
        try:
            content = b"" if seen is None else self._bounded(seen[1])
            text = content.decode("utf-8-sig")
            run = self._run if len(text) > _INSTANT_BYTES else read_here
            self._overrides, self._fault, self._tag = run(read, text), "", _tag(content)
            self._remember(text)
        except (OSError, UnicodeDecodeError, OverridesError) as error:
            self._fault = _reason(error)
            _log.error("bad_models_file", path=str(self._path), reason=self._fault)

    def _remember(self, text: str) -> None:
        """Keep a copy of the good file; where that cannot be done it goes without."""
        copy = self._good_copy()
        with suppress(EditError, OSError, UnicodeDecodeError):
            if text != (copy.read_text("utf-8") if copy.exists() else ""):
                self._write(copy, text)

    def _recall(self) -> None:
        """Take the copy of the last good file, since the file itself is bad."""
        with suppress(OSError, UnicodeDecodeError, OverridesError):
            self._overrides = read(self._good_copy().read_text("utf-8"))
            _log.warning("last_good_models_file", path=str(self._path))

    def _good_copy(self) -> Path:
        return self._path.with_name(f".{self._path.name}.good")

    def _bounded(self, size: int) -> bytes:
        from poeflask.poe import yaml_text

        if size > yaml_text.MAX_BYTES:
            raise OverridesError(f"it is larger than {yaml_text.MAX_BYTES // 1024} kB.")
        return self._path.read_bytes()

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Only one at a time, in whatever process; the lock is a file that stays."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._path.with_name(self._path.name + ".lock")
            descriptor = _private(str(lock), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._await(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _await(self, descriptor: int) -> None:
        deadline_s = self._clock() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if self._clock() >= deadline_s:
                    raise EditError(
                        f"Another process is changing {self._path}; try again in a moment."
                    ) from error
                self._sleep(_LOCK_LOOK_S)
            else:
                return

    def _expected(self, tag: str | None) -> FileText:
        before = self.text()
        if tag is not None and tag != before.tag:
            raise StaleEditError(
                f"{self._path.name} was changed by somebody else meanwhile; "
                "look at it again and repeat what you did."
            )
        return before

    def _replace(self, text: str) -> FileText:
        # A link is followed: what it points to is the file.
        self._write(Path(os.path.realpath(self._path)), text)
        self._next_look_s = float("-inf")
        return FileText(text, _tag(text.encode()))

    def _write(self, path: Path, text: str) -> None:
        """Put the text in a file's place in one step, so that nobody ever reads half of it."""
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            with open(new, "w", encoding="utf-8", opener=_private) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> EditError:
        return EditError(
            f"{self._path} cannot be written: {_reason(error)}. "
            f"Let poeflask write in {self._path.parent}."
        )


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner can read, who is the folder's even if root writes."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        folder = os.stat(os.path.dirname(path))
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8."
    return str(error)


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
