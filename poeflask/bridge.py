"""The one place where pure code meets IO: Prompt in, reply events out.

For each answer a greenlet of its own talks to Poe: it sends the query, runs what comes back through
the filters, asks again where that is allowed, and puts batches of events into a small bounded
queue. The greenlet of the client's request takes them out. So a slow client slows Poe down, a
silent Poe leaves the client's greenlet free to keep the line alive, and a client that leaves ends
Poe's connection at once, whatever Poe is doing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

import gevent
from gevent.queue import Empty, Full, SimpleQueue

from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.core.prompt import Prompt
from poeflask.core.reply import (
    END,
    OUTPUT,
    Failure,
    Finish,
    Pause,
    Replace,
    ReplyEvent,
    TextDelta,
    renumbered,
)
from poeflask.filters.chain import Chain, Wants
from poeflask.poe.breaker import FAILURES
from poeflask.poe.turns import Place, Turns
from poeflask.poe.ways import Way, Ways
from poeflask.relay import Outlet, Relay

Batch = list[ReplyEvent]


class Watch(Protocol):
    """Looks on while an answer comes. May not wait, and raises nothing."""

    def saw(self, index: int, batch: Batch) -> None:
        """The next events of reply number `index`, whoever takes them; the last one ends it."""

    def heard(self, text: str) -> None:
        """As `saw` with a text of the first reply and nothing else."""

    def ended(self) -> None:
        """Nothing of the answer is read any more, whether it came to its end or not. Only once."""


_QUEUED_BATCHES = 8
"""Batches between the two greenlets: enough to never starve, too few to hide a slow client."""


class AskPoe(Protocol):
    """Sends one prompt to Poe and yields the reply's events, one batch for each network read.

    `sent` is called once the query has left; it may be called again and never blocks.

    What it gives may have an attribute `relay`: then it lets that have the bytes which come while
    the next batch is waited for, as `Relay.take` says, and gives what that has left as a batch.
    """

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often the bridge tries.

    Attributes:
        tries: how often a query is sent to one bot at most, as long as nothing of the answer was
            seen. A try that fails for its key's sake alone does not count if another key is left.
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


def _same_prompt(prompt: Prompt, bot: str) -> Prompt:
    return replace(prompt, bot=bot)


def _no_fallbacks(_bot: str, _caller: Caller) -> tuple[str, ...]:
    return ()


def _as_told(error: PoeflaskError, _bot: str, _caller: Caller) -> PoeflaskError:
    return error


class Bridge:
    """Opens answers.

    Args:
        ask: sends a prompt to Poe.
        prepare: what must be done to a prompt before it can be asked, such as uploading its
            files, given whose they are and the key of Poe's; runs in the answer's own greenlet;
            raises PoeflaskError.
        make_chain: the filters for a prompt.
        patience: how long and how often to try.
        ways: which key asks, and what is learnt from its answers.
        setups: how many questions are made and sent at once; the rest waits, so that many that
            come at once do not hold up the answers that run.
        most_replies: how many replies may be read at once.
        fallbacks: the bots that may answer a caller in place of one that fails, the best first.
        for_bot: a prompt as it is asked of such a bot.
        explain: what a caller is told of a bot that failed with an error before it said anything;
            of the same kind.
        chance: a number between 0 and 1, for the jitter of waits.
    """

    def __init__(
        self,
        *,
        ask: AskPoe,
        prepare: Callable[[Prompt, str, str], Prompt],
        make_chain: Callable[[Prompt, Wants], Chain],
        patience: Patience,
        ways: Ways | None = None,
        setups: Turns | None = None,
        most_replies: int = 4000,
        fallbacks: Callable[[str, Caller], tuple[str, ...]] = _no_fallbacks,
        for_bot: Callable[[Prompt, str], Prompt] = _same_prompt,
        explain: Callable[[PoeflaskError, str, Caller], PoeflaskError] = _as_told,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.ask = ask
        self.prepare = prepare
        self.make_chain = make_chain
        self.patience = patience
        self.ways = ways or Ways()
        self.setups = setups or Turns(32)
        self.fallbacks = fallbacks
        self.for_bot = for_bot
        self.explain = explain
        self._chance = chance
        self._most_replies = most_replies
        self._replies = 0

    @property
    def replies(self) -> int:
        """How many replies are being read now."""
        return self._replies

    def open(self, prompt: Prompt, caller: Caller, wants: Wants, *, n: int = 1) -> Answer:
        """Ask the bot, `n` times at once; gives the answer at once, before anything has come."""
        return self.open_all((prompt,) * n, caller, wants)

    def open_all(
        self,
        prompts: Sequence[Prompt],
        caller: Caller,
        wants: Wants,
        watch: Watch | None = None,
        total_s: float | None = None,
    ) -> Answer:
        """As `open`, for prompts that differ: the events of reply number i answer `prompts[i]`.

        Args:
            prompts: one for each reply.
            caller: who asks; his key of Poe's pays, or the owner's if he brought none.
            wants: what the dialect wants of the answer.
            watch: looks on.
            total_s: the longest that the answer may take, if that is less than usual.

        Raises:
            OwnError: kind BUSY, if as many replies are being read as may be.
        """
        if self._replies + len(prompts) > self._most_replies:
            raise OwnError(
                ErrorKind.BUSY,
                f"poeflask gives {self._replies} answers just now, nearly as many as it may; "
                "try again in a moment.",
                retry_after_s=1.0,
            )
        longest_s = min(total_s or self.patience.total_s, self.patience.total_s)
        answer = Answer(len(prompts), watch)
        self._replies += len(prompts)
        for index, prompt in enumerate(prompts):
            reading = _Reading(self, answer, index, prompt, caller, wants, longest_s)
            greenlet = gevent.spawn(reading.run)
            greenlet.rawlink(self._one_less)
            answer.attach(index, greenlet)
        return answer

    def wait_s(self, error: PoeflaskError, attempt: int) -> float | None:
        """Seconds until the next try, or None if there is none."""
        if attempt >= self.patience.tries or not error.may_succeed_later:
            return None
        if not isinstance(error, PoeError) or error.kind is ErrorKind.EMPTY_REPLY:
            return None
        jitter_s = self.patience.first_wait_s * self._chance()
        least_s = self.patience.first_wait_s * 2 ** (attempt - 1)
        asked_s = error.retry_after_s or 0.0
        if asked_s > self.patience.longest_wait_s:
            return None
        return float(max(asked_s, least_s) + jitter_s)

    def _one_less(self, _greenlet: gevent.Greenlet) -> None:
        self._replies -= 1


class _Reading:
    """One reply while it is read, in a greenlet of its own.

    The prompt may hold a whole book and the reply may last for minutes: as soon as anything of the
    reply was passed on, nothing here knows the prompt any more.
    """

    __slots__ = (
        "_answer",
        "_bridge",
        "_caller",
        "_heard",
        "_index",
        "_prepared",
        "_prompt",
        "_said",
        "_total_s",
        "_wants",
    )

    def __init__(
        self,
        bridge: Bridge,
        answer: Answer,
        index: int,
        prompt: Prompt,
        caller: Caller,
        wants: Wants,
        total_s: float,
    ) -> None:
        self._bridge = bridge
        self._answer = answer
        self._index = index
        self._prompt: Prompt | None = prompt
        self._prepared: tuple[str, str, Prompt] | None = None
        self._caller = caller
        self._wants = wants
        self._total_s = total_s
        self._said = False
        self._heard = False

    def run(self) -> None:
        """Put every batch up to the end into the answer."""
        deadline = gevent.Timeout(self._total_s)
        with deadline:
            try:
                failed = self._asked_in_turn()
                if failed is not None:
                    self._answer.put(self._index, failed)
            except gevent.Timeout as timeout:
                if timeout is not deadline:
                    raise
                self._answer.put(self._index, [Failure(self._overdue())])

    def _overdue(self) -> PoeError:
        return PoeError(
            ErrorKind.POE_TIMEOUT,
            f"The answer was not complete after {self._total_s:g} seconds.",
            allow_retry=False,
        )

    def _asked_in_turn(self) -> Batch | None:
        """Ask the bot and then its fallbacks; gives what the last of them failed with."""
        if self._prompt is None:
            return None
        first = self._prompt.bot
        failed = self._asked(first)
        if failed is None or not _is_the_bots(failed):
            return failed
        for bot in self._bridge.fallbacks(first, self._caller):
            self._answer.asked_bot = bot
            failed = self._asked(bot)
            if failed is None or not _is_the_bots(failed):
                break
        return failed

    def _asked(self, bot: str) -> Batch | None:
        """Ask one bot, as often as may be; gives what the last try failed with, if all did."""
        attempt = 1
        used: set[str] = set()
        while True:
            tried = self._try(bot, used)
            if tried.failed is None:
                return None
            if tried.then == "stop":
                return self._explained(tried.failed, bot)
            if tried.then == "next key":
                continue
            wait_s = self._bridge.wait_s(_error_of(tried.failed), attempt)
            if wait_s is None:
                return self._explained(tried.failed, bot)
            attempt += 1
            used.clear()
            gevent.sleep(wait_s)

    def _explained(self, failed: Batch, bot: str) -> Batch:
        end = _failure_of(failed)
        error = self._bridge.explain(end.error, bot, self._caller)
        return [*failed[:-1], Failure(error, end.index)]

    def _try(self, bot: str, used: set[str]) -> _Tried:
        """Ask one bot once, with a key that was not used.

        Poe's connection and the key are let go before the wait for the next try.
        """
        try:
            way = self._bridge.ways.open(bot, self._caller, used)
        except PoeflaskError as error:
            # A bot that is left alone is not waited for: it has fallbacks, or the client waits.
            return _Tried([Failure(error)], "stop" if error.kind in FAILURES else "again")
        with closing(way):
            used.add(way.fingerprint)
            try:
                self._prepare(bot, way.key)
            except PoeflaskError as error:
                # Files could not be uploaded: that says nothing of the bot.
                return _Tried([Failure(error)], "next key" if way.key_failed(error) else "stop")
            failed = self._read(way)
            if failed is None:
                return _Tried(None, "stop")
            return _Tried(failed, "next key" if way.failed(_error_of(failed)) else "again")

    def _prepare(self, bot: str, key: str) -> None:
        """Make the prompt ready for a bot and a key: files are uploaded once for each key."""
        if self._prompt is None:
            raise RuntimeError("nothing may be asked once a part of the reply was passed on")
        if self._prepared is not None and self._prepared[:2] == (bot, key):
            return
        prompt = self._prompt
        if bot != prompt.bot:
            prompt = self._bridge.for_bot(prompt, bot)
        self._prepared = bot, key, self._bridge.prepare(prompt, self._caller.owner, key)

    def _read(self, way: Way) -> Batch | None:
        """Ask, and pass on the reply and those to whatever the filters want to ask besides.

        Gives what failed before anything was passed on.
        """
        self._heard = False
        try:
            place = self._turn(way)
            with closing(place):
                chain, asked = self._begun()
                reply = self._bridge.ask(asked, way.key, place.close)
                del asked
                failed = self._passed_on(reply, chain, way, place)
        except PoeflaskError as error:
            return [Failure(error)]
        while failed is None and not chain.ended:
            more = chain.follow_up()
            if more is None:
                break
            reply = self._more(more, way)
            del more
            failed = self._passed_on(reply, chain, way, place)
        return failed

    def _more(self, asked: Prompt, way: Way) -> Iterator[Batch]:
        """The reply to what a filter asks besides; that no turn came is its failure too."""
        place = self._turn(way)
        with closing(place):
            reply = self._bridge.ask(asked, way.key, place.close)
            del asked
            yield from reply

    def _turn(self, way: Way) -> Place:
        """Wait until a query may be made and sent."""
        way.wait_turn()
        return self._bridge.setups.take(self._caller.owner)

    def _begun(self) -> tuple[Chain, Prompt]:
        """The filters of the prepared prompt, and what they make of it."""
        if self._prepared is None:
            raise RuntimeError("a prompt must be prepared before it is asked")
        prompt = self._prepared[2]
        chain = self._bridge.make_chain(prompt, self._wants)
        if chain.prompt_tokens is not None:
            self._answer.prompt_tokens[self._index] = chain.prompt_tokens
        return chain, chain.on_prompt(prompt)

    def _passed_on(
        self, reply: Iterator[Batch], chain: Chain, way: Way, place: Place
    ) -> Batch | None:
        """Pass on what the filters make of a reply; gives a failure that nothing came before."""
        relay = Relay(chain, self._answer)
        try:
            batch = _next(reply)
            place.close()
            while batch is not None:
                self._heard = self._heard or any(map(_is_something, batch))
                out = chain.feed(batch)
                if out:
                    out = out if self._heard else _without_silence(out)
                    if not self._said and self._is_failure(out, way):
                        return out
                    self._answer.put(self._index, out)
                if chain.ended:
                    break
                if self._said and hasattr(reply, "relay"):
                    reply.relay = relay
                batch = _next(reply)
        finally:
            _close(reply)
        return None

    def _is_failure(self, out: Batch, way: Way) -> bool:
        """Whether these events, among the first, are a failure; else what they tell is kept."""
        if any(isinstance(event, OUTPUT) for event in out):
            self._said = True
            self._prompt = self._prepared = None
        elif isinstance(out[-1], Failure):
            return True
        if self._said or isinstance(out[-1], Finish):
            way.answers()
        return False


class _Tried(NamedTuple):
    """How a try went: what it failed with, if it did, and what comes next."""

    failed: Batch | None
    then: Literal["stop", "next key", "again"]


def _close(reply: Iterator[Batch]) -> None:
    """Let go of Poe's connection."""
    if hasattr(reply, "close"):
        reply.close()


