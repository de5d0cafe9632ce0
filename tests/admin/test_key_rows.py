"""A key's row tells its state, what is used, and times, in few words."""

from __future__ import annotations

import pytest

from poeflask.admin.key_rows import Bar, Span, ago, amount, bar, key_row, moment
from poeflask.core.gateway_key import GatewayKey, KeyLimits

NOW_S = 1_795_000_000.0
DAY_S = 86_400.0
KEY = GatewayKey(id="0a", name="Anna", created_s=0.0, limits=KeyLimits(concurrent=3))


def made(key: GatewayKey = KEY, last_used_s: float | None = None, **used: tuple[int, int]):
    """The row of a key; its id is recorded."""
    return key_row(key, used=used, last_used_s=last_used_s, recorded={"0a"}, now_s=NOW_S)


@pytest.mark.parametrize(
    ("said", "state", "ends_in"),
    [
        ({}, "works", None),
        ({"disabled": True}, "disabled", None),
        ({"expires_s": NOW_S}, "expired", None),
        ({"expires_s": NOW_S - 1, "disabled": True}, "expired", None),
        ({"expires_s": NOW_S + 1}, "works", Span("keys.in_minutes", 1)),
        ({"expires_s": NOW_S + DAY_S}, "works", Span("keys.in_hours", 24)),
        ({"expires_s": NOW_S + 30 * DAY_S}, "works", Span("keys.in_days", 30)),
    ],
)
def test_the_state_is_what_a_caller_would_meet(
    said: dict[str, object], state: str, ends_in: Span | None
) -> None:
    """And the end is told while it is to come."""
    row = made(KEY.changed(said))

    assert (state, ends_in) == (row.state, row.ends_in)


def test_bars_stand_in_the_order_of_the_limits() -> None:
    """Answers at a time are a number, no bar."""
    row = made(tokens_per_day=(5, 10), requests_per_minute=(1, 10))

    assert ["keys.limit_requests_minute", "keys.limit_tokens_day"] == [one.text for one in row.bars]
    assert 3 == row.concurrent


def test_points_are_counted_in_thousandths_and_shown_whole() -> None:
    """Less than one shows as a part."""
    assert Bar(
        text="keys.limit_points_day", used="0.3", limit="2,000", share=0.0001, level="low"
    ) == bar("points_per_day", 250, 2_000_000)


@pytest.mark.parametrize(
    ("used", "share", "level"),
    [(79, 0.79, "low"), (80, 0.8, "high"), (100, 1, "full"), (900, 1, "full")],
)
def test_a_bar_warns_before_it_is_full(used: int, share: float, level: str) -> None:
    """And is never more than full, though an answer's end may have passed the limit."""
    got = bar("tokens_per_day", used, 100)

    assert (share, level) == (got.share, got.level)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.01, "0.1"),
        (9.1, "9.1"),
        (10.2, "11"),
        (9_999, "9,999"),
        (10_000, "10K"),
        (25_340, "25.4K"),
        (4e6, "4M"),
        (10**12, "1T"),
    ],
)
def test_numbers_are_short_and_never_too_small(number: float, text: str) -> None:
    """What is used may look like more, never like less."""
    assert text == amount(number)


@pytest.mark.parametrize(
    ("seconds", "span"),
    [
        (-1, Span("keys.just_now", 0)),
        (59, Span("keys.just_now", 0)),
        (60, Span("keys.minutes_ago", 1)),
        (7199, Span("keys.hours_ago", 1)),
        (3 * DAY_S, Span("keys.days_ago", 3)),
    ],
)
def test_the_last_use_is_told_roughly(seconds: float, span: Span) -> None:
    """In whole units of the largest that fits."""
    assert span == ago(seconds)
    assert span == made(last_used_s=NOW_S - seconds).last_used


def test_a_key_that_is_never_recorded_is_not_marked_as_being_so() -> None:
    """Even if the switch is on."""
    assert made().is_recorded
    assert not made(KEY.changed({"recorded": False})).is_recorded


def test_midnight_is_a_day_alone() -> None:
    """Else the moment is told to the minute."""
    assert ("2027-01-31", "2026-11-18 10:26") == (moment(1_801_353_600), moment(1_794_997_600))
