"""The arithmetic of limits: amounts, prices, days and months, and the headers that tell of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MILLIPOINTS = 1000
"""Points are counted in thousandths: many questions cost less than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What answers take: requests, tokens, and thousandths of points."""

    requests: int = 0
    tokens: int = 0
    millipoints: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            millipoints=self.millipoints + other.millipoints,
        )

    def __sub__(self, other: Amount) -> Amount:
        return Amount(
            requests=self.requests - other.requests,
            tokens=self.tokens - other.tokens,
            millipoints=self.millipoints - other.millipoints,
        )


NOTHING = Amount()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a bot costs, in points: for each request, each token it reads, each token it says."""

    request: float = 0.0
    prompt: float = 0.0
    completion: float = 0.0

    def millipoints(self, prompt_tokens: int, completion_tokens: int, requests: int = 1) -> int:
        """What this costs, rounded up."""
        points = (
            self.request * requests
            + self.prompt * prompt_tokens
            + self.completion * completion_tokens
        )
        # What floats add to a whole number must not cost another thousandth.
        return math.ceil(round(points * MILLIPOINTS, 6))


FREE = Price()


def price_of(pricing: Mapping[str, Any], points_per_usd: float) -> Price | None:
    """The price that a bot's entry in Poe's list tells in US dollars; None if it tells none."""
    told = {name: _usd(pricing.get(name)) for name in ("request", "prompt", "completion")}
    if not any(told.values()):
        return None
    return Price(**{name: (usd or 0.0) * points_per_usd for name, usd in told.items()})


def _usd(text: Any) -> float | None:
    try:
        usd = float(text)
    except (TypeError, ValueError):
        return None
    return usd if math.isfinite(usd) and usd >= 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much there may be at most; None is without end."""

    tokens: int | None = None
    millipoints: int | None = None

    def answer_tokens(self, prompt_tokens: int, answers: int, price: Price) -> float:
        """How many tokens each of so many answers may have; below 1 if there is no room.

        Args:
            prompt_tokens: those of all prompts together.
            answers: how many there will be.
            price: what they cost.
        """
        found = math.inf
        if self.tokens is not None:
            found = (self.tokens - prompt_tokens) // answers
        if self.millipoints is None:
            return found
        left = self.millipoints - price.millipoints(prompt_tokens, 0, answers)
        if left < 0:
            return 0
        if not price.completion:
            return found
        return min(found, math.floor(left / (price.completion * MILLIPOINTS * answers)))


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a month of the calendar, UTC: its name, and its end in seconds since 1970."""

    name: str
    end_s: float


def day_of(now_s: float) -> Period:
    """The day in which this second lies: "2026-11-22"."""
    start = datetime.fromtimestamp(now_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(start.strftime("%Y-%m-%d"), (start + timedelta(days=1)).timestamp())


def month_of(now_s: float) -> Period:
    """The month in which this second lies: "2026-11"."""
    now = datetime.fromtimestamp(now_s, UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return Period(now.strftime("%Y-%m"), datetime(year, month, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit as a client sees it.

    Attributes:
        limit: how much there is.
        used: how much of it is taken, reserves included.
        reset_s: seconds until it will be whole again.
    """

    limit: int
    used: int
    reset_s: float

    @property
    def remaining(self) -> int:
        """How much is left."""
        return max(0, self.limit - self.used)


Gauges = Mapping[str, Gauge]
"""By what they measure: "requests", "tokens"."""


def openai_headers(gauges: Gauges) -> dict[str, str]:
    """The headers in which OpenAI's API tells of limits."""
    return {
        f"x-ratelimit-{part}-{name}": value
        for name, gauge in gauges.items()
        for part, value in (
            ("limit", str(gauge.limit)),
            ("remaining", str(gauge.remaining)),
            ("reset", duration(gauge.reset_s)),
        )
    }


def anthropic_headers(gauges: Gauges, now_s: float) -> dict[str, str]:
    """The headers in which Anthropic's API tells of limits."""
    return {
        f"anthropic-ratelimit-{name}-{part}": value
        for name, gauge in gauges.items()
        for part, value in (
            ("limit", str(gauge.limit)),
            ("remaining", str(gauge.remaining)),
            ("reset", moment(now_s + gauge.reset_s)),
        )
    }


def duration(seconds: float) -> str:
    """A time as OpenAI's headers write it, never too short: "1m30s", "12ms", "1h0m0s"."""
    if 0 < seconds < 1:
        return f"{math.ceil(round(seconds * 1000, 3))}ms"
    whole = math.ceil(round(max(0.0, seconds), 3))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def moment(time_s: float) -> str:
    """A moment as RFC 3339 writes it, in whole seconds, never too early."""
    return datetime.fromtimestamp(math.ceil(round(time_s, 3)), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
