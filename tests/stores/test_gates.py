"""The limits of a key at a moment."""

from datetime import UTC, datetime

from poeflask.core.gateway_key import MOST, GatewayKey
from poeflask.stores.base import Total, Window
from poeflask.stores.gates import KEPT_S, counts, gates_of, spent
from poeflask.stores.memory import MemoryStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
KEY = GatewayKey(id="k1", name="Anna", created_s=0.0)


def test_only_limits_that_there_are_stand_in_the_way():
    """Each counted by itself, budgets anew for each period; points in thousandths."""
    key = KEY.changed({"concurrent": 2, "points_per_day": 5, "tokens_per_month": 7})

    assert () == gates_of(KEY, NOON)
    assert [
        ("k1:concurrent", None, 2, "2 answers at a time"),
        ("k1:tokens_per_month:2026-11", "tokens", 7, "7 tokens per month (UTC)"),
        ("k1:points_per_day:2026-11-22", "millipoints", 5000, "5 points per day (UTC)"),
    ] == [(gate.key, gate.unit, gate.limit, gate.noun) for gate in gates_of(key, NOON)]


def test_one_is_told_as_one():
    """Callers read it."""
    key = KEY.changed({"concurrent": 1, "requests_per_minute": 1, "points_per_day": 1})

    assert ["1 request per minute", "1 answer at a time", "1 point per day (UTC)"] == [
        gate.noun for gate in gates_of(key, NOON)
    ]


def test_a_claim_is_to_a_minute_or_to_a_period():
    """A period's count outlives it, for what began in it and ends later."""
    minute, places, day = gates_of(KEY.changed({"tokens_per_minute": 9, "tokens_per_day": 8}), NOON)

    assert (None, MOST) == (places.unit, places.limit)
    assert Window("k1:tokens_per_minute", -3, None, 60.0, 5.0) == minute.claim(-3, None, NOON, 5.0)
    assert Total("k1:tokens_per_day:2026-11-22", 3, 8, 43_200.0 + KEPT_S) == day.claim(
        3, day.limit, NOON
    )


def test_what_is_spent_is_told_without_spending():
    """Of all that is counted; places are not."""
    store = MemoryStore(clock=lambda: NOON)
    key = KEY.changed({"tokens_per_minute": 9, "points_per_month": 8, "concurrent": 1})
    minute, _, month = gates_of(key, NOON)
    counts(store).take([minute.claim(4, 9, NOON), month.claim(1500, 8000, NOON)])

    for _ in range(2):
        assert {"tokens_per_minute": (4, 9), "points_per_month": (1500, 8000)} == spent(
            store, key, NOON
        )
