"""Who is next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from poeflask.poe.round_robin import RoundRobin

ARRIVALS = st.lists(st.sampled_from("abcd"), max_size=40)


def filled(arrivals: list[str]) -> RoundRobin[tuple[str, int]]:
    """A queue in which these owners came, each thing with its number."""
    made: RoundRobin[tuple[str, int]] = RoundRobin()
    for number, owner in enumerate(arrivals):
        made.put(owner, (owner, number))
    return made


def emptied(queue: RoundRobin[tuple[str, int]]) -> list[tuple[str, int]]:
    """All that waits, in the order in which it is served."""
    return [queue.pop() for _ in range(len(queue))]


@given(ARRIVALS)
def test_everything_is_served_once_and_each_owners_in_order(arrivals: list[str]) -> None:
    """Nothing is lost, doubled or overtaken by its owner's own."""
    served = emptied(filled(arrivals))

    assert sorted(served) == sorted((owner, number) for number, owner in enumerate(arrivals))
    for owner in set(arrivals):
        numbers = [number for whose, number in served if whose == owner]
        assert sorted(numbers) == numbers


@given(ARRIVALS)
def test_no_crowd_keeps_another_owner_waiting(arrivals: list[str]) -> None:
    """The n-th thing of an owner is served within n rounds of all owners."""
    served = emptied(filled(arrivals))
    owners = len(set(arrivals))

    for owner in set(arrivals):
        places = [place for place, (whose, _) in enumerate(served) if whose == owner]
        assert all(place < owners * (turn + 1) for turn, place in enumerate(places))


@given(ARRIVALS, st.data())
def test_what_is_discarded_is_never_served(arrivals: list[str], data: st.DataObject) -> None:
    """All others are; a second time there is nothing to discard."""
    queue = filled(arrivals)
    things = [(owner, number) for number, owner in enumerate(arrivals)]
    gone = data.draw(st.sets(st.sampled_from(things)) if things else st.just(set()))

    assert all(queue.discard(thing[0], thing) for thing in gone)
    assert not any(queue.discard(thing[0], thing) for thing in gone)
    assert sorted(set(things) - gone) == sorted(emptied(queue))
