"""Holds gateway keys to their limits: reserves before an answer, settles after it.

What an answer will take is not known when it begins, so as much as it may take is reserved, in one
step with all other limits, in the store that all workers and hosts share. When it is over, what it
did take is put in the place of that. A worker that dies settles nothing: its reserves stay, and its
places among the answers that are given at a time come free when their leases end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gevent
from flask import Flask, Response

from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeflaskError
from poeflask.core.gateway_key import NO_LIMITS, GatewayKey
from poeflask.core.quota import (
    FREE,
    MILLIPOINTS,
    Amount,
    Gauge,
    Gauges,
    Price,
    Room,
    anthropic_headers,
    openai_headers,
    price_of,
)
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store, Taken
from poeflask.stores.gates import MINUTE_S, Gate, counts, gates_of, renewal_s
from poeflask.web.current import current_request, kept
from poeflask.web.family import speaks_anthropic
from poeflask.web.grants import Grant, Wish

_RETRY_CONCURRENT_S = 1.0
"""Nobody knows when an answer ends; most end soon."""

_LONGEST_SETTLING_S = 0.5
"""How long a request waits for what those before it give back."""

_AGAIN_AFTER_S = (0.1, 0.4)
"""When whoever is refused for what others hold is looked at again: an answer that another worker
gave may have just ended."""

_TRIES = 4
_FIRST_RETRY_S = 0.5
_MOST_UNPRICED = 1000

_log = get_logger("poeflask")


class _HeldError(ClientError):
    """What is asked for is held by other answers, or was taken within the last minute."""


class Limits:
    """Admits what gateway keys ask for.

    Args:
        store: where all is counted. If it cannot be reached, nobody with a limit is admitted.
        clock: seconds since 1970.
        new_id: an id that cannot be guessed, behind the given prefix.
        answer_tokens: how many tokens an answer may have if the client does not say.
        points_per_usd: how many points a US dollar of Poe's prices is.
        sleep: waits so many seconds while others go on.
        spawn: does what may wait in a greenlet of its own.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        new_id: Callable[[str], str],
        answer_tokens: int,
        points_per_usd: float,
        sleep: Callable[[float], None] = gevent.sleep,
        spawn: Callable[[Callable[[], None]], object] = gevent.spawn,
    ) -> None:
        self._kept = counts(store)
        self._clock = clock
        self._new_id = new_id
        self._answer_tokens = answer_tokens
        self._points_per_usd = points_per_usd
        self._sleep = sleep
        self._spawn = spawn
        self._holding: set[Grant] = set()
        self._settling: dict[str, set[Grant]] = {}
        self._keeper: gevent.Greenlet | None = None
        self._unpriced: set[str] = set()

    def admit(
        self,
        key: GatewayKey,
        wishes: Sequence[Wish],
        *,
        bot: str,
        pricing: Mapping[str, Any] | None,
    ) -> Grant | None:
        """Reserve what these answers may take; None if the key has no limits.

        Args:
            key: whose limits they are.
            wishes: one for each answer.
            bot: who will answer.
            pricing: what Poe's list says of its price; None if nothing is to be paid.

        Raises:
            ClientError: kind TOO_MANY_REQUESTS or BUDGET_SPENT; then nothing was taken.
            OwnError: kind BUSY, if the store cannot be reached.
        """
        if key.limits == NO_LIMITS:
            return None
        self._let_settle(key)
        now_s = self._clock()
        gates = gates_of(key, now_s)
        price = self._price(key, bot, pricing)
        holders = self._holders(gates, len(wishes))
        grant = Grant(self.settle, key, gates, wishes, price, now_s, holders)
        for wait_s in _AGAIN_AFTER_S:
            try:
                self._enter(grant)
            except _HeldError:
                self._sleep(wait_s)
            else:
                return grant
        self._enter(grant)
        return grant

    def settle(self, grant: Grant, used: Amount) -> None:
        """Put what was used in the place of what was reserved, and let go of the places.

        Returns at once.
        """
        self._settling.setdefault(grant.key.id, set()).add(grant)
        self._spawn(partial(self._settle_patiently, grant, used))

    def _let_settle(self, key: GatewayKey) -> None:
        """Wait for what this worker's answers to the key give back: they may have just ended."""
        with gevent.Timeout(_LONGEST_SETTLING_S, False):
            for grant in tuple(self._settling.get(key.id, ())):
                grant.settled.wait()

    def _settle_patiently(self, grant: Grant, used: Amount) -> None:
        self._holding.discard(grant)
        try:
            self._try_to_settle(grant, used)
        finally:
            grant.settled.set()
            of_key = self._settling[grant.key.id]
            of_key.discard(grant)
            if not of_key:
                del self._settling[grant.key.id]

    def _try_to_settle(self, grant: Grant, used: Amount) -> None:
        for attempt in range(_TRIES):
            try:
                self._settle(grant, used)
            except OwnError as error:
                _log.warning("limits_not_settled", key_id=grant.key.id, reason=error.message)
                self._sleep(_FIRST_RETRY_S * 2**attempt)
            else:
                return

    def _price(self, key: GatewayKey, bot: str, pricing: Mapping[str, Any] | None) -> Price:
        if not key.limits.of_points or pricing is None:
            return FREE
        price = price_of(pricing, self._points_per_usd)
        if price is None and bot not in self._unpriced and len(self._unpriced) < _MOST_UNPRICED:
            self._unpriced.add(bot)
            _log.warning("price_unknown", model=bot, counted_points=0)
        return price or FREE

    def _holders(self, gates: Sequence[Gate], answers: int) -> tuple[str, ...]:
        if all(gate.unit is not None for gate in gates):
            return ()
        return tuple(self._new_id("answer-") for _ in range(answers))

    def _enter(self, grant: Grant) -> None:
        """Take all that the grant needs, or nothing."""
        held: list[str] = []
        try:
            # One claim takes one place, so that further answers take theirs before all else.
            for holder in grant.holders[1:]:
                self._take_place(grant, holder)
                held.append(holder)
            self._reserve(grant)
        except PoeflaskError:
            for holder in held:
                self._kept.give_back(grant.place, holder)
            raise
        if grant.holders:
            self._hold(grant)

    def _take_place(self, grant: Grant, holder: str) -> None:
        gate = grant.gate_of_places
        taken = self._kept.take([gate.place(holder, gate.limit)])
        if taken.refused is not None:
            raise self._refusal(grant, gate, taken)

    def _reserve(self, grant: Grant) -> None:
        """Reserve as much as the wishes may take, or less if only less is left and that will do."""
        room = _whole_room(grant.key)
        least = self._least_room(grant, room)
        while True:
            share = self._share(grant, room)
            if share is None:
                raise self._too_large(grant)
            taken = self._kept.take(grant.claims(share))
            if taken.refused is None:
                _tell(grant, taken)
                return
            gate = grant.gates[taken.refused]
            less = _narrowed(room, grant, taken, least)
            if less == room or self._share(grant, less) is None:
                _tell(grant, taken)
                raise self._refusal(grant, gate, taken)
            room = less

    def _least_room(self, grant: Grant, room: Room) -> int | None:
        """The tokens that an answer can do with if a minute has no more; None if it needs them all.

        Whoever says how long the answer may be, and asks for no more than there ever is, waits.
        Others are answered at once with half as much, instead of having the minute for themselves.
        """
        share = self._share(grant, room)
        wished = max((wish.max_tokens or 0) for wish in grant.wishes)
        is_said = all(wish.max_tokens is not None for wish in grant.wishes)
        if share is None or (is_said and wished <= share):
            return None
        return grant.prompt_tokens + len(grant.wishes) * math.ceil(share / 2)

    def _share(self, grant: Grant, room: Room) -> int | None:
        """How many tokens each answer may have; None if there is no room for a single one."""
        most = room.answer_tokens(grant.prompt_tokens, len(grant.wishes), grant.price)
        if most < 1:
            return None
        longest = max(_wanted(wish, self._answer_tokens) for wish in grant.wishes)
        return int(min(most, longest))

    def _refusal(self, grant: Grant, gate: Gate, taken: Taken) -> ClientError:
        if gate.period is not None and _is_only_reserved(grant, taken):
            return _HeldError(
                ErrorKind.TOO_MANY_REQUESTS,
                f"{_may(grant.key, gate)}; what is left of them is reserved for answers that are "
                "being given. Ask again when one of them has ended.",
                retry_after_s=_RETRY_CONCURRENT_S,
            )
        if gate.period is not None:
            wait_s = max(gate.period.end_s - self._clock(), 1.0)
            sentence = f"{_may(grant.key, gate)}; they are spent, or what is left is too little."
            return ClientError(
                ErrorKind.BUDGET_SPENT,
                f"{sentence} More can be asked in {_words(wait_s)}.",
                retry_after_s=wait_s,
            )
        if gate.unit is None:
            places = max(1, len(grant.holders))
            return _HeldError(
                ErrorKind.TOO_MANY_REQUESTS,
                f"{_may(grant.key, gate)}; ask again when one of them has ended.",
                retry_after_s=_RETRY_CONCURRENT_S,
                allow_retry=places <= gate.limit,
            )
        leaf = ClientError if gate.unit == "requests" else _HeldError
        return leaf(
            ErrorKind.TOO_MANY_REQUESTS,
            f"{_may(grant.key, gate)}; ask again in {_words(taken.wait_s)}.",
            retry_after_s=taken.wait_s,
            allow_retry=gate.unit != "requests" or len(grant.wishes) <= gate.limit,
        )

    def _too_large(self, grant: Grant) -> ClientError:
        gates = [gate for gate in grant.gates if gate.unit in ("tokens", "millipoints")]
        allowed = ", ".join(gate.noun for gate in gates)
        return ClientError(
            ErrorKind.TOO_MANY_REQUESTS,
            f"This asks for more than the key {grant.key.name!r} may ever ask at once: it has "
            f"{allowed}, and about {grant.prompt_tokens} tokens were sent.",
            allow_retry=False,
        )

    def _settle(self, grant: Grant, used: Amount) -> None:
        claims = grant.corrections(used, self._clock())
        if claims:
            self._kept.take(claims)
        grant.settled_claims = True
        for holder in grant.holders:
            self._kept.give_back(grant.place, holder)

    def _hold(self, grant: Grant) -> None:
        """Keep the places of the grant as long as it lasts."""
        self._holding.add(grant)
        if self._keeper is None or self._keeper.dead:
            self._keeper = gevent.spawn(self._keep)

    def _keep(self) -> None:
        while self._holding:
            gevent.sleep(renewal_s())
            for grant in list(self._holding):
                self._renew(grant)

    def _renew(self, grant: Grant) -> None:
        try:
            for holder in grant.holders:
                if grant not in self._holding:
                    return
                self._renew_place(grant, holder)
        except OwnError as error:
            _log.warning("lease_not_renewed", key_id=grant.key.id, reason=error.message)

    def _renew_place(self, grant: Grant, holder: str) -> None:
        self._kept.take([grant.gate_of_places.place(holder, None)])
        if grant not in self._holding:
            # It ended meanwhile: what was given back may have come to the store before this.
            self._kept.give_back(grant.place, holder)


