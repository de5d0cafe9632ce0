"""What Poe says of a key's points. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NEXT_GRANT = re.compile(r"next.*grant.*time|next.*grant.*at$")
_LATEST_S = 1e11
"""Larger numbers are no seconds since 1970 but parts of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A key's points, and when there will be new ones, in seconds since 1970; None if not told."""

    points: int | None = None
    next_grant_s: float | None = None


def read_balance(answer: Mapping[str, Any]) -> Balance:
    """What `GET /usage/current_balance` answered.

    Poe documents the points alone; the time of the next grant came later, and only some get it.
    """
    points = _number(answer.get("current_point_balance"))
    grants = (_seconds(value) for name, value in answer.items() if _NEXT_GRANT.search(name))
    return Balance(
        points=None if points is None else int(points),
        next_grant_s=next((at_s for at_s in grants if at_s is not None), None),
    )


def _seconds(value: Any) -> float | None:
    """A time that is told in seconds, thousandths or millionths of them."""
    number = _number(value)
    while number is not None and number > _LATEST_S:
        number /= 1000
    return number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
