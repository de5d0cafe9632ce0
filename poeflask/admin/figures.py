"""What the overview draws of the ledger's sums: totals, series over time, the busiest. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from poeflask.core.tally import Group, Tallies, Tally, merge, percentile, whole
from poeflask.stores.ledger import Bucket, Unit

_MOST_LISTED = 8
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Period(NamedTuple):
    """A stretch of time that ends now.

    Attributes:
        length_s: how long it is.
        unit: the sums that it is made of.
        step_s: the time between two points of a plot.
        read_s: how much of it is read at once, so that nothing else waits for long.
        again_s: after how long it is worth to look again.
    """

    length_s: int
    unit: Unit
    step_s: int
    read_s: int
    again_s: float

    def starts(self, now_s: float) -> range:
        """The beginnings of its steps; the last is the one that `now_s` is in."""
        last_s = int(now_s) - int(now_s) % self.step_s
        return range(last_s - self.length_s + self.step_s, last_s + 1, self.step_s)


PERIODS: Mapping[str, Period] = {
    "1h": Period(3600, "minute", 60, 1800, 3.0),
    "24h": Period(86_400, "minute", 900, 3600, 20.0),
    "7d": Period(7 * 86_400, "hour", 3 * 3600, 2 * 3600, 60.0),
    "30d": Period(30 * 86_400, "hour", 12 * 3600, 2 * 3600, 120.0),
}
"""By the names under which they are asked for."""

FIRST_SHOWN = "24h"


def figures(buckets: Iterable[Bucket], period: Period, now_s: float) -> dict[str, Any]:
    """The figures of a period, as JSON says them.

    Args:
        buckets: what the ledger counted in it; what lies outside is left aside.
        period: which one.
        now_s: when it ends, in seconds since 1970.
    """
    starts = period.starts(now_s)
    steps: dict[int, Tallies] = {}
    for bucket in buckets:
        start_s = bucket.start_s - bucket.start_s % period.step_s
        if start_s in starts:
            merge(steps.setdefault(start_s, {}), bucket.tallies)
    groups: Tallies = {}
    for tallies in steps.values():
        merge(groups, tallies)
    points = [_point(whole(steps.get(start_s, {}).values())) for start_s in starts]
    return {
        "step_s": period.step_s,
        "again_s": period.again_s,
        "totals": _sums(whole(groups.values())),
        "time_s": list(starts),
        "series": {name: [point[name] for point in points] for name in _point(Tally())},
        "models": _busiest(groups, lambda group: (group.bot, group.bot)),
        "keys": _busiest(groups, lambda group: (group.key_id, group.key_name)),
    }


def _sums(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.requests,
        "errors": tally.errors,
        "prompt_tokens": tally.prompt_tokens,
        "completion_tokens": tally.completion_tokens,
        "points": round(tally.points + tally.points_estimated, 2),
        "is_estimated": tally.points_estimated > 0,
        "first_p50_s": _shown(percentile(tally.first_token, 0.5)),
        "first_p95_s": _shown(percentile(tally.first_token, 0.95)),
        "total_p50_s": _shown(percentile(tally.total, 0.5)),
    }


def _point(tally: Tally) -> dict[str, Any]:
    """One point of every series."""
    point: dict[str, Any] = {
        "answered": tally.requests - tally.errors,
        "errors": tally.errors,
        "prompt_tokens": tally.prompt_tokens,
        "completion_tokens": tally.completion_tokens,
        "points": round(tally.points + tally.points_estimated, 2),
    }
    for name, share in _SHARES.items():
        point[f"first_{name}_s"] = _shown(percentile(tally.first_token, share))
        point[f"total_{name}_s"] = _shown(percentile(tally.total, share))
    return point


def _busiest(groups: Tallies, told: Callable[[Group], tuple[str, str]]) -> list[dict[str, Any]]:
    """The sums of those with the most requests; `told` gives the id and the name of a group."""
    found: dict[str, tuple[str, Tally]] = {}
    for group, tally in groups.items():
        told_id, name = told(group)
        _, total = found.setdefault(told_id, (name, Tally()))
        total.merge(tally)
        found[told_id] = (name, total)
    most = sorted(found.items(), key=lambda item: (-item[1][1].requests, item[0]))
    return [
        {"id": told_id, "name": name, **_sums(tally)}
        for told_id, (name, tally) in most[:_MOST_LISTED]
    ]


def _shown(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
