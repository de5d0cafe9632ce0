"""Models as the page's table shows them: short values for people, and what filters go by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from poeflask.core.override import KnownBot, Override

KINDS = ("text", "image", "audio", "video", "other")
"""What models give; "other" is for all that has no name here."""

TOKEN_PRICES = frozenset({"prompt", "completion", "input_cache_read", "input_cache_write"})
"""The prices that are for one token, and are shown for a million."""

A_MILLION = 1_000_000

_LEAST, _MOST = Decimal("1e-15"), Decimal("1e10")
_HINT_CHARS = 100
_SAYS_NOTHING = Override()

PriceOf = Literal["tokens", "request", "image", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table.

    Attributes:
        id: the bot's id, by which a page names it.
        name: as Poe or the owner spells it.
        hint: its owner and the beginning of its description.
        aliases, groups: as in `KnownBot`.
        kinds: some of `KINDS`.
        context: how much it reads, in short; empty if unknown.
        context_tokens: the same to sort by; 0 if unknown.
        price_of: what the price is for; "tokens" for a million of them, empty if there is none.
        price: dollars in short.
        dollars: a price to sort by; -1 if there is none.
        tools: how tools reach it, if it answers in text.
        reasons, is_buffered: what a badge tells.
        is_enabled, is_hidden, is_changed, is_custom, is_listed: its state; listed is by Poe.
        shadowed_by: as in `KnownBot`.
    """

    id: str
    name: str
    hint: str
    aliases: tuple[str, ...]
    groups: tuple[str, ...]
    kinds: tuple[str, ...]
    context: str
    context_tokens: int
    price_of: PriceOf
    price: str
    dollars: float
    tools: Literal["native", "prompted", ""]
    reasons: bool
    is_buffered: bool
    is_enabled: bool
    is_hidden: bool
    is_changed: bool
    is_custom: bool
    is_listed: bool
    shadowed_by: str

    @property
    def states(self) -> str:
        """The words by which the table is filtered."""
        held = {
            "enabled": self.is_enabled,
            "disabled": not self.is_enabled,
            "hidden": self.is_hidden,
            "changed": self.is_changed,
            "custom": self.is_custom,
        }
        return " ".join(word for word, holds in held.items() if holds)


def row(known: KnownBot) -> Row:
    """The line of one model."""
    bot, override = known.bot, known.override
    profile = override.applied(bot.profile)
    is_native = profile.tools_mode == "native" or (
        profile.tools_mode == "auto" and profile.native_tools
    )
    price_of, price, dollars = _price(bot.pricing)
    words = f"{bot.owned_by} · {bot.description}" if bot.description else bot.owned_by
    return Row(
        id=bot.id,
        name=bot.handle,
        hint=_shortened(words.strip(" ·")),
        aliases=override.aliases,
        groups=known.groups,
        kinds=kinds(bot.output_modalities),
        context=counted(bot.context_tokens),
        context_tokens=bot.context_tokens or 0,
        price_of=price_of,
        price=price,
        dollars=dollars,
        tools=("native" if is_native else "prompted") if "text" in bot.output_modalities else "",
        reasons=bool(bot.reasoning),
        is_buffered=profile.buffered,
        is_enabled=not override.disabled,
        is_hidden=bool(override.hidden),
        is_changed=override != _SAYS_NOTHING,
        is_custom=bool(override.custom) or not known.is_listed,
        is_listed=known.is_listed,
        shadowed_by=known.shadowed_by,
    )


def kinds(modalities: Iterable[str]) -> tuple[str, ...]:
    """What a model gives, in the words of `KINDS`."""
    given = {one if one in KINDS else "other" for one in modalities}
    return tuple(kind for kind in KINDS if kind in given)


def counted(count: int | None) -> str:
    """A number of tokens in short: 400000 is "400k", 1048576 is "1.05M"."""
    if not count:
        return ""
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{_short(Decimal(count) / size)}{letter}"
    return str(count)


def dollars(value: Any) -> Decimal | None:
    """An amount as Poe or the owner writes it; None if it is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    # What is out of all bounds would be written out with a million noughts.
    is_sane = amount.is_finite() and (amount == 0 or _LEAST <= amount <= _MOST)
    return amount if is_sane else None


def priced(name: str, value: Any) -> str:
    """A price as the form shows it, exactly: for a million tokens, or for one of what it is for."""
    amount = dollars(value)
    if amount is None:
        return ""
    shown = amount * A_MILLION if name in TOKEN_PRICES else amount
    return format(shown.normalize(), "f")


def _price(pricing: Mapping[str, Any]) -> tuple[PriceOf, str, float]:
    amounts = {name: dollars(value) for name, value in pricing.items()}
    reads, writes = amounts.get("prompt"), amounts.get("completion")
    if reads is not None or writes is not None:
        shown = [
            f"${_short(one * A_MILLION)}" if one is not None else "–" for one in (reads, writes)
        ]
        return "tokens", " / ".join(shown), float(max(filter(None, (reads, writes)), default=0))
    request, image = amounts.get("request"), amounts.get("image")
    if request is not None:
        return "request", f"${_short(request)}", float(request)
    if image is not None:
        return "image", f"${_short(image)}", float(image)
    return "", "", -1.0


def _short(amount: Decimal) -> str:
    """Three digits that count, without noughts behind them."""
    return format(Decimal(f"{amount:.3g}").normalize(), "f")


def _shortened(text: str) -> str:
    line = " ".join(text[: 4 * _HINT_CHARS].split())
    return line if len(line) <= _HINT_CHARS else f"{line[: _HINT_CHARS - 1]}…"