def install(app: Flask) -> None:
    """Let answers tell of the limits that `Limits.admit` looked at, as the client's API does."""

    def tell(response: Response) -> Response:
        now = kept()
        gauges: Gauges | None = now.get("gauges")
        if gauges and speaks_anthropic(current_request()):
            response.headers.update(anthropic_headers(gauges, now.gauged_s))
        elif gauges:
            response.headers.update(openai_headers(gauges))
        return response

    app.after_request(tell)


def _whole_room(key: GatewayKey) -> Room:
    """As much as the key could ever reserve at once."""
    tokens, points = key.limits.of_tokens, key.limits.of_points
    return Room(
        tokens=min(tokens) if tokens else None,
        millipoints=min(points) * MILLIPOINTS if points else None,
    )


def _narrowed(room: Room, grant: Grant, taken: Taken, least: int | None) -> Room:
    """The room that is left after a refusal; the same if waiting is all that helps.

    What is left of a budget is what there will be until its end, so that all of it may be used.
    Of a minute's tokens, no fewer than `least` make another try worth while.
    """
    if taken.refused is None:
        return room
    refusing = grant.gates[taken.refused]
    if refusing.period is None and (refusing.unit != "tokens" or least is None):
        return room
    left: dict[str, int | None] = {"tokens": room.tokens, "millipoints": room.millipoints}
    for gate, used in zip(grant.gates, taken.used, strict=True):
        before = None if gate.unit is None else left.get(gate.unit)
        if gate.unit is None or before is None:
            continue
        if gate.period is not None:
            left[gate.unit] = min(before, max(0, gate.limit - used))
        elif gate is refusing and least is not None:
            left[gate.unit] = min(before, max(least, gate.limit - used))
    return Room(**left)


