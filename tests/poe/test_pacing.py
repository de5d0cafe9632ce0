"""Queries go out no faster than Poe takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gevent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.poe.pacing import Pacer
from poeflask.stores.base import Claim, Taken, Window
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class CountingStore(MemoryStore):
    """Counts how often claims are made; refuses the first few if it is told so."""

    claims = 0
    refusals = 0
    refused_for_s = 0.005

    def take(self, claims: Sequence[Claim]) -> Taken:
        self.claims += 1
        if self.refusals:
            self.refusals -= 1
            return Taken(0, (0,), self.refused_for_s)
        return super().take(claims)


class DistantStore(CountingStore):
    """Others work while it is asked, as if it were on another machine."""

    claimed = 0
    meanwhile: Callable[[], object] = bool

    def take(self, claims: Sequence[Claim]) -> Taken:
        self.meanwhile()
        gevent.sleep(0.01)
        self.claimed += sum(claim.amount for claim in claims if isinstance(claim, Window))
        return super().take(claims)


def pacers(clock: Clock, workers: int, **options: int) -> tuple[list[Pacer], CountingStore]:
    """The pacers of so many workers over one store; nobody waits."""
    store = CountingStore(clock=clock)
    shared = Namespace(store, "pace", on_failure="forget")
    made = [
        Pacer(shared, workers=workers, max_waiting=0, clock=clock, **options)
        for _ in range(workers)
    ]
    return made, store


def sends(pacer: Pacer) -> bool:
    """Whether a query may go out now."""
    try:
        pacer.take("mark", "owner")
    except ClientError:
        return False
    return True


@settings(max_examples=60)
@given(
    st.sampled_from([10, 48, 120]),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.01, 0.2, 2, 17])), max_size=400),
)
def test_no_minute_holds_more_than_the_limit(
    limit: int, workers: int, tries: list[tuple[int, float]]
) -> None:
    """Whichever workers send, and however often they try."""
    clock = Clock()
    made, _ = pacers(clock, workers, per_minute=limit)
    sent_s = []
    for worker, wait_s in tries:
        clock.now_s += wait_s
        if sends(made[worker % workers]):
            sent_s.append(clock.now_s)

    for end_s in sent_s:
        assert sum(end_s - 60 < at_s <= end_s for at_s in sent_s) <= limit


@pytest.mark.parametrize("workers", [1, 2])
def test_nearly_the_whole_limit_can_be_used(workers: int) -> None:
    """By workers that all ask without a pause for minutes."""
    clock = Clock()
    made, _ = pacers(clock, workers, per_minute=480)
    sent = 0
    for _ in range(10 * 60 * 5):
        clock.now_s += 0.2
        sent += sum(sends(pacer) for pacer in made for _ in range(4))

    assert 0.85 * 4800 < sent <= 5280


def test_few_queries_cost_no_question_to_the_store() -> None:
    """As long as a worker sends few a minute, it keeps them to itself."""
    clock = Clock()
    made, store = pacers(clock, 2, per_minute=480)
    for _ in range(100):
        clock.now_s += 7
        assert sends(made[0])

    assert 0 == store.claims


def test_many_queries_share_a_question_to_the_store() -> None:
    """Who sends several a second claims several at once."""
    clock = Clock()
    made, store = pacers(clock, 1, per_minute=480)
    sent = 0
    for _ in range(60 * 6):
        clock.now_s += 1 / 6
        sent += sends(made[0])

    assert sent == 60 * 6
    assert store.claims < sent / 4


def test_a_crowd_claims_no_more_than_it_sends() -> None:
    """Those who come while the store is asked share what is claimed."""
    store = DistantStore()
    pacer = Pacer(Namespace(store, "pace", on_failure="forget"), per_minute=2400, workers=1)
    for crowd in (300, 40):
        asked = [gevent.spawn(pacer.take, "mark", "owner") for _ in range(crowd)]
        gevent.joinall(asked, raise_error=True, timeout=10)

    assert 340 - 100 <= store.claimed <= 340 - 100 + 8


def test_without_a_limit_nothing_is_counted() -> None:
    """0 is as many as one likes."""
    made, store = pacers(Clock(), 1, per_minute=0)

    assert all(sends(made[0]) for _ in range(1000))
    assert 0 == store.claims


def test_a_full_key_says_when_it_may_go_on() -> None:
    """Others do not wait for it."""
    clock = Clock()
    made, _ = pacers(clock, 1, per_minute=10)
    pacer = made[0]
    assert 10 == sum(sends(pacer) for _ in range(20))
    with pytest.raises(ClientError) as caught:
        pacer.take("mark", "owner")

    assert ErrorKind.TOO_MANY_REQUESTS == caught.value.kind
    assert caught.value.retry_after_s == pacer.wait_s("mark") > 50
    assert 10 == pacer.sent_last_minute("mark")
    assert (0.0, 0) == (pacer.wait_s("other"), pacer.sent_last_minute("other"))
    pacer.take("other", "owner")


def test_who_waits_is_served_in_turn() -> None:
    """One who comes once does not wait for a crowd that came before."""
    store = CountingStore()
    store.refusals = 3
    pacer = Pacer(Namespace(store, "pace", on_failure="forget"), per_minute=20, workers=1)
    served: list[str] = []

    def work(owner: str) -> None:
        pacer.take("mark", owner)
        served.append(owner)

    gevent.joinall([gevent.spawn(work, owner) for owner in "aaaab"], raise_error=True, timeout=5)

    assert "abaaa" == "".join(served)


def test_nobody_waits_longer_than_the_bound() -> None:
    """Neither if it is known beforehand, nor if it shows."""
    store = CountingStore()
    store.refusals = 1000
    shared = Namespace(store, "pace", on_failure="forget")
    pacer = Pacer(shared, per_minute=20, workers=1, max_wait_s=0.02)
    with pytest.raises(ClientError):
        pacer.take("mark", "owner")
    store.refused_for_s = 50.0
    gevent.sleep(0.06)
    with gevent.Timeout(1), pytest.raises(ClientError):
        pacer.take("mark", "owner")


def test_who_is_killed_while_it_waits_takes_nothing() -> None:
    """The place in the queue goes with it."""
    store = CountingStore()
    store.refusals = 2
    pacer = Pacer(Namespace(store, "pace", on_failure="forget"), per_minute=20, workers=1)
    gone = gevent.spawn(pacer.take, "mark", "a")
    stays = gevent.spawn(pacer.take, "mark", "b")
    gevent.sleep(0)
    gone.kill()
    stays.join(2)

    assert stays.successful()
    assert 1 == pacer.sent_last_minute("mark")


def test_what_is_granted_when_all_have_left_is_kept_for_the_next() -> None:
    """Whoever waited in vain did not send, and the next need not ask the store again."""
    store = DistantStore()
    store.refusals = 1
    pacer = Pacer(Namespace(store, "pace", on_failure="forget"), per_minute=20, workers=1)
    leaves = gevent.spawn(pacer.take, "mark", "a")
    # The second claim is made for the one who waits, and on its way he leaves.
    store.meanwhile = lambda: store.claims and leaves.kill(block=False)
    with gevent.Timeout(10):
        while store.claims < 2:
            gevent.sleep(0.001)
    pacer.take("mark", "b")

    assert leaves.dead
    assert 2 == store.claims
