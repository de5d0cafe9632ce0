"""The one place where pure code meets IO: Prompt in, reply events out.

For each answer a greenlet of its own talks to Poe: it sends the query, runs what comes back through
the filters, asks again where that is allowed, and puts batches of events into a small bounded
queue. The greenlet of the client's request takes them out. So a slow client slows Poe down, a
silent Poe leaves the client's greenlet free to keep the line alive, and a client that leaves ends
Poe's connection at once, whatever Poe is doing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import gevent
from gevent.queue import Empty, Full, Queue

from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.core.prompt import Prompt
from poeflask.core.reply import (
    END,
    OUTPUT,
    AtOnce,
    Failure,
    Finish,
    Pause,
    Replace,
    ReplyEvent,
    TextDelta,
    renumbered,
)
from poeflask.filters.chain import Chain, Wants

Batch = list[ReplyEvent]
Batches = Generator[Batch, None, None]
Try = Generator[Batch, None, float | None]

Relay = Callable[[Batch], None]
"""Writes a batch to the client; may wait for the client, raises nothing."""


RelayAtOnce = Callable[[Batch], bool]
"""As `Relay`, without waiting; False: the relay must be given the next batch, and will wait."""


class Watch(Protocol):
    """Looks on while an answer comes. May not wait, and raises nothing."""

    def saw(self, index: int, batch: Batch) -> None:
        """The next events of reply number `index`, whoever takes them; the last one ends it."""

    def ended(self) -> None:
        """Nothing of the answer is read any more, whether it came to its end or not. Only once."""


_QUEUED_BATCHES = 8
"""Batches between the two greenlets: enough to never starve, too few to hide a slow client."""


class AskPoe(Protocol):
    """Sends one prompt to Poe and yields the reply's events, one batch for each network read.

    What it gives may have an attribute `at_once`: then it lets that have what comes while the next
    batch is waited for, as `AtOnce` says.
    """

    def __call__(self, prompt: Prompt, key: str) -> Iterator[Batch]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often the bridge tries.

    Attributes:
        tries: how often a query is sent at most, as long as nothing of the answer was seen.
        longest_wait_s: a wait before the next try that Poe asks for and that is longer is not
            waited for; the client hears of it instead.
        first_wait_s: the least wait before the second try, whatever Poe says; doubles each time.
            Up to as much again is added by chance, so that clients do not all come back at once.
        total_s: the longest that one answer may take.
    """

    tries: int = 2
    longest_wait_s: float = 10.0
    first_wait_s: float = 0.5
    total_s: float = 3600.0


