"""Guessing is slow, from one address and from many."""

from __future__ import annotations

import pytest

from poeflask.admin.throttle import TRIES_OF_ALL, TRIES_OF_ONE, WINDOW_S, Throttle, network
from poeflask.stores.memory import MemoryStore


class Clock:
    """Stands until it is moved."""

    now_s = 10 * WINDOW_S + 60

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A minute into a window."""
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    """Nobody has tried yet."""
    return Throttle(MemoryStore(clock=clock), clock=clock)


def tries(throttle: Throttle, address: str, number: int) -> list[float]:
    """What each of so many tries must wait."""
    return [throttle.wait_s(address) for _ in range(number)]


def test_one_address_has_some_tries(throttle: Throttle, clock: Clock) -> None:
    """Then it waits until the window ends; others do not."""
    waits = tries(throttle, "192.0.2.1", TRIES_OF_ONE + 1)

    assert [0.0] * TRIES_OF_ONE + [WINDOW_S - 60] == waits
    assert 0.0 == throttle.wait_s("192.0.2.2")

    clock.now_s += WINDOW_S - 60

    assert 0.0 == throttle.wait_s("192.0.2.1")


def test_who_knew_the_password_starts_anew(throttle: Throttle) -> None:
    """Typing errors of the day do not add up."""
    tries(throttle, "192.0.2.1", TRIES_OF_ONE)
    throttle.forget("192.0.2.1")

    assert 0.0 == throttle.wait_s("192.0.2.1")


def test_all_addresses_together_have_a_limit(throttle: Throttle) -> None:
    """A thousand machines guess no faster than some."""
    waits = [throttle.wait_s(f"198.51.100.{number}") for number in range(100)]
    waits += [throttle.wait_s(f"203.0.113.{number}") for number in range(TRIES_OF_ALL - 100)]

    assert {0.0} == set(waits)
    assert throttle.wait_s("192.0.2.1") > 0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("::1", "::"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_one_person_is_one_address(address: str, counted: str) -> None:
    """In IPv6 a person has a whole /64."""
    assert counted == network(address)
