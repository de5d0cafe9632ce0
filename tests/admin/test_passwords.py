"""The password is kept as a hash, set by a setting or by a person, and never a default."""

from __future__ import annotations

from itertools import count

import pytest

from poeflask.admin.passwords import Passwords, fault_of
from poeflask.stores.memory import MemoryStore

GOOD = "correct horse"
OTHER = "battery staple"


def passwords(store: MemoryStore | None = None, *, given: str = "") -> Passwords:
    """Those of a store; each process has its own."""
    numbers = count(1)
    return Passwords(
        store or MemoryStore(),
        lambda work, *arguments: work(*arguments),
        username="ann",
        given=given,
        new_id=lambda prefix: f"{prefix}{next(numbers)}-{given}",
    )


def test_there_is_no_default() -> None:
    """Without a password nobody gets in, with none and with whatever word."""
    fresh = passwords()

    assert not fresh.is_set()
    assert "" == fresh.id()
    assert not any(fresh.fits("ann", word) for word in ("", "admin", "123456", "password"))


def test_what_a_person_set_fits_with_the_right_name_alone() -> None:
    """Also for another process with the same store."""
    store = MemoryStore()
    passwords(store).change(GOOD)
    other = passwords(store)

    assert other.is_set()
    assert other.fits("ann", GOOD)
    assert not other.fits("ann", OTHER)
    assert not other.fits("Ann", GOOD)
    assert not other.fits("änn", GOOD)
    assert not other.fits("ann", GOOD * 100)


def test_the_store_does_not_hold_the_password() -> None:
    """Only its scrypt hash."""
    store = MemoryStore()
    passwords(store).change(GOOD)
    kept = b"".join(store.get(key) or b"" for key in store.keys(""))

    assert b"scrypt:" in kept
    assert GOOD.encode() not in kept


def test_each_password_has_an_id_of_its_own() -> None:
    """Sessions bear it; a new password ends them."""
    here = passwords()
    here.change(GOOD)
    first = here.id()
    here.change(GOOD)

    assert first
    assert first != here.id()


def test_a_setting_goes_before_what_a_person_set() -> None:
    """It is locked, and all processes agree on its id."""
    store = MemoryStore()
    passwords(store).change(GOOD)
    one, two = passwords(store, given=OTHER), passwords(store, given=OTHER)

    assert one.is_locked
    assert one.fits("ann", OTHER)
    assert not one.fits("ann", GOOD)
    assert one.id() == two.id() == one.id()
    with pytest.raises(ValueError, match="cannot be set"):
        one.change(GOOD)


def test_a_changed_setting_is_a_new_password() -> None:
    """The old one does not fit any more, and its sessions end."""
    store = MemoryStore()
    before = passwords(store, given=GOOD).id()
    after = passwords(store, given=OTHER)

    assert before != after.id()
    assert not after.fits("ann", GOOD)


def test_a_setting_taken_away_leaves_no_password() -> None:
    """What it once decided is not a password that anybody set."""
    store = MemoryStore()
    assert passwords(store, given=GOOD).is_set()
    passwords(store, given=GOOD).id()
    after = passwords(store)

    assert not after.is_set()
    assert not after.fits("ann", GOOD)


def test_a_password_set_behind_its_back_does_not_unseat_the_setting() -> None:
    """As by a command that was run without the setting."""
    store = MemoryStore()
    here = passwords(store, given=GOOD)
    here.id()
    passwords(store).change(OTHER)

    assert here.fits("ann", GOOD)
    assert not here.fits("ann", OTHER)


@pytest.mark.parametrize(
    ("password", "fault"),
    [("seven 7", "too_short"), ("eight 88", None), ("x" * 256, None), ("x" * 257, "too_long")],
)
def test_a_password_has_a_length(password: str, fault: str | None) -> None:
    """Not so short that it is guessed, nor so long that hashing it is an attack."""
    assert fault == fault_of(password)


def test_a_bad_password_is_not_kept() -> None:
    """Whoever asks."""
    here = passwords()
    with pytest.raises(ValueError, match="cannot be set"):
        here.change("short")

    assert not here.is_set()
