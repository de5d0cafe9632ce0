"""The gateway keys as a table shows them: state, what is used of each limit, and the last use."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from poeflask.admin.key_forms import LIMIT_TEXTS
from poeflask.core.gateway_key import LIMITS, GatewayKey
from poeflask.core.quota import MILLIPOINTS

State = Literal["works", "disabled", "expired"]
Level = Literal["low", "high", "full"]

Used = Mapping[str, tuple[int, int]]
"""As `gates.spent` tells it."""

_HIGH = 0.8
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in words: the name of the text, and its number."""

    text: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How much is used of a limit.

    Attributes:
        text: the name of the text that says what is limited.
        used, limit: as people write numbers.
        share: how much of it is used, from 0 to 1.
        level: whether that is much.
    """

    text: str
    used: str
    limit: str
    share: float
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key as the table shows it.

    Attributes:
        state: whether it is let in.
        expires: the moment from when on it is not, UTC; empty for never.
        ends_in: how long that is from now on; None for never, and if it has passed.
        bars: its limits that are counted.
        concurrent: how many answers at a time; None for any number.
        last_used: how long ago; None if that is not known.
        is_recorded: its questions and answers are being kept.
    """

    key: GatewayKey
    state: State
    expires: str
    ends_in: Span | None
    bars: tuple[Bar, ...]
    concurrent: int | None
    last_used: Span | None
    is_recorded: bool


def key_row(
    key: GatewayKey,
    *,
    used: Used,
    last_used_s: float | None,
    recorded: Collection[str],
    now_s: float,
) -> KeyRow:
    """A key as the table shows it.

    Args:
        key: what is known of it.
        used: how much of its limits is used.
        last_used_s: when it was used last, in seconds since 1970; None if that is not known.
        recorded: the ids of the keys that are recorded.
        now_s: seconds since 1970.
    """
    left_s = None if key.expires_s is None else key.expires_s - now_s
    return KeyRow(
        key=key,
        state=_state(key, now_s),
        expires="" if key.expires_s is None else moment(key.expires_s),
        ends_in=_in(left_s) if left_s is not None and left_s > 0 else None,
        bars=tuple(bar(name, *used[name]) for name in LIMITS if name in used),
        concurrent=key.limits.concurrent,
        last_used=None if last_used_s is None else ago(now_s - last_used_s),
        is_recorded=key.recorded and key.id in recorded,
    )


def bar(name: str, used: int, limit: int) -> Bar:
    """How much is used of the limit of this name; points in thousandths."""
    scale = MILLIPOINTS if name.startswith("points") else 1
    share = min(1.0, used / limit)
    return Bar(
        text=LIMIT_TEXTS[name],
        used=amount(used / scale),
        limit=amount(limit / scale),
        share=round(share, 4),
        level="full" if share >= 1 else "high" if share >= _HIGH else "low",
    )


def amount(number: float) -> str:
    """A number in few letters, never less than it is: "0.3", "1,234", "25.3K", "4M"."""
    if number < 10 and number != int(number):
        return f"{math.ceil(round(number * 10, 6)) / 10:g}"
    if number < 10_000:
        return f"{math.ceil(number):,}"
    scale, unit = next(one for one in _UNITS if number >= one[0])
    return f"{math.ceil(round(number / scale * 10, 6)) / 10:,g}{unit}"


_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def ago(seconds: float) -> Span:
    """How long something is past."""
    for least_s, unit_s, text in (
        (_DAY_S, _DAY_S, "keys.days_ago"),
        (3600.0, 3600.0, "keys.hours_ago"),
        (60.0, 60.0, "keys.minutes_ago"),
    ):
        if seconds >= least_s:
            return Span(text, int(seconds // unit_s))
    return Span("keys.just_now", 0)


def moment(time_s: float) -> str:
    """A moment to the minute, UTC; without the time of day if it is midnight."""
    at = datetime.fromtimestamp(time_s, UTC)
    is_midnight = (at.hour, at.minute) == (0, 0)
    return f"{at:%Y-%m-%d}" if is_midnight else f"{at:%Y-%m-%d %H:%M}"


def _in(seconds: float) -> Span:
    if seconds >= 2 * _DAY_S:
        return Span("keys.in_days", int(seconds // _DAY_S))
    if seconds >= 3600.0:
        return Span("keys.in_hours", int(seconds // 3600.0))
    return Span("keys.in_minutes", math.ceil(seconds / 60.0))


def _state(key: GatewayKey, now_s: float) -> State:
    if key.has_expired(now_s):
        return "expired"
    return "disabled" if key.disabled else "works"
