"""What the overview draws follows from the ledger's sums."""

from __future__ import annotations

import pytest

from poeflask.admin.figures import FIRST_SHOWN, PERIODS, figures
from poeflask.core.ledger_row import LedgerRow
from poeflask.core.tally import Tallies, count
from poeflask.stores.ledger import Bucket

NOW_S = 1_800_000_123.0
MINUTE_S = 60
HOUR = PERIODS["1h"]


def row(key: str = "k1", bot: str = "Echo", **more: object) -> LedgerRow:
    """A row; when it came is told by its bucket."""
    told: dict[str, object] = {"key_name": f"name of {key}", "total_s": 1.0, **more}
    return LedgerRow(
        id="r", time_s=0.0, request_id="q", key_id=key, asked=bot, bot=bot, dialect="chat", **told
    )  # type: ignore[arg-type] # the fields are as the caller names them


def bucket(start_s: int, *rows: LedgerRow) -> Bucket:
    """A sum of rows."""
    tallies: Tallies = {}
    for one in rows:
        count(tallies, one)
    return Bucket(start_s, tallies)


@pytest.mark.parametrize("name", PERIODS)
def test_a_period_ends_with_the_step_that_is_now(name: str) -> None:
    """Its steps are whole units of the ledger's, one behind the other, and as long as told."""
    period = PERIODS[name]
    starts = period.starts(NOW_S)

    assert starts[-1] <= NOW_S < starts[-1] + period.step_s
    assert period.length_s == len(starts) * period.step_s
    assert 0 == period.step_s % (60 if period.unit == "minute" else 3600)
    assert 0 == period.read_s % (60 if period.unit == "minute" else 3600)
    assert FIRST_SHOWN in PERIODS


def test_every_series_has_a_value_for_every_step() -> None:
    """Counts are 0 where nothing came; times are not known there."""
    start_s = HOUR.starts(NOW_S)[10]
    shown = figures([bucket(start_s, row(), row(outcome="busy"))], HOUR, NOW_S)

    assert {60} == {len(values) for values in (shown["time_s"], *shown["series"].values())}
    assert start_s == shown["time_s"][10]
    assert [0, 1, 0] == shown["series"]["answered"][9:12]
    assert [0, 1, 0] == shown["series"]["errors"][9:12]
    assert [None, None] == [shown["series"]["first_p50_s"][at] for at in (9, 10)]
    assert shown["series"]["total_p99_s"][10] == pytest.approx(1.0, rel=0.1)


def test_what_lies_outside_the_period_is_left_aside() -> None:
    """Neither before nor after."""
    starts = HOUR.starts(NOW_S)
    outside = [bucket(starts[0] - MINUTE_S, row()), bucket(starts[-1] + MINUTE_S, row())]
    shown = figures([*outside, bucket(starts[-1], row())], HOUR, NOW_S)

    assert 1 == shown["totals"]["requests"]


def test_sums_of_the_ledger_are_joined_to_longer_steps() -> None:
    """Three hours of a week are one step."""
    week = PERIODS["7d"]
    start_s = week.starts(NOW_S)[5]
    hours = [bucket(start_s + hour * 3600, row()) for hour in range(4)]
    shown = figures(hours, week, NOW_S)

    assert [3, 1] == shown["series"]["answered"][5:7]


def test_points_of_both_kinds_are_one_number() -> None:
    """That is marked if any of them is estimated."""
    start_s = HOUR.starts(NOW_S)[0]
    exact = row(points=2.5)
    guessed = row(points=0.25, points_estimated=True)
    alone = figures([bucket(start_s, exact)], HOUR, NOW_S)["totals"]
    both = figures([bucket(start_s, exact, guessed)], HOUR, NOW_S)["totals"]

    assert (2.5, False) == (alone["points"], alone["is_estimated"])
    assert (2.75, True) == (both["points"], both["is_estimated"])


def test_the_busiest_are_listed_first() -> None:
    """Models by name, keys by id, and not more than a few of them."""
    start_s = HOUR.starts(NOW_S)[0]
    rows = [row("k2", "Often"), row("k2", "Often"), row("k1", "Often")]
    shown = figures([bucket(start_s, *rows, *(row(bot=f"b{n}") for n in range(20)))], HOUR, NOW_S)

    assert ("Often", 3) == (shown["models"][0]["id"], shown["models"][0]["requests"])
    assert [("k1", 21), ("k2", 2)] == [(one["id"], one["requests"]) for one in shown["keys"]]
    assert "name of k1" == shown["keys"][0]["name"]
    assert 8 == len(shown["models"])


def test_nothing_asked_is_all_zeros() -> None:
    """And no time is made up."""
    totals = figures([], HOUR, NOW_S)["totals"]

    assert (0, 0, 0.0, False) == (
        totals["requests"],
        totals["errors"],
        totals["points"],
        totals["is_estimated"],
    )
    assert totals["first_p50_s"] is None