def _is_only_reserved(grant: Grant, taken: Taken) -> bool:
    """Whether other answers are being given, which may leave something of what they reserved."""
    places = grant.gates.index(grant.gate_of_places)
    return taken.used[places] > len(grant.holders[1:])


def _wanted(wish: Wish, default: int) -> int:
    return default if wish.max_tokens is None else wish.max_tokens


def _tell(grant: Grant, taken: Taken) -> None:
    """Keep for the answer's headers what is left of requests and of tokens, where least is."""
    gauges: dict[str, Gauge] = {}
    now_s = grant.began_s
    for gate, used in zip(grant.gates, taken.used, strict=True):
        if gate.unit not in ("requests", "tokens"):
            continue
        reset_s = MINUTE_S if gate.period is None else gate.period.end_s - now_s
        gauge = Gauge(gate.limit, used, reset_s if used else 0.0)
        known = gauges.get(gate.unit)
        if known is None or gauge.remaining < known.remaining:
            gauges[gate.unit] = gauge
    now = kept()
    now.gauges, now.gauged_s = gauges, now_s


def _may(key: GatewayKey, gate: Gate) -> str:
    return f"The key {key.name!r} has {gate.noun}"


def _words(seconds: float) -> str:
    whole = max(1, math.ceil(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes} min" if minutes < 120 else f"{math.ceil(minutes / 60)} h"
