"""What Poe says of a key's points."""

from __future__ import annotations

from typing import Any

import pytest

from poeflask.poe.balance import Balance, read_balance

MOMENT_S = 1_790_000_000.0


@pytest.mark.parametrize(
    ("answer", "balance"),
    [
        ({"current_point_balance": 1500}, Balance(points=1500)),
        ({"current_point_balance": 0.0}, Balance(points=0)),
        ({}, Balance()),
        ({"current_point_balance": "many"}, Balance()),
        ({"current_point_balance": True}, Balance()),
        ({"next_grant_time": MOMENT_S * 1_000_000}, Balance(next_grant_s=MOMENT_S)),
        ({"next_point_grant_time": int(MOMENT_S * 1000)}, Balance(next_grant_s=MOMENT_S)),
        ({"next_grant_at": MOMENT_S}, Balance(next_grant_s=MOMENT_S)),
        ({"next_grant_time": None, "next_grant_amount": 3000}, Balance()),
        ({"points_cycle_start_time": MOMENT_S}, Balance()),
    ],
)
def test_points_and_the_next_grant_are_read(answer: dict[str, Any], balance: Balance) -> None:
    """Times in whatever part of a second; what is not told is not guessed."""
    assert balance == read_balance(answer)
