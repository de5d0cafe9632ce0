"""What an answer cost in Poe's points: estimated by the price list, or found in Poe's record. Pure.

Poe's protocol does not say what an answer cost. Its record of a key's usage does, some moments
later, under ids of its own: an entry is taken for the row that fits it best.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.core.ledger_row import LedgerRow

REACH_S = 60.0
"""How far the time of an entry may be from that of its row."""

_TOKENS_S = 30.0
"""As many seconds does it weigh if an entry's count of tokens is wholly another than the row's."""

_TOKENS = re.compile(r"\(([0-9]+) tokens?\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One entry of Poe's record.

    Attributes:
        id: Poe's own.
        time_s: seconds since 1970.
        bot: the bot's name.
        points: what it cost.
        prompt_tokens: the tokens of the input; None if the entry does not tell.
    """

    id: str
    time_s: float
    bot: str
    points: float
    prompt_tokens: int | None = None


def spent_of(entry: Mapping[str, Any]) -> Spent | None:
    """An entry of `GET /usage/points_history` as a value; None if it is none of an API's query."""
    bot, created, points = (
        entry.get(name) for name in ("bot_name", "creation_time", "cost_points")
    )
    if entry.get("usage_type") != "API" or not isinstance(bot, str):
        return None
    if not isinstance(created, int) or not isinstance(points, int | float):
        return None
    parts = entry.get("cost_breakdown_in_points")
    told = parts.get("Input") if isinstance(parts, Mapping) else None
    tokens = _TOKENS.search(told) if isinstance(told, str) else None
    return Spent(
        id=str(entry.get("query_id", "")),
        time_s=created / 1_000_000,
        bot=bot,
        points=float(points),
        prompt_tokens=int(tokens[1]) if tokens else None,
    )


def estimate(
    pricing: Mapping[str, Any],
    *,
    prompt: int,
    completion: int,
    cached: int = 0,
    points_per_usd: float,
) -> float | None:
    """About how many points so many tokens cost; None if the bot has no price per token.

    Args:
        pricing: the bot's prices in US dollars, as Poe gives them.
        prompt: tokens that were read; `cached` of them were known already.
        completion: tokens that were said.
        cached: see `prompt`.
        points_per_usd: how many points a US dollar of these prices is.
    """
    per_prompt, per_completion = _price(pricing, "prompt"), _price(pricing, "completion")
    if per_prompt is None or per_completion is None:
        return None
    per_cached = _price(pricing, "input_cache_read")
    fresh = prompt if per_cached is None else max(0, prompt - cached)
    usd = fresh * per_prompt + completion * per_completion + (prompt - fresh) * (per_cached or 0.0)
    return round(usd * points_per_usd, 2)


def _price(pricing: Mapping[str, Any], name: str) -> float | None:
    try:
        return float(pricing[name])
    except (KeyError, TypeError, ValueError):
        return None


def match(rows: Sequence[LedgerRow], entries: Iterable[Spent]) -> dict[str, Spent]:
    """Which entry tells what which row cost: entries by row id, none of either twice.

    Bots must be the same and times near; of several that fit, the nearest in time and in tokens
    belong together.
    """
    found: dict[str, Spent] = {}
    used: set[int] = set()
    for _, row_id, number, entry in _pairs(rows, list(entries)):
        if row_id not in found and number not in used:
            found[row_id] = entry
            used.add(number)
    return found


_Pair = tuple[float, str, int, Spent]


def _pairs(rows: Sequence[LedgerRow], entries: Sequence[Spent]) -> list[_Pair]:
    """All that fit, the nearest first."""
    pairs = [
        (_distance(row, entry), row.id, number, entry)
        for number, entry in enumerate(entries)
        for row in rows
        if row.bot.lower() == entry.bot.lower() and abs(row.time_s - entry.time_s) <= REACH_S
    ]
    return sorted(pairs, key=lambda pair: pair[:3])


def _distance(row: LedgerRow, entry: Spent) -> float:
    apart_s = abs(row.time_s - entry.time_s)
    if entry.prompt_tokens is None or not row.prompt_tokens:
        return apart_s
    off = abs(entry.prompt_tokens - row.prompt_tokens) / max(entry.prompt_tokens, row.prompt_tokens)
    return apart_s + _TOKENS_S * off
