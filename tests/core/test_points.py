"""What answers cost in points."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.points import REACH_S, Spent, estimate, match, spent_of
from tests.core.ledger_rows import ROW, rows

POINTS_PER_USD = 1_000_000 / 30

ENTRY = {
    "creation_time": 1_000_500_000,
    "bot_name": "Echo",
    "query_id": "q-1",
    "usage_type": "API",
    "cost_points": 450,
    "cost_breakdown_in_points": {"Input": "450 points (5290 tokens)", "Total": "450 points"},
}


def spent(number: int, time_s: float, **changed: object) -> Spent:
    """An entry of Poe's record."""
    plain = Spent(id=f"q-{number}", time_s=time_s, bot="echo", points=float(number))
    return replace(plain, **changed)  # type: ignore[arg-type]


def test_an_entry_is_read() -> None:
    """With the tokens, if it tells them."""
    wanted = Spent(id="q-1", time_s=1000.5, bot="Echo", points=450.0, prompt_tokens=5290)

    assert wanted == spent_of(ENTRY)
    assert replace(wanted, prompt_tokens=None) == spent_of(
        {**ENTRY, "cost_breakdown_in_points": {"Total": "1 point"}}
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"usage_type": "Chat"},
        {"bot_name": None},
        {"creation_time": "now"},
        {"cost_points": None},
        {"cost_breakdown_in_points": "free", "bot_name": 1},
    ],
)
def test_what_is_no_query_of_an_api_is_left_aside(changed: dict[str, object]) -> None:
    """Chats on Poe's own page cost points too, and strange entries are no reason to stop."""
    assert None is spent_of({**ENTRY, **changed})


def test_prices_are_dollars_a_token() -> None:
    """A million points are thirty dollars."""
    pricing = {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003"}

    assert 100.0 == estimate(pricing, prompt=1000, completion=0, points_per_usd=POINTS_PER_USD)
    assert 600.0 == estimate(pricing, prompt=1000, completion=1000, points_per_usd=POINTS_PER_USD)
    assert 10.0 == estimate(
        pricing, prompt=1000, completion=0, cached=1000, points_per_usd=POINTS_PER_USD
    )


@pytest.mark.parametrize(
    "pricing", [{}, {"prompt": None, "completion": "1"}, {"prompt": "1"}, {"request": "0.045"}]
)
def test_without_a_price_nothing_is_guessed(pricing: dict[str, object]) -> None:
    """Unknown is not free."""
    assert None is estimate(pricing, prompt=1000, completion=1000, points_per_usd=POINTS_PER_USD)


def test_the_nearest_in_time_belong_together() -> None:
    """Of the same bot only, in any case."""
    first, second = replace(ROW, id="a"), replace(ROW, id="b", time_s=1010.0)
    entries = [spent(2, 1011.0), spent(1, 1001.0), spent(3, 1000.0, bot="Other")]

    assert {"a": "q-1", "b": "q-2"} == {
        row_id: entry.id for row_id, entry in match([first, second], entries).items()
    }


def test_tokens_tell_apart_what_came_at_once() -> None:
    """Two requests of the same moment differ in size."""
    small, large = replace(ROW, id="a", prompt_tokens=10), replace(ROW, id="b", prompt_tokens=5000)
    entries = [spent(2, 1000.2, prompt_tokens=5100), spent(1, 1000.9, prompt_tokens=11)]

    assert {"a": "q-1", "b": "q-2"} == {
        row_id: entry.id for row_id, entry in match([small, large], entries).items()
    }


def test_what_is_far_apart_does_not_belong_together() -> None:
    """A wrong number is worse than none."""
    assert {} == match([ROW], [spent(1, ROW.time_s + REACH_S + 1)])


@given(
    st.lists(rows(), max_size=8, unique_by=lambda row: row.id),
    st.lists(st.builds(spent, st.integers(0, 99), st.floats(0, 2000)), max_size=8),
)
def test_nothing_is_charged_twice(some: list, entries: list[Spent]) -> None:
    """Each entry goes to one row at most."""
    near = [replace(row, time_s=row.time_s % 2000) for row in some]
    found = match(near, entries)

    assert len(found) <= len(entries)
    assert len({id(entry) for entry in found.values()}) == len(found)
