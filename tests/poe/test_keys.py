"""The pool of the owner's keys."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.poe.balance import Balance
from poeflask.poe.keys import COOL_S, DEAR_S, LONGEST_COOL_S, PoeKey, PoeKeys, fingerprint
from poeflask.poe.noticeboard import Noticeboard
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace

NOON_S = 1_790_000_000.0 - 1_790_000_000.0 % 86400 + 43200
BAD = PoeError(ErrorKind.BAD_KEY, "Invalid API key.")
POOR = PoeError(ErrorKind.NO_POINTS, "Not enough points.")
LIMITED = PoeError(ErrorKind.RATE_LIMITED, "Too fast.")
AWAY = PoeError(ErrorKind.POE_UNREACHABLE, "Poe is away.")


class Poe:
    """Tells balances; errors among them are raised."""

    def __init__(self, **balances: dict[str, Any] | PoeError) -> None:
        self.balances = balances
        self.asked: list[str] = []

    def __call__(self, key: str) -> dict[str, Any]:
        self.asked.append(key)
        said = self.balances.get(key, {"current_point_balance": 100})
        if isinstance(said, PoeError):
            raise said
        return said


class Pools:
    """The pools of two workers over one store, at a time that is set by hand."""

    def __init__(self, poe: Poe | None = None, **weights: int) -> None:
        self.now_s = NOON_S
        self.poe = poe or Poe()
        keys = [PoeKey(name.upper(), name, weight) for name, weight in weights.items()]
        store = MemoryStore(clock=self.clock)
        self.here, self.there = (self._pool(keys, store) for _ in range(2))

    def clock(self) -> float:
        """The time."""
        return self.now_s

    def _pool(self, keys: list[PoeKey], store: MemoryStore) -> PoeKeys:
        namespace = Namespace(store, "upstream", on_failure="forget")
        board = Noticeboard(namespace, clock=self.clock)
        return PoeKeys(keys, board, self.poe, clock=self.clock)

    def fails(self, key: str, error: PoeflaskError, bot: str = "Bot") -> bool:
        """Tell the first worker that a key failed."""
        return self.here.failed(fingerprint(key), bot, error)

    def usable(self, bot: str = "Bot") -> set[str]:
        """The keys that the first worker would use."""
        found: set[str] = set()
        while True:
            try:
                lease = self.here.lease(bot, {fingerprint(key) for key in found})
            except PoeflaskError:
                return found
            found.add(lease.key)
            lease.give_back()

    def states(self) -> list[str]:
        """How the second worker sees the keys, a second later."""
        self.now_s += 1
        return [key.state for key in self.there.status()]


def test_the_least_loaded_key_is_taken() -> None:
    """By weight, with answers that are open; what is given back counts no more."""
    pool = Pools(a=1, b=3).here
    leases = [pool.lease("Bot") for _ in range(8)]
    assert {"a": 2, "b": 6} == Counter(lease.key for lease in leases)
    for lease in leases:
        if lease.key == "b":
            lease.give_back()
            lease.give_back()

    assert [2, 0] == [key.in_flight for key in pool.status()]
    assert "b" == pool.lease("Bot").key


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 60))
def test_work_one_after_the_other_is_shared_by_weight_too(weights: list[int], asked: int) -> None:
    """No key is further from its share than by one question."""
    pool = Pools(**{f"k{number}": weight for number, weight in enumerate(weights)}).here
    given_to = Counter[str]()
    for _ in range(asked):
        lease = pool.lease("Bot")
        given_to[lease.key] += 1
        lease.give_back()

    for number, weight in enumerate(weights):
        assert given_to[f"k{number}"] <= asked * weight / sum(weights) + len(weights)
        assert given_to[f"k{number}"] >= asked * weight / sum(weights) - len(weights)


def test_no_key_shows_in_what_is_shown() -> None:
    """Neither the pool nor a key's own value tells the secret."""
    secret = "sk-poe-very-secret"
    pools = Pools(**{secret: 1})
    lease = pools.here.lease("Bot")

    assert secret not in repr([PoeKey("a", secret), pools.here, pools.here.status(), lease])


def test_a_limited_key_rests_as_long_as_poe_says() -> None:
    """All workers know of it within a second."""
    pools = Pools(a=1, b=1)

    assert pools.fails("a", PoeError(ErrorKind.RATE_LIMITED, "Too fast.", retry_after_s=20))
    assert {"b"} == pools.usable() == pools.usable("Other")
    assert ["cooling", "ok"] == pools.states()
    pools.now_s += 20
    assert {"a", "b"} == pools.usable()


def test_poe_cannot_ask_for_more_than_the_longest_rest() -> None:
    """A strange header does not take a key away for a day."""
    pools = Pools(a=1)
    pools.fails("a", PoeError(ErrorKind.RATE_LIMITED, "Too fast.", retry_after_s=86400))
    pools.now_s += LONGEST_COOL_S

    assert {"a"} == pools.usable()


def test_without_a_time_only_this_bot_is_left_alone() -> None:
    """It may be the bot that is limited, and other bots work."""
    pools = Pools(a=1, b=1)

    assert pools.fails("a", LIMITED)
    assert {"b"} == pools.usable("Bot")
    assert {"a", "b"} == pools.usable("Other")
    pools.now_s += COOL_S
    assert {"a", "b"} == pools.usable("Bot")


