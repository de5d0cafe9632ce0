"""The password of the admin page: set by a setting, or once through a setup link; never a default.

Only its scrypt hash is kept. Each password has an id, new with every change: sessions bear it, so
that a change of the password ends them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Literal, Protocol, cast

from werkzeug.security import check_password_hash, generate_password_hash

from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace

LEAST_CHARS = 8
MOST_CHARS = 256

Fault = Literal["too_short", "too_long"]

_KEY = "password"


class Run(Protocol):
    """Runs work, wherever; gives its result."""

    def __call__(self, work: Callable[..., Any], *args: Any) -> Any:
        """The work's result."""


@dataclass(frozen=True, slots=True)
class _Record:
    hash: str
    id: str
    source: Literal["settings", "person"]


class Passwords:
    """The one password, with the name that goes with it.

    Args:
        store: where its hash is kept.
        run: runs what takes a tenth of a second off the event loop.
        username: the name that is asked for with it.
        given: the password that the settings name; empty if none. It goes before any other and
            cannot be changed here.
        new_id: an id that cannot be guessed, behind a prefix.
    """

    def __init__(
        self,
        store: Store,
        run: Run,
        *,
        username: str,
        given: str,
        new_id: Callable[[str], str],
    ) -> None:
        self._records = Namespace(store, "admin", on_failure="refuse")
        self._run = run
        self._username = username.encode()
        self._given = given
        self._new_id = new_id
        self._is_given_kept = False

    @property
    def is_locked(self) -> bool:
        """Whether a setting decides what the password is."""
        return bool(self._given)

    def is_set(self) -> bool:
        """Whether there is one; without one nobody can log in."""
        return self.is_locked or self._present() is not None

    def id(self) -> str:
        """The id of the present password; empty if there is none."""
        present = self._present()
        return "" if present is None else present.id

    def fits(self, username: str, password: str) -> bool:
        """Whether these are the right ones; takes as long for a wrong name as for a wrong password.

        Raises:
            OwnError: kind BUSY, here and in all methods, if the store cannot be reached.
        """
        present = self._present()
        if present is None or len(password) > MOST_CHARS:
            return False
        is_password = bool(self._run(check_password_hash, present.hash, password))
        return compare_digest(username.encode(), self._username) and is_password

    def change(self, password: str) -> None:
        """Make this the password; every session ends.

        Raises:
            ValueError: `fault_of` finds one, or a setting decides.
        """
        if self.is_locked or fault_of(password) is not None:
            raise ValueError("the password cannot be set, or not to this")
        self._keep(password, "person")

    def _present(self) -> _Record | None:
        record = _read(self._records.get(_KEY))
        if self._given:
            return self._kept_given(record)
        # What a setting once decided ends with the setting.
        return record if record is not None and record.source == "person" else None

    def _kept_given(self, record: _Record | None) -> _Record:
        """The record of the password that the settings name, the same for all workers."""
        if record is not None and record.source == "settings":
            if self._is_given_kept:
                return record
            if self._run(check_password_hash, record.hash, self._given):
                self._is_given_kept = True
                return record
        return self._keep(self._given, "settings")

    def _keep(self, password: str, source: Literal["settings", "person"]) -> _Record:
        record = _Record(self._run(generate_password_hash, password), self._new_id("pw_"), source)
        self._records.put(_KEY, {"hash": record.hash, "id": record.id, "source": source})
        self._is_given_kept = source == "settings"
        return record


def fault_of(password: str) -> Fault | None:
    """Why this cannot be a password; None if it can."""
    if len(password) < LEAST_CHARS:
        return "too_short"
    return "too_long" if len(password) > MOST_CHARS else None


def _read(value: Any) -> _Record | None:
    return None if value is None else _Record(**cast("dict[str, Any]", value))
