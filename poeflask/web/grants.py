"""What was reserved for the answers to one request, and what they turn out to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gevent.event import Event

from poeflask.bridge import Batch
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.gateway_key import GatewayKey
from poeflask.core.prompt import Prompt
from poeflask.core.quota import FREE, NOTHING, Amount, Price
from poeflask.core.reply import (
    OUTPUT,
    Failure,
    Finish,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.stores.base import Claim
from poeflask.stores.gates import Gate

_LETTERS_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """An answer that somebody wants.

    Attributes:
        prompt_tokens: about how many tokens are read for it.
        max_tokens: how many it may have by the client's own wish; None if there is none.
    """

    prompt_tokens: int
    max_tokens: int | None = None


Settle = Callable[["Grant", Amount], None]
"""Puts what a grant's answers have taken in the place of what was reserved. Never blocks."""


class Grant:
    """What was reserved for the answers to one request; looks on while they come (`bridge.Watch`).

    Attributes:
        key: whose it is.
        gates: the limits that it went through.
        wishes: the answers.
        holders: who holds the places among the answers that are given at a time.
        reserved: what was reserved.
        share: how many tokens each answer may have at most.
        began_s: when it was reserved, in seconds since 1970.
        settled: set when what it took counts, or cannot be counted.
    """

    def __init__(
        self,
        settle: Settle,
        key: GatewayKey,
        gates: tuple[Gate, ...],
        wishes: Sequence[Wish],
        price: Price,
        began_s: float,
        holders: tuple[str, ...],
    ) -> None:
        self.key = key
        self.gates = gates
        self.wishes = tuple(wishes)
        self.price = price
        self.holders = holders
        self.prompt_tokens = sum(wish.prompt_tokens for wish in wishes)
        self.reserved = NOTHING
        self.share = 0
        self.settled_claims = False
        self.settled = Event()
        self._settle = settle
        self.began_s = began_s
        self._heard = [_Heard() for _ in wishes]
        self._is_over = False

    @property
    def place(self) -> str:
        """Where the places among the answers that are given at a time are."""
        return self.gate_of_places.key

    @property
    def gate_of_places(self) -> Gate:
        """The limit on answers that are given at a time."""
        return next(gate for gate in self.gates if gate.unit is None)

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens the answers have."""
        units = {gate.unit for gate in self.gates}
        return "tokens" in units or ("millipoints" in units and self.price != FREE)

    def bounded(self, prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
        """The prompts, each with no longer an answer than was reserved for it."""
        if not self.counts_tokens:
            return tuple(prompts)
        return tuple(
            _bounded(prompt, _least(wish.max_tokens, self.share))
            for prompt, wish in zip(prompts, self.wishes, strict=True)
        )

    def claims(self, share: int) -> list[Claim]:
        """What must be taken if each answer may have so many tokens; the reserve is that."""
        self.share = share
        answers = [_least(wish.max_tokens, share) for wish in self.wishes]
        said = sum(answers)
        self.reserved = Amount(
            requests=len(self.wishes),
            tokens=self.prompt_tokens + said,
            millipoints=self.price.millipoints(self.prompt_tokens, said, len(self.wishes)),
        )
        return [self._claim(gate) for gate in self.gates]

    def _claim(self, gate: Gate) -> Claim:
        if gate.unit is None:
            return gate.place(self.holders[0], gate.limit)
        return gate.claim(getattr(self.reserved, gate.unit), gate.limit, self.began_s)

    def corrections(self, used: Amount, now_s: float) -> list[Claim]:
        """What must be taken or given back so that what was used counts, and nothing else."""
        if self.settled_claims:
            return []
        more = used - self.reserved
        found = ((gate, getattr(more, gate.unit)) for gate in self.gates if gate.unit is not None)
        age_s = max(0.0, now_s - self.began_s)
        return [
            gate.claim(amount, None, self.began_s, age_s if amount < 0 else 0.0)
            for gate, amount in found
            if amount
        ]

    def saw(self, index: int, batch: Batch) -> None:
        """Note what of the next events costs something."""
        heard = self._heard[index]
        for event in batch:
            heard.take(event)

    def heard(self, text: str) -> None:
        """Note a text; see `Watch`."""
        self._heard[0].take_text(text)

    def ended(self) -> None:
        """Settle what the answers have taken."""
        wishes_heard = zip(self.wishes, self._heard, strict=True)
        used = [heard.used(wish, self.price) for wish, heard in wishes_heard]
        self.settle(sum(used, NOTHING))

    def cancel(self) -> None:
        """Give everything back: nobody was asked."""
        self.settle(NOTHING)

    def settle(self, used: Amount) -> None:
        """Count this in the place of what was reserved; only the first call does. Never blocks."""
        if not self._is_over:
            self._is_over = True
            self._settle(self, used)


class _Heard:
    """What one answer has said so far."""

    def __init__(self) -> None:
        self._letters = 0
        self._usage: Usage | None = None
        self._end: Finish | Failure | None = None
        self._has_output = False

    def take_text(self, text: str) -> None:
        self._letters += len(text)
        self._has_output = True

    def take(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta() | ReasoningDelta():
                self.take_text(event.text)
            case ToolCallDelta():
                self._letters += len(event.arguments)
            case Usage():
                self._usage = event if self._usage is None else self._usage + event
            case Finish() | Failure():
                self._end = self._end or event
            case _:
                pass
        self._has_output = self._has_output or isinstance(event, OUTPUT)

    def used(self, wish: Wish, price: Price) -> Amount:
        """What the answer took: as counted, or estimated from what was heard of it."""
        error = self._end.error if isinstance(self._end, Failure) else None
        if error is not None and not self._has_output and error.kind not in _WHILE_ANSWERING:
            # Poe was asked all the same, unless poeflask or the client was at fault.
            return Amount(requests=int(isinstance(error, PoeError)))
        prompt = wish.prompt_tokens
        said = -(-self._letters // _LETTERS_PER_TOKEN)
        if self._usage is not None:
            prompt, said = self._usage.prompt_tokens, self._usage.completion_tokens
        return Amount(requests=1, tokens=prompt + said, millipoints=price.millipoints(prompt, said))


_WHILE_ANSWERING = frozenset(
    {
        ErrorKind.CLIENT_GONE,
        ErrorKind.DRAINING,
        ErrorKind.POE_TIMEOUT,
        ErrorKind.WRONG_SHAPE,
    }
)
"""Errors that can come when the bot has read the prompt, and nothing was shown yet."""


def _least(asked: int | None, share: int) -> int:
    return share if asked is None else min(asked, share)


def _bounded(prompt: Prompt, max_tokens: int) -> Prompt:
    return replace(prompt, limits=replace(prompt.limits, max_tokens=max_tokens))
