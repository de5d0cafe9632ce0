"""The limits of a gateway key at a moment: what each counts, where, and how much is used of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from poeflask.core.gateway_key import MOST, GatewayKey, KeyLimits
from poeflask.core.quota import MILLIPOINTS, Period, day_of, month_of
from poeflask.stores.base import Claim, Lease, Store, Total, Window
from poeflask.stores.namespace import Namespace

MINUTE_S = 60.0
LEASE_S = 30.0
"""How long the place of a worker that died is held."""

KEPT_S = 2 * 86_400.0
"""How long a budget's count outlives its day or month: answers that began in it end later."""

Unit = Literal["requests", "tokens", "millipoints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One limit of a key.

    Attributes:
        name: the field of `KeyLimits`.
        key: where it is counted.
        unit: what it measures; None if it is places among the answers that are given at a time.
        limit: how much there is of it.
        period: the day or month that it is for; None if it is for any minute, or for the moment.
        noun: what there may be, in words.
    """

    name: str
    key: str
    unit: Unit | None
    limit: int
    period: Period | None
    noun: str

    def claim(
        self, amount: int, limit: int | None, began_s: float, age_s: float = 0.0
    ) -> Window | Total:
        """The claim to so much of it.

        Args:
            amount: how much; below 0 it is given back.
            limit: how much there may be; None takes in any case.
            began_s: when the period was looked up, in seconds since 1970.
            age_s: how long ago what is given back was taken.
        """
        if self.period is None:
            return Window(self.key, amount, limit, MINUTE_S, age_s)
        return Total(self.key, amount, limit, self.period.end_s - began_s + KEPT_S)

    def place(self, holder: str, limit: int | None) -> Lease:
        """The claim to one of its places among the answers that are given at a time.

        It must be renewed after `renewal_s()`, by another claim of the same holder.
        """
        return Lease(self.key, holder, limit, LEASE_S)


def renewal_s() -> float:
    """How long after it was claimed a place should be claimed anew."""
    return LEASE_S / 3


def counts(store: Store) -> Namespace:
    """Where all limits are counted. What cannot be counted is refused."""
    return Namespace(store, "limits:1", on_failure="refuse")


def gates_of(key: GatewayKey, now_s: float) -> tuple[Gate, ...]:
    """The limits that the key has, in the order of this table.

    With a budget, answers at a time are counted in any case: what is left of the budget may only be
    reserved for them.
    """
    limits = key.limits
    day, month = day_of(now_s), month_of(now_s)
    table: tuple[tuple[str, Unit | None, Period | None, str], ...] = (
        ("requests_per_minute", "requests", None, "requests per minute"),
        ("tokens_per_minute", "tokens", None, "tokens per minute"),
        ("concurrent", None, None, "answers at a time"),
        ("tokens_per_day", "tokens", day, "tokens per day (UTC)"),
        ("tokens_per_month", "tokens", month, "tokens per month (UTC)"),
        ("points_per_day", "millipoints", day, "points per day (UTC)"),
        ("points_per_month", "millipoints", month, "points per month (UTC)"),
    )
    return tuple(
        Gate(
            name=name,
            key=f"{key.id}:{name}" + ("" if period is None else f":{period.name}"),
            unit=unit,
            limit=limit * (MILLIPOINTS if unit == "millipoints" else 1),
            period=period,
            # One request, one token, one answer, one point.
            noun=f"{limit} {noun}" if limit != 1 else f"1 {noun.replace('s ', ' ', 1)}",
        )
        for name, unit, period, noun in table
        if (limit := _limit(limits, name)) is not None
    )


def _limit(limits: KeyLimits, name: str) -> int | None:
    limit: int | None = getattr(limits, name)
    return MOST if limit is None and name == "concurrent" and limits.has_budget else limit


def spent(store: Store, key: GatewayKey, now_s: float) -> dict[str, tuple[int, int]]:
    """How much is used of the key's limits, and how much there is, by their names.

    Places among the answers that are given at a time are not told. Points are in thousandths.

    Raises:
        OwnError: kind BUSY, if the store cannot be reached.
    """
    gates = [gate for gate in gates_of(key, now_s) if gate.unit is not None]
    asked: list[Claim] = [gate.claim(0, None, now_s) for gate in gates]
    used = counts(store).take(asked).used
    return {gate.name: (one, gate.limit) for gate, one in zip(gates, used, strict=True)}