class Bridge:
    """Opens answers.

    Args:
        ask: sends a prompt to Poe.
        prepare: what must be done to a prompt before it can be asked, such as uploading its
            files, given whose they are and the key of Poe's; runs in the answer's own greenlet;
            raises PoeflaskError.
        make_chain: the filters for a prompt.
        patience: how long and how often to try.
        chance: a number between 0 and 1, for the jitter of waits.
    """

    def __init__(
        self,
        *,
        ask: AskPoe,
        prepare: Callable[[Prompt, str, str], Prompt],
        make_chain: Callable[[Prompt, Wants], Chain],
        patience: Patience,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ask = ask
        self._prepare = prepare
        self._make_chain = make_chain
        self._patience = patience
        self._chance = chance

    def open(self, prompt: Prompt, caller: Caller, wants: Wants, *, n: int = 1) -> Answer:
        """Ask the bot, `n` times at once; gives the answer at once, before anything has come."""
        return self.open_all((prompt,) * n, caller, wants)

    def open_all(
        self,
        prompts: Sequence[Prompt],
        caller: Caller,
        wants: Wants,
        watch: Watch | None = None,
    ) -> Answer:
        """As `open`, for prompts that differ: the events of reply number i answer `prompts[i]`.

        Args:
            prompts: one for each reply.
            caller: who asks; his key of Poe's pays.
            wants: what the dialect wants of the answer.
            watch: looks on.
        """
        answer = Answer(len(prompts), watch)
        for index, prompt in enumerate(prompts):
            answer.attach(index, gevent.spawn(self._read, answer, index, prompt, caller, wants))
        return answer

    def _read(
        self, answer: Answer, index: int, prompt: Prompt, caller: Caller, wants: Wants
    ) -> None:
        """The body of an answer's greenlet: puts every batch up to the end into the answer."""
        deadline = gevent.Timeout(self._patience.total_s)
        with deadline:
            try:
                for batch in self._batches(prompt, caller, wants, answer):
                    answer.put(index, batch)
            except PoeflaskError as error:
                answer.put(index, [Failure(error)])
            except gevent.Timeout as timeout:
                if timeout is not deadline:
                    raise
                answer.put(index, [Failure(self._overdue())])

    def _overdue(self) -> PoeError:
        return PoeError(
            ErrorKind.POE_TIMEOUT,
            f"The answer was not complete after {self._patience.total_s:g} seconds.",
            allow_retry=False,
        )

    def _batches(
        self, prompt: Prompt, caller: Caller, wants: Wants, answer: Answer
    ) -> Iterator[Batch]:
        """All batches of one answer, whatever number of tries it takes; the last one ends it."""
        key = caller.poe_key
        prepared = self._prepare(prompt, caller.owner, key)
        for attempt in range(1, self._patience.tries + 1):
            wait_s = yield from self._try(prepared, key, wants, answer, attempt)
            if wait_s is None:
                return
            gevent.sleep(wait_s)

    def _try(self, prompt: Prompt, key: str, wants: Wants, answer: Answer, attempt: int) -> Try:
        """The batches of one try; returns the seconds until the next, or None if it was the last.

        Poe's connection is let go before that wait, not after it.
        """
        said = False
        with closing(self._attempt(prompt, key, wants, answer)) as batches:
            for batch in batches:
                wait_s = None if said else self._wait_s(batch, attempt)
                if wait_s is not None:
                    return wait_s
                said = said or any(isinstance(event, OUTPUT) for event in batch)
                yield batch
        return None

    def _wait_s(self, batch: Batch, attempt: int) -> float | None:
        """Seconds until the next try, or None if the batch is no failure or must be passed on."""
        end = batch[-1] if batch else None
        if not isinstance(end, Failure) or any(isinstance(event, OUTPUT) for event in batch):
            return None
        error = end.error
        if attempt == self._patience.tries or not error.may_succeed_later:
            return None
        if not isinstance(error, PoeError) or error.kind is ErrorKind.EMPTY_REPLY:
            return None
        jitter_s = self._patience.first_wait_s * self._chance()
        least_s = self._patience.first_wait_s * 2 ** (attempt - 1)
        asked_s = error.retry_after_s or 0.0
        if asked_s > self._patience.longest_wait_s:
            return None
        return float(max(asked_s, least_s) + jitter_s)

    def _attempt(self, prompt: Prompt, key: str, wants: Wants, answer: Answer) -> Batches:
        """The batches of one try, through the filters and whatever these want to ask besides."""
        chain = self._make_chain(prompt, wants)
        asked: Prompt | None = chain.on_prompt(prompt)
        heard = False
        while asked is not None:
            at_once = partial(_straight, chain, answer)
            with closing(self._exchange(asked, key, at_once)) as batches:
                for batch in batches:
                    heard = heard or any(map(_is_something, batch))
                    out = chain.feed(batch)
                    if out:
                        yield out if heard else _without_silence(out)
                    if chain.ended:
                        return
            asked = chain.follow_up()

    def _exchange(self, prompt: Prompt, key: str, at_once: AtOnce) -> Batches:
        """One query and its reply; what goes wrong before the reply begins is its failure."""
        reply = self._ask(prompt, key)
        if hasattr(reply, "at_once"):
            reply.at_once = at_once
        try:
            yield from reply
        except PoeflaskError as error:
            yield [Failure(error)]
        finally:
            reply.close()  # type: ignore[attr-defined]


def _straight(chain: Chain, answer: Answer, batch: Batch) -> Batch | None:
    """Pass a batch from Poe to the client without a greenlet's part in it (`AtOnce`)."""
    if not answer.flows() or not chain.passes(batch):
        return batch
    return None if answer.put_at_once(batch) else [Pause()]


def _is_something(event: ReplyEvent) -> bool:
    """Whether the event is part of an answer; white space alone is none."""
    if isinstance(event, TextDelta | Replace):
        return bool(event.text.strip())
    return isinstance(event, OUTPUT)


def _without_silence(batch: Batch) -> Batch:
    """The batch with the end of an answer that said nothing made the error that it is."""
    end = batch[-1]
    if not isinstance(end, Finish) or end.reason in ("length", "content_filter"):
        return batch
    error = PoeError(ErrorKind.EMPTY_REPLY, "The bot ended its answer without saying anything.")
    return [*batch[:-1], Failure(error, end.index)]


class Answer:
    """An answer while it comes: one or more parallel replies in one stream of batches.

    The client's greenlet calls `begin`, `next` and `close`; anyone may call `cancel`.
    """

    def __init__(self, n: int, watch: Watch | None = None) -> None:
        self._n = n
        self._watch = watch
        self._reading = n
        self._open = set(range(n))
        self._queue: Queue[tuple[int, Batch]] = Queue(maxsize=_QUEUED_BATCHES)
        self._greenlets: dict[int, gevent.Greenlet] = {}
        self._peeked: list[tuple[int, Batch]] = []
        self._cancelled: PoeflaskError | None = None
        self._over = False
        self._relay: Relay | None = None
        self._relay_at_once: RelayAtOnce | None = None
        self._relaying = False
        self._said = False

    def is_over(self) -> bool:
        """Whether the last batch has been given."""
        return self._over

    def attach(self, index: int, greenlet: gevent.Greenlet) -> None:
        """Take the greenlet that reads reply number `index`; should it die, the reply fails."""
        self._greenlets[index] = greenlet
        greenlet.link_exception(lambda dead: self._offer(index, _broken(dead.exception)))
        if self._watch is not None:
            greenlet.link(self._one_less)

    def put(self, index: int, batch: Batch) -> None:
        """Hand over the next events of reply number `index`; waits while the client is behind."""
        if self._watch is not None:
            self._watch.saw(index, batch)
        self._said = self._said or any(isinstance(event, OUTPUT) for event in batch)
        relay = self._relay
        if relay is None or isinstance(batch[-1], END) or not self._queue.empty():
            self._queue.put((index, batch))
            return
        self._relaying = True
        try:
            relay(batch)
        finally:
            self._relaying = False

    def flows(self) -> bool:
        """Whether the client waits for more of an answer that has begun to be written."""
        return self._relay_at_once is not None and self._said and self._queue.empty()

    def put_at_once(self, batch: Batch) -> bool:
        """Hand over the next events of an answer that flows, in the loop itself.

        False: the client is behind, and `put` must be called next, with whatever comes.
        """
        if self._watch is not None:
            self._watch.saw(0, batch)
        return self._relay_at_once is not None and self._relay_at_once(batch)

    def begin(self, wait_s: float | None) -> None:
        """Wait until the first part of the answer has come, but no longer than `wait_s` seconds.

        Raises:
            PoeflaskError: the answer failed before anything of it could be shown.
        """
        with gevent.Timeout(wait_s, False):
            while not self._peeked or not _settles(self._peeked[-1][1]):
                self._peeked.append(self._take(None))
        end = self._peeked[-1][1][-1] if self._peeked else None
        if isinstance(end, Failure) and not _has_output(self._peeked):
            self._open.discard(self._peeked[-1][0])
            self.close()
            raise end.error

    def next(
        self,
        wait_s: float | None = None,
        relay: Relay | None = None,
        relay_at_once: RelayAtOnce | None = None,
    ) -> Batch | None:
        """The next events, or None if `wait_s` seconds have passed.

        The batch after which `is_over` is true is the last one. An answer of several replies ends
        when all have finished or one has failed.

        Args:
            wait_s: how long to wait; None means as long as it takes.
            relay: while this waits, batches of an answer with one reply may go there, at once and
                in the greenlet that read them, instead of coming out here. The last one never does.
            relay_at_once: may be given with `relay`, for batches that no greenlet need see to.
        """
        try:
            if self._peeked:
                index, batch = self._peeked.pop(0)
            else:
                index, batch = self._wait(wait_s, relay, relay_at_once)
        except Empty:
            return None
        end = batch[-1] if batch else None
        if isinstance(end, END):
            self._open.discard(index)
        if isinstance(end, Failure) or not self._open:
            self._over = True
        if self._n > 1:
            batch = [_of_reply(event, index, self._n) for event in batch]
        return batch

    def _wait(
        self, wait_s: float | None, relay: Relay | None, relay_at_once: RelayAtOnce | None
    ) -> tuple[int, Batch]:
        if self._n == 1:
            self._relay, self._relay_at_once = relay, relay_at_once
        try:
            while True:
                try:
                    return self._take(wait_s)
                except Empty:
                    # Whoever waits would else write into the middle of what is being written.
                    if not self._relaying:
                        raise
        finally:
            self._relay = self._relay_at_once = None

    def _take(self, wait_s: float | None) -> tuple[int, Batch]:
        if self._cancelled is None:
            index, batch = self._queue.get(timeout=wait_s)
            if self._cancelled is None:
                return index, batch
        return 0, [Failure(self._cancelled)]

    def cancel(self, error: PoeflaskError) -> None:
        """End the answer with this error and Poe's connection with it. Never blocks."""
        if self._over or self._cancelled is not None:
            return
        self._cancelled = error
        if self._watch is not None:
            self._watch.saw(0, [Failure(error)])
        self._stop()
        self._offer(0, error)

    def close(self) -> None:
        """Let go of everything that is still open. May be called twice. Never blocks."""
        self._over = True
        self._stop()

    def _one_less(self, _greenlet: gevent.Greenlet) -> None:
        self._reading -= 1
        if not self._reading and self._watch is not None:
            self._watch.ended()

    def _stop(self) -> None:
        """Kill what still reads; a reply that has ended gives its connection back by itself."""
        gevent.killall([self._greenlets[index] for index in self._open], block=False)

    def _offer(self, index: int, error: PoeflaskError) -> None:
        """Wake the client's greenlet if it waits; if the queue is full, it does not."""
        if self._cancelled is None:
            self._cancelled = error
        try:
            self._queue.put_nowait((index, [Failure(error)]))
        except Full:
            return


def _broken(cause: BaseException) -> OwnError:
    error = OwnError(ErrorKind.INTERNAL, "poeflask failed while it read the answer.")
    error.__cause__ = cause
    return error


def _settles(batch: Batch) -> bool:
    return any(_is_something(event) or isinstance(event, END) for event in batch)


def _has_output(peeked: list[tuple[int, Batch]]) -> bool:
    return any(_is_something(event) for _, batch in peeked for event in batch)


def _of_reply(event: ReplyEvent, reply: int, replies: int) -> ReplyEvent:
    """The event under the number that its reply has among all replies to one request."""
    if isinstance(event, Pause):
        return event
    return renumbered(event, reply + replies * event.index)