def _next(reply: Iterator[Batch]) -> Batch | None:
    """The next batch, or None behind the last; what goes wrong on the way is a failure too."""
    try:
        return next(reply, None)
    except PoeflaskError as error:
        return [Failure(error)]


def _failure_of(failed: Batch) -> Failure:
    end = failed[-1]
    if not isinstance(end, Failure):
        raise TypeError("what failed must end in a Failure")
    return end


def _error_of(failed: Batch) -> PoeflaskError:
    return _failure_of(failed).error


def _is_the_bots(failed: Batch) -> bool:
    """Whether a failure says that the bot does not work, so that another one may."""
    return _error_of(failed).kind in FAILURES


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

    Attributes:
        asked_bot: the fallback that was asked in place of the prompt's bot; empty if none was.
            Known once `begin` has returned, if it waited for the answer to begin.
        watch: who looks on.
        outlet: where batches and texts may be written past the client's greenlet: while it waits
            for the next batch of a single reply, and none is on its way to it. Else None.
        prompt_tokens: what gives the tokens of the prompt, by the number of each reply whose bot
            was asked, if they are counted.
    """

    def __init__(self, n: int, watch: Watch | None = None) -> None:
        self.asked_bot = ""
        self.prompt_tokens: dict[int, Callable[[], int]] = {}
        self._n = n
        self.watch = watch
        self._reading = n
        self._open = set(range(n))
        self._queue: SimpleQueue[tuple[int, Batch]] = SimpleQueue(maxsize=_QUEUED_BATCHES)
        self._greenlets: dict[int, gevent.Greenlet] = {}
        self._peeked: list[tuple[int, Batch]] = []
        self._cancelled: PoeflaskError | None = None
        self._over = False
        self.outlet: Outlet | None = None
        self._writing = False

    def is_over(self) -> bool:
        """Whether the last batch has been given."""
        return self._over

    def attach(self, index: int, greenlet: gevent.Greenlet) -> None:
        """Take the greenlet that reads reply number `index`; should it die, the reply fails."""
        self._greenlets[index] = greenlet
        greenlet.link_exception(lambda dead: self._break(index, dead.exception))
        if self.watch is not None:
            greenlet.link(self._one_less)

    def put(self, index: int, batch: Batch) -> None:
        """Hand over the next events of reply number `index`; waits while the client is behind."""
        if self.watch is not None:
            self.watch.saw(index, batch)
        outlet = self.outlet
        if outlet is None or isinstance(batch[-1], END):
            self.outlet = None
            self._queue.put((index, batch))
            return
        self._writing = True
        try:
            outlet.write(batch)
        finally:
            self._writing = False

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

    def next(self, wait_s: float | None = None, outlet: Outlet | None = None) -> Batch | None:
        """The next events, or None if `wait_s` seconds have passed.

        The batch after which `is_over` is true is the last one. An answer of several replies ends
        when all have finished or one has failed.

        Args:
            wait_s: how long to wait; None means as long as it takes.
            outlet: while this waits, batches of an answer with one reply may be written there, at
                once and in the greenlet that read them, instead of coming out here, and texts by
                the loop itself. The last batch never is.
        """
        try:
            if self._peeked:
                index, batch = self._peeked.pop(0)
            else:
                index, batch = self._wait(wait_s, outlet)
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

    def _wait(self, wait_s: float | None, outlet: Outlet | None) -> tuple[int, Batch]:
        if self._n == 1 and self._queue.empty():
            self.outlet = outlet
        try:
            while True:
                try:
                    return self._take(wait_s)
                except Empty:
                    # Whoever waits would else write into the middle of what is being written.
                    if not self._writing:
                        raise
        finally:
            self.outlet = None

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
        if self.watch is not None:
            self.watch.saw(0, [Failure(error)])
        self._stop()
        self._offer(0, error)

    def close(self) -> None:
        """Let go of everything that is still open. May be called twice. Never blocks."""
        self._over = True
        self._stop()

    def _break(self, index: int, cause: BaseException) -> None:
        error = _broken(cause)
        if self.watch is not None:
            self.watch.saw(index, [Failure(error)])
        self._offer(index, error)

    def _one_less(self, _greenlet: gevent.Greenlet) -> None:
        self._reading -= 1
        if not self._reading and self.watch is not None:
            self.watch.ended()

    def _stop(self) -> None:
        """Kill what still reads; a reply that has ended gives its connection back by itself."""
        gevent.killall([self._greenlets[index] for index in self._open], block=False)

    def _offer(self, index: int, error: PoeflaskError) -> None:
        """Wake the client's greenlet if it waits; if the queue is full, it does not."""
        if self._cancelled is None:
            self._cancelled = error
        self.outlet = None
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
