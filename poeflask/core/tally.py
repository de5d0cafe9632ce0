"""Sums of ledger rows: counts, tokens, points, outcomes and times; made alone and merged later.

Tallies of different workers, hours or keys are merged in any order to the same sum. Times are kept
as a histogram with buckets that grow by a fifth, so that a percentile of the sum is right to within
a tenth, however many rows went into it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from poeflask.core.ledger_row import OK, LedgerRow

_GROWTH = 1.2
_LOG_GROWTH = math.log(_GROWTH)
_FIRST_S = 0.001
_LAST_BUCKET = 96
"""The last bucket ends at about eleven hours."""

MOST_GROUPS = 200
"""Keys times bots that are told apart in one stretch of time."""

Counts = dict[int, int]


class Group(NamedTuple):
    """What a tally is of: the requests of one key to one bot."""

    key_id: str
    key_name: str
    bot: str


OTHERS = Group("", "others", "others")
"""Stands for all that came after the last that is told apart."""


def bucket_of(seconds: float) -> int:
    """The histogram's bucket for a length of time."""
    if seconds <= _FIRST_S:
        return 0
    return min(_LAST_BUCKET, math.ceil(math.log(seconds / _FIRST_S) / _LOG_GROWTH - 1e-9))


def seconds_of(bucket: int) -> float:
    """A length of time in the middle of a bucket."""
    return _FIRST_S if bucket <= 0 else _FIRST_S * 2 * _GROWTH**bucket / (_GROWTH + 1)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The time, in seconds, within which this share of the counted ended; None if none did.

    Args:
        counts: how many fell into each bucket.
        share: between 0 and 1, such as 0.95.
    """
    wanted = max(1, math.ceil(share * sum(counts.values())))
    for bucket in sorted(counts):
        wanted -= counts[bucket]
        if wanted <= 0:
            return seconds_of(bucket)
    return None


@dataclass(slots=True, kw_only=True)
class Tally:
    """The sum of some rows.

    Attributes:
        requests: how many.
        outcomes: how many ended so.
        points: as Poe recorded them.
        points_estimated: those that were estimated.
        first_token: how many first pieces came within each bucket's time.
        total: how many ended within each bucket's time.
    """

    requests: int = 0
    streamed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    points: float = 0.0
    points_estimated: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    first_token: Counts = field(default_factory=dict)
    total: Counts = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many ended in an error."""
        return self.requests - self.outcomes.get(OK, 0)

    @property
    def tokens(self) -> int:
        """Of prompts and answers together."""
        return self.prompt_tokens + self.completion_tokens

    def add(self, row: LedgerRow) -> None:
        """Count a row."""
        self.requests += 1
        self.streamed += row.streamed
        self.prompt_tokens += row.prompt_tokens
        self.completion_tokens += row.completion_tokens
        self.reasoning_tokens += row.reasoning_tokens
        self.cached_tokens += row.cached_tokens
        self.add_points(row.points, row.points_estimated)
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + 1
        if row.first_token_s is not None:
            _count(self.first_token, bucket_of(row.first_token_s))
        _count(self.total, bucket_of(row.total_s))

    def add_points(self, points: float | None, estimated: bool) -> None:
        """Count points alone; below 0 they are taken back."""
        if estimated:
            self.points_estimated += points or 0.0
        else:
            self.points += points or 0.0

    def merge(self, other: Tally) -> None:
        """Count all that the other counted."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for outcome, number in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + number
        for mine, theirs in ((self.first_token, other.first_token), (self.total, other.total)):
            for bucket, number in theirs.items():
                _count(mine, bucket, number)

    def record(self) -> dict[str, Any]:
        """The tally as JSON says it; zeros are left out."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _SUMS}
        record["outcomes"] = self.outcomes
        record["first_token"] = {str(bucket): n for bucket, n in self.first_token.items()}
        record["total"] = {str(bucket): n for bucket, n in self.total.items()}
        return {name: value for name, value in record.items() if value}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Tally:
        """The tally that `record` told of."""
        made = cls(**{name: record[name] for name in _SUMS if name in record})
        made.outcomes.update(record.get("outcomes", {}))
        for counts, name in ((made.first_token, "first_token"), (made.total, "total")):
            counts.update({int(bucket): n for bucket, n in record.get(name, {}).items()})
        return made


_SUMS = (
    *("requests", "streamed", "prompt_tokens", "completion_tokens", "reasoning_tokens"),
    *("cached_tokens", "points", "points_estimated"),
)


def _count(counts: Counts, bucket: int, number: int = 1) -> None:
    counts[bucket] = counts.get(bucket, 0) + number


Tallies = dict[Group, Tally]
"""What was counted in one stretch of time, by key and bot."""


def count(tallies: Tallies, row: LedgerRow) -> None:
    """Count a row where it belongs."""
    tally_for(tallies, Group(row.key_id, row.key_name, row.bot)).add(row)


def tally_for(tallies: Tallies, group: Group) -> Tally:
    """The group's tally; that of all others if too many groups are told apart already."""
    found = tallies.get(group)
    if found is not None:
        return found
    if len(tallies) >= MOST_GROUPS:
        group = OTHERS
    return tallies.setdefault(group, Tally())


def merge(tallies: Tallies, others: Tallies) -> None:
    """Count all that the others counted; nothing of them is shared afterwards."""
    for group, other in others.items():
        tallies.setdefault(group, Tally()).merge(other)


def whole(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total


def record_of(tallies: Tallies) -> list[Any]:
    """Tallies as JSON says them."""
    return [[*group, tally.record()] for group, tally in tallies.items()]


def tallies_of(record: Iterable[Any]) -> Tallies:
    """The tallies that `record` told of."""
    return {
        Group(key_id, key_name, bot): Tally.of_record(told)
        for key_id, key_name, bot, told in record
    }
