"""The secret under which keys are hashed: made once, the same for all workers and hosts.

Where the store is a file of this machine, the secret is a file of its own beside it, so that a copy
of the store alone checks no key. Where the store is shared by several hosts, the secret lies in it,
since nothing else is certain to be shared.

It is lines of hexadecimal digits. The first one hashes what is new, all of them check; to change
it, put a new line before the others and start poeflask again.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Protocol

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace
from poeflask.stores.turns import turn

_BYTES = 32
_LINE = re.compile(rf"[0-9a-f]{{{2 * _BYTES},}}")
_NAME = "secret"

_log = get_logger(__name__)


class ServerSecret(Protocol):
    """Where the secret comes from."""

    def read(self) -> tuple[bytes, ...]:
        """The secrets, the one that hashes first; the first call of all makes one.

        Raises:
            OwnError: kind BUSY, if it cannot be read or kept.
        """


def open_secret(store: Store, state_dir: Path, *, shared: bool) -> ServerSecret:
    """The secret that belongs to a store.

    Args:
        store: the store.
        state_dir: the folder of this machine's state.
        shared: whether other hosts use the store, or it lives no longer than this process.
    """
    return SecretInStore(store) if shared else SecretInFile(state_dir / _NAME)


class SecretInFile:
    """A secret in a file of mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[bytes, ...]:
        try:
            if not self._path.exists():
                self._make()
            return _parsed(self._path.read_text("ascii"))
        except (OSError, ValueError) as error:
            _log.error("secret_unreadable", path=str(self._path), reason=str(error))
            raise _unreadable() from error

    def _make(self) -> None:
        """Make the file whole and at once: of several who try, one succeeds."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_name(f".{_NAME}-{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(f"{secrets.token_hex(_BYTES)}\n")
        try:
            os.link(draft, self._path)
        except FileExistsError:
            return
        finally:
            draft.unlink()


class SecretInStore:
    """A secret in the store itself."""

    def __init__(self, store: Store) -> None:
        self._kept = Namespace(store, "server-secret", on_failure="refuse")

    def read(self) -> tuple[bytes, ...]:
        found = self._kept.get(_NAME)
        if found is None:
            found = self._make()
        try:
            return _parsed(found)
        except (TypeError, ValueError) as error:
            _log.error("secret_unreadable", path="the store", reason=str(error))
            raise _unreadable() from error

    def _make(self) -> str:
        with turn(self._kept, _NAME):
            found = self._kept.get(_NAME)
            if found is None:
                found = f"{secrets.token_hex(_BYTES)}\n"
                self._kept.put(_NAME, found)
            return str(found)


def _parsed(text: str) -> tuple[bytes, ...]:
    lines = text.split()
    if not lines or not all(map(_LINE.fullmatch, lines)):
        raise ValueError(f"it should be lines of at least {2 * _BYTES} digits from 0 to f")
    return tuple(map(bytes.fromhex, lines))


def _unreadable() -> OwnError:
    return OwnError(
        ErrorKind.BUSY, "poeflask cannot check its own keys just now; its log says why."
    )