def test_a_key_without_points_rests_until_the_next_grant() -> None:
    """Which Poe may tell; else it is midnight UTC."""
    told = {"current_point_balance": 0, "next_grant_time": (NOON_S + 3600) * 1e6}
    pools = Pools(Poe(a=told, b={"current_point_balance": 0}), a=1, b=1, c=1)

    assert pools.fails("a", POOR)
    assert pools.fails("b", POOR)
    assert {"c"} == pools.usable()
    ends = [key.until_s for key in pools.here.status()]
    assert [NOON_S + 3600, NOON_S + 43200, None] == ends
    assert ["no_points", "no_points", "ok"] == pools.states()


def test_a_bot_that_is_too_dear_takes_no_key_from_the_others() -> None:
    """As long as the key has points, only this bot is not asked with it."""
    pools = Pools(a=1, b=1)

    assert pools.fails("a", POOR)
    assert {"b"} == pools.usable("Bot")
    assert {"a", "b"} == pools.usable("Other")
    pools.now_s += DEAR_S
    assert {"a", "b"} == pools.usable("Bot")


def test_a_key_that_poe_does_not_accept_is_dead() -> None:
    """For good, until its owner revives it."""
    pools = Pools(Poe(a=BAD), a=1, b=1)

    assert pools.fails("a", BAD)
    pools.now_s += 7 * 86400
    assert {"b"} == pools.usable()
    assert ["dead", "ok"] == pools.states()
    assert None is pools.there.status()[0].until_s
    assert pools.there.revive("A")
    assert not pools.there.revive("nobody")
    pools.now_s += 1
    assert {"a", "b"} == pools.usable()


def test_a_bot_cannot_talk_a_key_to_death() -> None:
    """What it says of the key is checked with Poe."""
    pools = Pools(a=1)

    assert not pools.fails("a", BAD)
    assert ["a"] == pools.poe.asked
    assert {"a"} == pools.usable()


@pytest.mark.parametrize(("error", "state"), [(BAD, "cooling"), (POOR, "no_points")])
def test_if_poe_does_not_tell_the_key_rests(error: PoeError, state: str) -> None:
    """A key that cannot be checked is not called dead."""
    pools = Pools(Poe(a=AWAY), a=1, b=1)

    assert pools.fails("a", error)
    assert [state, "ok"] == pools.states()


def test_other_failures_say_nothing_of_a_key() -> None:
    """A bot that fails fails with any key."""
    pools = Pools(a=1)

    assert not pools.fails("a", AWAY)
    assert ([], {"a"}) == (pools.poe.asked, pools.usable())


@pytest.mark.parametrize(
    ("poe", "errors", "kind", "wait_s"),
    [
        (Poe(), {"a": LIMITED, "b": POOR}, ErrorKind.RATE_LIMITED, COOL_S),
        (Poe(), {"a": POOR, "b": POOR}, ErrorKind.NO_POINTS, DEAR_S),
        (Poe(a=BAD), {"a": BAD, "b": POOR}, ErrorKind.NO_POINTS, DEAR_S),
        (Poe(a=BAD, b=BAD), {"a": BAD, "b": BAD}, ErrorKind.NOT_OFFERED, None),
    ],
)
def test_if_all_rest_it_is_said_why_and_for_how_long(
    poe: Poe, errors: dict[str, PoeError], kind: ErrorKind, wait_s: float | None
) -> None:
    """The client's own key is never what is wrong."""
    pools = Pools(poe, a=1, b=1)
    for key, error in errors.items():
        pools.fails(key, error)
    with pytest.raises(PoeflaskError) as caught:
        pools.here.lease("Bot")

    assert (kind, wait_s) == (caught.value.kind, caught.value.retry_after_s)


def test_without_any_key_the_caller_must_bring_one() -> None:
    """An empty pool says what would be right."""
    with pytest.raises(OwnError, match="POE_API_KEYS"):
        Pools().here.lease("Bot")

    assert not Pools().here


def test_balances_are_asked_for_when_they_are_wanted_and_kept_for_a_minute() -> None:
    """One that cannot be had is unknown."""
    pools = Pools(Poe(b=AWAY), a=1, b=1)
    assert [None, None] == [key.balance for key in pools.here.status()]
    seen = [[key.balance for key in pools.here.status(with_balance=True)] for _ in range(2)]

    assert [[Balance(points=100), None]] * 2 == seen
    assert ["a", "b", "b"] == pools.poe.asked


def test_a_key_that_must_wait_is_taken_last() -> None:
    """A key that has sent all that it may is left for when there is no other."""
    marks = {fingerprint("a"): 5.0}
    board = Noticeboard(Namespace(MemoryStore(), "upstream", on_failure="forget"))
    keys = [PoeKey("A", "a"), PoeKey("B", "b")]
    pool = PoeKeys(keys, board, Poe(), wait_s=lambda mark: marks.get(mark, 0.0))

    assert ["b", "b"] == [pool.lease("Bot").key for _ in range(2)]
    assert "a" == pool.lease("Bot", {fingerprint("b")}).key
