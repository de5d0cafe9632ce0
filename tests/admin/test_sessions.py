"""A session ends by time, by logout, and with its password."""

from __future__ import annotations

from itertools import count

import pytest

from poeflask.admin.sessions import Sessions
from poeflask.stores.memory import MemoryStore


class Clock:
    """Stands until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """At its beginning."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """A store that goes by the same clock."""
    return MemoryStore(clock=clock)


@pytest.fixture
def sessions(clock: Clock, store: MemoryStore) -> Sessions:
    """Idle for 100 seconds at most, 500 at all."""
    numbers = count(1)
    return Sessions(
        store,
        clock=clock,
        new_secret=lambda: f"secret-{next(numbers)}",
        idle_s=100,
        total_s=500,
    )


def test_a_session_goes_on_under_its_password(sessions: Sessions) -> None:
    """And under no other, also not once its own is back."""
    secret = sessions.begin("pw_1")

    assert sessions.find(secret, "pw_1") is not None
    assert sessions.find(secret, "pw_2") is None
    assert sessions.find(secret, "pw_1") is None


@pytest.mark.parametrize("secret", ["", "secret-2", "SECRET-1", "secret-1 ", "x" * 100_000])
def test_nothing_else_is_a_session(sessions: Sessions, secret: str) -> None:
    """No guess, and nothing that a store would choke on."""
    sessions.begin("pw_1")

    assert sessions.find(secret, "pw_1") is None


def test_the_store_does_not_hold_the_secret(sessions: Sessions, store: MemoryStore) -> None:
    """Who reads the store cannot log in with it."""
    secret = sessions.begin("pw_1")
    kept = "".join(f"{key}{store.get(key)!r}" for key in store.keys(""))

    assert kept
    assert secret not in kept


def test_an_idle_session_ends(sessions: Sessions, clock: Clock) -> None:
    """Use keeps it, but not for ever."""
    secret = sessions.begin("pw_1")
    seen = []
    for _ in range(6):
        clock.now_s += 90
        seen.append(sessions.find(secret, "pw_1") is not None)

    assert [True] * 5 + [False] == seen

    idle = sessions.begin("pw_1")
    clock.now_s += 101

    assert sessions.find(idle, "pw_1") is None


def test_logging_out_ends_one(sessions: Sessions) -> None:
    """And leaves the others."""
    one, two = sessions.begin("pw_1"), sessions.begin("pw_1")
    sessions.end(one)

    assert sessions.find(one, "pw_1") is None
    assert sessions.find(two, "pw_1") is not None


def test_all_others_can_be_ended(sessions: Sessions) -> None:
    """The one that asks goes on."""
    mine, *others = [sessions.begin("pw_1") for _ in range(3)]

    assert 3 == sessions.count()
    assert 2 == sessions.end_others(mine)
    assert 1 == sessions.count()
    assert sessions.find(mine, "pw_1") is not None
    assert all(sessions.find(other, "pw_1") is None for other in others)


def test_each_session_has_a_token_of_its_own(sessions: Sessions) -> None:
    """It is always the same, is not the secret, and no other fits."""
    secrets = [sessions.begin("pw_1") for _ in range(2)]
    one, two = (sessions.find(secret, "pw_1") for secret in secrets)
    assert one is not None
    assert two is not None

    assert one == sessions.find(secrets[0], "pw_1")
    assert one.sent(one.csrf)
    assert not any(one.sent(wrong) for wrong in (two.csrf, "", secrets[0], "é", one.csrf[:-1]))
    assert secrets[0] not in one.csrf
