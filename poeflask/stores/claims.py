"""What claims mean: from what is kept under their keys and the time to what is granted and kept.

Pure, for the stores that compute in this process; the scripts of the Redis store say the same in
their language, and the contract holds both to it.

A window is kept as lines "time amount", a lease as lines "time ttl holder", a total as a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from poeflask.stores.base import MAX_NUMBER, Claim, Lease, Put, Taken, Total, Window

SLOTS = 20
"""What is taken within a window's length by this is remembered as taken together."""

_WINDOW, _LEASE = b"window\n", b"lease\n"


class Kept(NamedTuple):
    """A value and its end, in seconds since 1970; None for none."""

    value: bytes
    end_s: float | None


class _Verdict(NamedTuple):
    """What one claim comes to, if all others are granted.

    Attributes:
        before: how much is used at present.
        after: how much is used if it is granted.
        wait_s: how long it must wait at least; None if it is granted.
        granted: what is kept then.
        mended: what is kept even if it is refused, because the clock was set back.
    """

    before: int
    after: int
    wait_s: float | None
    granted: Kept
    mended: Kept | None


def judge(
    claims: Sequence[Claim], found: Sequence[Kept | None], now_s: float
) -> tuple[Taken, dict[str, Kept]]:
    """What becomes of the claims, and what is to be kept from now on.

    Args:
        claims: what is claimed.
        found: what is kept under the key of each; None for nothing, or what has ended.
        now_s: the time in seconds since 1970.

    Raises:
        ValueError: as `Store.take`.
    """
    check(claims)
    verdicts = [_verdict(claim, kept, now_s) for claim, kept in zip(claims, found, strict=True)]
    waits = {index: it.wait_s for index, it in enumerate(verdicts) if it.wait_s is not None}
    if not waits:
        kept = {claim.key: it.granted for claim, it in zip(claims, verdicts, strict=True)}
        return Taken(None, tuple(it.after for it in verdicts)), kept
    refused = max(waits, key=waits.__getitem__)
    mended = {claim.key: it.mended for claim, it in zip(claims, verdicts, strict=True) if it.mended}
    return Taken(refused, tuple(it.before for it in verdicts), waits[refused]), mended


def to_keep(put: Put, now_s: float) -> Kept | None:
    """What a put keeps; None if it forgets."""
    if put.value is None:
        return None
    return Kept(put.value, None if put.ttl_s is None else now_s + put.ttl_s)


def check(claims: Sequence[Claim]) -> None:
    """Raise ValueError if two claims have the same key."""
    keys = [claim.key for claim in claims]
    if len(set(keys)) < len(keys):
        raise ValueError(f"two claims have the same key, of {keys}; each needs its own")


def is_claimed(value: bytes) -> bool:
    """Whether a value counts what was claimed: a window, leases, or a number."""
    return value.startswith((_WINDOW, _LEASE)) or value.removeprefix(b"-").isdigit()


def without(kept: Kept, holder: str) -> Kept | None:
    """The leases without this holder's; None if nobody holds any."""
    lines = [line for line in _lines(kept.value, _LEASE) if line.split(" ", 2)[2] != holder]
    return kept._replace(value=_text(_LEASE, lines)) if lines else None


def summed(value: bytes | None, amount: int) -> int:
    """The number that is kept, 0 for none, plus the amount.

    Raises:
        ValueError: it is no number, or the sum is beyond `MAX_NUMBER`.
    """
    try:
        total = int(value or b"0") + amount
    except ValueError:
        raise ValueError("the value is no number") from None
    if abs(total) > MAX_NUMBER:
        raise ValueError(f"a number may be up to {MAX_NUMBER}, not {total}")
    return total


def _verdict(claim: Claim, kept: Kept | None, now_s: float) -> _Verdict:
    match claim:
        case Window():
            return _window(claim, kept, now_s)
        case Total():
            return _total(claim, kept, now_s)
        case Lease():
            return _lease(claim, kept, now_s)


def _window(claim: Window, kept: Kept | None, now_s: float) -> _Verdict:
    end_s = now_s + claim.window_s
    lines = _lines(kept.value, _WINDOW) if kept else []
    read = [(float(time_s), int(amount)) for time_s, amount in map(str.split, lines)]
    slots = [(min(time_s, now_s), much) for time_s, much in read if time_s > now_s - claim.window_s]
    used = sum(much for _, much in slots)
    set_back = any(time_s > now_s for time_s, _ in read)
    after = _booked(slots, claim, now_s)
    return _Verdict(
        before=used,
        after=sum(much for _, much in after),
        wait_s=_wait(claim, slots, now_s) if _exceeds(claim, used) else None,
        granted=Kept(_window_text(after), end_s),
        mended=Kept(_window_text(slots), end_s) if set_back else None,
    )


