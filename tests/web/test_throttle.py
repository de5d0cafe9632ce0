"""How often an address may fail."""

import pytest

from poeflask.web.throttle import Throttle, network


class Clock:
    """A clock that moves only when it is told to."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    """The throttle's time."""
    return Clock()


def test_an_address_fails_so_often_and_then_waits(clock):
    """Until the stretch of time that its first failure began is over; others do not."""
    throttle = Throttle(most=2, window_s=60, clock=clock)
    throttle.failed("1.2.3.4")
    clock.now_s = 20
    once = throttle.wait_s("1.2.3.4")
    throttle.failed("1.2.3.4")
    waits = throttle.wait_s("1.2.3.4"), throttle.wait_s("1.2.3.5")
    clock.now_s = 60

    assert (0.0, (40.0, 0.0), 0.0) == (once, waits, throttle.wait_s("1.2.3.4"))
    throttle.failed("1.2.3.4")
    assert 0.0 == throttle.wait_s("1.2.3.4")


def test_only_so_many_addresses_are_remembered(clock):
    """Those that failed longest ago are forgotten."""
    throttle = Throttle(most=1, addresses=2, clock=clock)
    for address in ("1.1.1.1", "2.2.2.2", "1.1.1.1", "3.3.3.3"):
        throttle.failed(address)

    assert [True, False, True] == [
        throttle.wait_s(address) > 0 for address in ("1.1.1.1", "2.2.2.2", "3.3.3.3")
    ]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", "unknown"),
        ("x", "unknown"),
    ],
)
def test_one_person_is_one_address(address, name):
    """Of IPv6 one person has a whole net."""
    assert name == network(address)
