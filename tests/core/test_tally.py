"""Sums of ledger rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core import json_text
from poeflask.core.ledger_row import LedgerRow
from poeflask.core.tally import (
    MOST_GROUPS,
    OTHERS,
    Group,
    Tallies,
    Tally,
    bucket_of,
    count,
    merge,
    percentile,
    record_of,
    seconds_of,
    tallies_of,
    whole,
)
from tests.core.ledger_rows import ROW, rows


def counted(some: list[LedgerRow]) -> Tallies:
    """The sums of rows."""
    tallies: Tallies = {}
    for row in some:
        count(tallies, row)
    return tallies


def merged(*parts: Tallies) -> Tallies:
    """The sums of sums."""
    total: Tallies = {}
    for part in parts:
        merge(total, part)
    return total


@given(st.lists(rows(), max_size=20), st.integers(0, 20), st.randoms())
def test_it_does_not_matter_who_counts_what(some: list[LedgerRow], at: int, chance: object) -> None:
    """Rows counted apart and merged in any order give the sum of all of them."""
    first, second = counted(some[:at]), counted(some[at:])

    assert counted(some) == merged(first, second) == merged(second, first)


@given(st.lists(rows(), max_size=10), st.lists(rows(), max_size=10), st.lists(rows(), max_size=10))
def test_merging_has_no_order(a: list[LedgerRow], b: list[LedgerRow], c: list[LedgerRow]) -> None:
    """Nor any brackets."""
    x, y, z = counted(a), counted(b), counted(c)

    assert merged(merged(x, y), z) == merged(x, merged(y, z)) == merged(z, y, x)


@given(st.lists(rows(), max_size=10))
def test_sums_survive_json(some: list[LedgerRow]) -> None:
    """Zeros are left out there and come back."""
    tallies = counted(some)

    assert tallies == tallies_of(json_text.read(json_text.write(record_of(tallies))))


def test_what_was_merged_is_not_shared() -> None:
    """To count on in the sum changes no part of it."""
    part = counted([ROW])
    total = merged(part)
    count(total, ROW)

    assert counted([ROW]) == part


def test_a_row_is_counted_in_full() -> None:
    """Each number where it belongs."""
    failed = replace(ROW, outcome="busy", points=3.0, first_token_s=0.1, streamed=True)
    tally = whole(counted([ROW, failed, replace(ROW, points=1.0, points_estimated=True)]).values())

    assert (3, 1, 27, 6, 33) == (
        tally.requests,
        tally.streamed,
        tally.prompt_tokens,
        tally.completion_tokens,
        tally.tokens,
    )
    assert (3.0, 1.0, 1) == (tally.points, tally.points_estimated, tally.errors)
    assert ({"ok": 2, "busy": 1}, 1, 3) == (
        tally.outcomes,
        sum(tally.first_token.values()),
        sum(tally.total.values()),
    )


def test_groups_have_a_limit() -> None:
    """The rest is counted together: clients name models as they like."""
    tallies = counted([replace(ROW, bot=f"bot-{number}") for number in range(MOST_GROUPS + 50)])

    assert MOST_GROUPS + 1 == len(tallies)
    assert 50 == tallies[OTHERS].requests
    assert 1 == tallies[Group("key-1", "Ann", "bot-0")].requests


@given(st.floats(0.001, 36_000))
def test_a_bucket_tells_a_time_to_within_a_tenth(seconds: float) -> None:
    """From a millisecond to ten hours."""
    assert seconds == pytest.approx(seconds_of(bucket_of(seconds)), rel=0.1)


@given(st.lists(st.floats(0.002, 3600), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_percentile_is_that_of_the_times(times: list[float], share: float) -> None:
    """To within a tenth, however they are spread."""
    tally = whole(counted([replace(ROW, total_s=time) for time in times]).values())
    right = sorted(times)[max(1, -(-int(share * len(times) * 10**6) // 10**6)) - 1]
    told = percentile(tally.total, share)

    assert told is not None
    assert any(told == pytest.approx(near, rel=0.1) for near in (right, *_neighbours(times, right)))


def _neighbours(times: list[float], right: float) -> list[float]:
    """The times beside one: which of them is meant may hang on the last digit of the share."""
    place = sorted(times).index(right)
    return sorted(times)[max(0, place - 1) : place + 2]


def test_nothing_has_no_percentile() -> None:
    """Rather than a zero that would look like a good one."""
    assert None is percentile(Tally().total, 0.5)