def _booked(slots: list[tuple[float, int]], claim: Window, now_s: float) -> list[tuple[float, int]]:
    """The slots after the amount was taken or given back.

    A slot's time is that of the last that was taken in it, so that all of it counts long enough.
    What is given back is missing from the oldest slots: whenever it was taken, no later stretch of
    time is thought emptier than it was.
    """
    if claim.amount < 0:
        return _less(slots, -claim.amount) if claim.age_s < claim.window_s else slots
    if not claim.amount:
        return slots
    width_s = claim.window_s / SLOTS
    if slots and slots[-1][0] // width_s == now_s // width_s:
        return [*slots[:-1], (now_s, slots[-1][1] + claim.amount)]
    return [*slots, (now_s, claim.amount)]


def _less(slots: list[tuple[float, int]], amount: int) -> list[tuple[float, int]]:
    left = []
    for time_s, much in slots:
        taken = min(much, amount)
        amount -= taken
        left.append((time_s, much - taken))
    return [slot for slot in left if slot[1]]


def _wait(claim: Window, slots: list[tuple[float, int]], now_s: float) -> float:
    """The seconds until enough of the slots have left the window."""
    room = (claim.limit or 0) - claim.amount - sum(much for _, much in slots)
    for time_s, much in slots:
        room += much
        if room >= 0:
            return time_s + claim.window_s - now_s
    return claim.window_s


def _window_text(slots: list[tuple[float, int]]) -> bytes:
    return _text(_WINDOW, [f"{time_s!r} {much}" for time_s, much in slots])


def _total(claim: Total, kept: Kept | None, now_s: float) -> _Verdict:
    latest_s = now_s + claim.ttl_s
    end_s = latest_s if kept is None or kept.end_s is None else min(kept.end_s, latest_s)
    used = summed(kept.value if kept else None, 0)
    after = summed(b"%d" % max(used + claim.amount, 0), 0)
    return _Verdict(
        before=used,
        after=after,
        wait_s=end_s - now_s if _exceeds(claim, used) else None,
        granted=Kept(b"%d" % after, end_s),
        mended=Kept(kept.value, end_s) if kept and kept.end_s != end_s else None,
    )


def _exceeds(claim: Window | Total, used: int) -> bool:
    return claim.limit is not None and claim.amount >= 0 and used + claim.amount > claim.limit


def _lease(claim: Lease, kept: Kept | None, now_s: float) -> _Verdict:
    read = [line.split(" ", 2) for line in _lines(kept.value, _LEASE)] if kept else []
    places = {name: (float(time_s), float(ttl_s)) for time_s, ttl_s, name in read}
    set_back = any(time_s > now_s for time_s, _ in places.values())
    living = {
        name: (min(time_s, now_s), ttl_s)
        for name, (time_s, ttl_s) in places.items()
        if time_s + ttl_s > now_s
    }
    after = {**living, claim.holder: (now_s, claim.ttl_s)}
    full = claim.limit is not None and claim.holder not in living and len(after) > claim.limit
    return _Verdict(
        before=len(living),
        after=len(after),
        wait_s=_place_wait(claim, living, now_s) if full else None,
        granted=_lease_kept(after),
        mended=_lease_kept(living) if set_back and living else None,
    )


def _place_wait(claim: Lease, living: dict[str, tuple[float, float]], now_s: float) -> float:
    """The seconds until so many places end that one is free."""
    ends = sorted(time_s + ttl_s for time_s, ttl_s in living.values())
    if not claim.limit or claim.limit > len(ends):
        return claim.ttl_s
    return ends[len(ends) - claim.limit] - now_s


def _lease_kept(places: dict[str, tuple[float, float]]) -> Kept:
    lines = [f"{time_s!r} {ttl_s!r} {name}" for name, (time_s, ttl_s) in places.items()]
    return Kept(_text(_LEASE, lines), max(time_s + ttl_s for time_s, ttl_s in places.values()))


def _lines(value: bytes, kind: bytes) -> list[str]:
    if not value.startswith(kind):
        raise ValueError(f"the value under a key is no {kind.decode().strip()}")
    text = value.removeprefix(kind).decode()
    return text.split("\n") if text else []


def _text(kind: bytes, lines: Sequence[str]) -> bytes:
    return kind + "\n".join(lines).encode()
