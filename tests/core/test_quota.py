"""Amounts, prices, days, months, headers."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.quota import (
    Amount,
    Gauge,
    Period,
    Price,
    Room,
    anthropic_headers,
    day_of,
    duration,
    moment,
    month_of,
    openai_headers,
    price_of,
)


def at(*when):
    """Seconds since 1970 of a moment, UTC."""
    return datetime(*when, tzinfo=UTC).timestamp()


def test_amounts_are_added_and_taken_away():
    """Each of the three by itself."""
    one, two = Amount(requests=1, tokens=2, millipoints=3), Amount(requests=5, millipoints=1)

    assert Amount(requests=6, tokens=2, millipoints=4) == one + two
    assert one == one + two - two


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"prompt": "0.000003", "completion": "0.000015"}, Price(prompt=0.1, completion=0.5)),
        ({"request": "0.03", "prompt": None}, Price(request=1000.0)),
        ({"prompt": "0.003", "completion": "free"}, Price(prompt=100.0)),
        ({}, None),
        ({"prompt": None, "completion": "nan", "request": "-1", "image": "1"}, None),
        ({"request": "0"}, None),
    ],
)
def test_dollars_become_points(pricing, price):
    """What Poe's list does not tell, or tells in no number, is not guessed."""
    got = price_of(pricing, 1e5 / 3)

    assert price is None or got is not None
    if price is not None:
        assert math.isclose(price.request, got.request)
        assert math.isclose(price.prompt, got.prompt)
        assert math.isclose(price.completion, got.completion)
    else:
        assert got is None


def test_a_price_is_rounded_up_and_no_float_costs_a_thousandth():
    """0.1 * 3 is a little more than 0.3 to a float."""
    assert 300 == Price(prompt=0.1).millipoints(3, 0)
    assert 1 == Price(completion=0.0001).millipoints(0, 1)
    assert 2000 == Price(request=1).millipoints(0, 0, 2)


def test_room_is_shared_by_all_answers():
    """What prompts take is taken first; what has no end has none."""
    assert 45 == Room(tokens=100).answer_tokens(10, 2, Price())
    assert math.inf == Room().answer_tokens(10, 1, Price())
    assert 0 >= Room(tokens=10).answer_tokens(10, 1, Price())
    assert math.inf == Room(millipoints=5).answer_tokens(10, 1, Price())
    assert 20 == Room(millipoints=5000).answer_tokens(10, 2, Price(prompt=0.1, completion=0.1))
    assert 0 == Room(millipoints=5).answer_tokens(0, 1, Price(request=1))
    assert 3 == Room(tokens=13, millipoints=9000).answer_tokens(10, 1, Price(completion=1))


@given(
    st.integers(1, 10**7),
    st.integers(0, 10**5),
    st.integers(1, 8),
    st.floats(0, 10),
    st.floats(0.001, 10),
)
def test_what_fits_a_room_costs_no_more_than_it_has(left, prompt, answers, request, completion):
    """Whatever the price is."""
    price = Price(request=request, prompt=0.01, completion=completion)
    share = Room(millipoints=left).answer_tokens(prompt, answers, price)

    assert share < 1 or price.millipoints(prompt, int(share) * answers, answers) <= left + 1


def test_days_and_months_are_those_of_utc():
    """The last second of the year belongs to it, the next one to the next."""
    last, first = at(2026, 12, 31, 23, 59, 59), at(2027, 1, 1)

    assert (Period("2026-12-31", first), Period("2026-12", first)) == (day_of(last), month_of(last))
    assert (Period("2027-01-01", first + 86_400), "2027-01") == (
        day_of(first),
        month_of(first).name,
    )
    assert at(2028, 3, 1) == month_of(at(2028, 2, 29, 12)).end_s


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3, "0s"),
        (0.012, "12ms"),
        (0.0121, "13ms"),
        (1, "1s"),
        (8.2, "9s"),
        (60, "1m0s"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (86_399.5, "24h0m0s"),
    ],
)
def test_times_are_written_as_openai_does(seconds, text):
    """Rounded up: whoever waits so long does not come too early."""
    assert text == duration(seconds)


def test_moments_are_written_as_anthropic_does():
    """In whole seconds, never too early."""
    assert "2026-11-22T00:00:01Z" == moment(at(2026, 11, 22) + 0.2)


def test_headers_tell_limit_rest_and_reset():
    """In both families' words; what is overdrawn is nothing left."""
    gauges = {"requests": Gauge(5, 2, 60.0), "tokens": Gauge(100, 130, 1.5)}

    assert {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-reset-requests": "1m0s",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "2s",
    } == openai_headers(gauges)
    assert {
        "anthropic-ratelimit-requests-limit": "5",
        "anthropic-ratelimit-requests-remaining": "3",
        "anthropic-ratelimit-requests-reset": "1970-01-01T00:01:01Z",
        "anthropic-ratelimit-tokens-limit": "100",
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "1970-01-01T00:00:03Z",
    } == anthropic_headers(gauges, 1.0)
