"""At least so long between two queries."""

from itertools import pairwise

import gevent
import pytest

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.poe.spacing import Spacing
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace


class Time:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def time() -> Time:
    """Everybody's."""
    return Time()


@pytest.fixture
def shared(time: Time) -> Namespace:
    """A store that all workers see."""
    return Namespace(MemoryStore(clock=time.clock), "pace", on_failure="forget")


def spacing(shared: Namespace, time: Time, least_s: float, max_wait_s: float = 30.0) -> Spacing:
    """The spacing of one worker."""
    return Spacing(
        shared, least_s=least_s, max_wait_s=max_wait_s, clock=time.clock, sleep=time.sleep
    )


def test_queries_of_all_workers_stand_apart(shared: Namespace, time: Time) -> None:
    """Never two within the time, and not much more than that between them."""
    workers = [spacing(shared, time, 0.5), spacing(shared, time, 0.5)]
    sent = []
    for number in range(10):
        workers[number % 2].wait()
        sent.append(time.now_s)
    gaps = [later - earlier for earlier, later in pairwise(sent)]

    assert min(gaps) >= 0.5
    assert max(gaps) < 0.6


def test_without_a_time_nobody_waits(shared: Namespace, time: Time) -> None:
    """And the store is not asked."""
    for _ in range(100):
        spacing(shared, time, 0).wait()

    assert 1000.0 == time.now_s
    assert [] == list(shared.keys())


def test_nobody_waits_for_ever(shared: Namespace, time: Time) -> None:
    """The sentence says what the bound is, and when to come again."""
    spacing(shared, time, 60).wait()
    with pytest.raises(ClientError, match="every 60 seconds") as caught:
        spacing(shared, time, 60, max_wait_s=10).wait()

    assert (ErrorKind.TOO_MANY_REQUESTS, 60.0) == (caught.value.kind, caught.value.retry_after_s)


def test_those_of_one_worker_stand_in_line() -> None:
    """They go in the order in which they came."""
    shared = Namespace(MemoryStore(), "pace", on_failure="forget")
    one, order = Spacing(shared, least_s=0.02), []

    def ask(number: int) -> None:
        one.wait()
        order.append(number)

    gevent.joinall([gevent.spawn(ask, number) for number in range(5)], raise_error=True)

    assert [0, 1, 2, 3, 4] == order


def test_a_worker_that_waits_too_long_behind_others_gives_up() -> None:
    """Also where another of its queries is first in line."""
    shared = Namespace(MemoryStore(), "pace", on_failure="forget")
    one = Spacing(shared, least_s=5, max_wait_s=0.05)
    one.wait()
    asking = [gevent.spawn(one.wait) for _ in range(2)]
    gevent.joinall(asking)

    assert [ClientError, ClientError] == [type(each.exception) for each in asking]
