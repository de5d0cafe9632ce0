"""A few places and a fair queue before them."""

from __future__ import annotations

import gevent
import pytest

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.poe.turns import Turns


def come(turns: Turns, owners: str, served: list[str]) -> list[gevent.Greenlet]:
    """Each letter is an owner who comes, takes a place, notes it, and gives it back."""

    def work(owner: str) -> None:
        place = turns.take(owner)
        served.append(owner)
        gevent.sleep(0)
        place.close()

    return [gevent.spawn(work, owner) for owner in owners]


def test_no_more_work_at_once_than_there_are_places() -> None:
    """And all get their turn."""
    turns = Turns(3)
    working, most = 0, 0

    def work() -> None:
        nonlocal working, most
        place = turns.take("a")
        working += 1
        most = max(most, working)
        gevent.sleep(0.001)
        working -= 1
        place.close()

    gevent.joinall([gevent.spawn(work) for _ in range(30)], raise_error=True)

    assert (3, 0) == (most, working)


def test_owners_are_served_in_turn() -> None:
    """One who comes once does not wait for all that a crowd has brought before."""
    served: list[str] = []
    gevent.joinall(come(Turns(1), "aaaaaab", served), raise_error=True)

    assert "aabaaaa" == "".join(served)


def test_a_full_queue_refuses_at_once() -> None:
    """With the time after which another try makes sense."""
    turns = Turns(1, max_waiting=1)
    turns.take("a")
    gevent.spawn(turns.take, "b")
    gevent.sleep(0)

    with pytest.raises(OwnError) as caught:
        turns.take("c")

    assert (ErrorKind.BUSY, 1.0) == (caught.value.kind, caught.value.retry_after_s)


def test_nobody_waits_for_ever() -> None:
    """Whoever gave up is not served later: the place goes to the next."""
    turns = Turns(1, max_wait_s=0.01)
    place = turns.take("a")
    with pytest.raises(OwnError):
        turns.take("b")

    assert 0 == turns.waiting
    place.close()
    turns.take("c")


@pytest.mark.parametrize("given_first", [False, True])
def test_who_is_killed_while_it_waits_leaves_no_place_behind(given_first: bool) -> None:
    """Neither in the queue nor, if it was its turn just then, among the places."""
    turns = Turns(1, longest_hold_s=60)
    place = turns.take("a")
    waiting = gevent.spawn(lambda: turns.take("b").close())
    gevent.sleep(0)
    if given_first:
        place.close()
    waiting.kill()
    place.close()

    with gevent.Timeout(1):
        turns.take("c")


def test_a_place_counts_as_free_after_the_longest_hold() -> None:
    """Who waits for a slow machine elsewhere holds up nobody; giving back later frees no other."""
    turns = Turns(1, longest_hold_s=0.01)
    slow = turns.take("a")
    with gevent.Timeout(1):
        turns.take("b")
    slow.close()
    waiting = gevent.spawn(turns.take, "c")
    gevent.sleep(0)

    assert 1 == turns.waiting
    waiting.kill()
