"""The bridge over a Poe that is a list of batches."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gevent
import pytest

from poeflask.bridge import Answer, Batch, Bridge, Patience
from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.profile import Profile
from poeflask.core.prompt import Message, Prompt, Text, Tool
from poeflask.core.reply import (
    Failure,
    Finish,
    Note,
    Pause,
    ReplyEvent,
    TextDelta,
)
from poeflask.filters.base import Filter
from poeflask.filters.chain import Aids, Chain, Wants, chain_for
from poeflask.poe.breaker import Breakers, Sensitivity
from poeflask.poe.keys import PoeKey, PoeKeys
from poeflask.poe.noticeboard import Noticeboard
from poeflask.poe.pacing import Pacer
from poeflask.poe.turns import Turns
from poeflask.poe.ways import Ways
from poeflask.relay import Relay
from poeflask.stores.memory import MemoryStore
from poeflask.stores.namespace import Namespace

CALLER = Caller(owner="somebody", poe_key="key")
PROMPT = Prompt(bot="Echo", messages=(Message("user", (Text("hi"),)),))
ALL = Wants()
HELLO: list[Batch] = [[TextDelta("Hel"), Pause()], [TextDelta("lo")], [Finish("stop")]]

Script = list[Batch] | PoeError


class Poe:
    """Answers the n-th query with the n-th script; remembers prompts and closed replies."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.asked: list[Prompt] = []
        self.closed = 0

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        self.asked.append(prompt)
        script = self.scripts[min(len(self.asked), len(self.scripts)) - 1]
        try:
            if isinstance(script, PoeError):
                raise script
            yield from script
        finally:
            self.closed += 1


class SilentPoe(Poe):
    """Says the script of a reply without its end and then nothing, for ever."""

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        self.asked.append(prompt)
        try:
            assert isinstance(self.scripts[0], list)
            yield from self.scripts[0]
            gevent.sleep(60)
        finally:
            self.closed += 1


class LingeringPoe(Poe):
    """Needs a moment to close a reply; remembers how many were closed when each was asked for."""

    def __init__(self, *scripts: Script) -> None:
        super().__init__(*scripts)
        self.closed_before: list[int] = []

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        self.closed_before.append(self.closed)
        try:
            yield from super().__call__(prompt, key, sent)
        except GeneratorExit:
            self.closed -= 1
            gevent.sleep(0.01)
            self.closed += 1
            raise


class AskAgain:
    """A filter that wants a second reply and lets both through."""

    def __init__(self) -> None:
        self.asks: Prompt | None = None
        self.asked = False

    def on_prompt(self, prompt: Prompt) -> Prompt:
        return prompt

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        self.asks = None
        if not self.asked and isinstance(events[-1], Finish):
            self.asked = True
            self.asks = Prompt(bot="Again", messages=())
            return list(events[:-1])
        return list(events)

    @property
    def follow_up(self) -> Prompt | None:
        return self.asks


def bridge(
    poe: Poe,
    *,
    tries: int = 2,
    total_s: float = 30,
    first_wait_s: float = 0.001,
    chance: float = 0.0,
    filters: Callable[[], list[Filter]] = list,
    prepare: Callable[[Prompt, str, str], Prompt] = lambda prompt, owner, key: prompt,
) -> Bridge:
    """A bridge to this Poe that hardly waits."""
    return Bridge(
        ask=poe,
        prepare=prepare,
        make_chain=lambda prompt, wants: Chain(filters, list),
        patience=Patience(
            tries=tries, first_wait_s=first_wait_s, longest_wait_s=0.05, total_s=total_s
        ),
        chance=lambda: chance,
    )


def drain(answer: Answer) -> list[ReplyEvent]:
    """All events of an answer, pauses left out."""
    events: list[ReplyEvent] = []
    while not answer.is_over():
        events += answer.next(5) or ()
    return [event for event in events if not isinstance(event, Pause)]


def failing(kind: ErrorKind, **more: object) -> list[Batch]:
    """The script of a reply that fails at once."""
    return [[Failure(PoeError(kind, "No.", **more))]]  # type: ignore[arg-type]


def test_an_answer_comes_in_batches_and_ends_once() -> None:
    """What Poe says reaches the client's side in order, up to the end."""
    poe = Poe(HELLO)

    assert [TextDelta("Hel"), TextDelta("lo"), Finish("stop")] == drain(
        bridge(poe).open(PROMPT, CALLER, ALL)
    )
    assert (1, 1) == (len(poe.asked), poe.closed)


def test_begin_waits_for_something_that_can_be_shown() -> None:
    """A pause is no beginning; after begin, nothing of the answer is missing."""
    answer = bridge(Poe([[Pause()], *HELLO])).open(PROMPT, CALLER, ALL)
    answer.begin(5)

    assert [TextDelta("Hel"), TextDelta("lo"), Finish("stop")] == drain(answer)


def test_begin_raises_what_failed_before_anything_was_said() -> None:
    """A refusal is an error with its own status, not a stream."""
    answer = bridge(Poe(failing(ErrorKind.NO_POINTS))).open(PROMPT, CALLER, ALL)

    with pytest.raises(PoeError) as caught:
        answer.begin(5)

    assert ErrorKind.NO_POINTS == caught.value.kind


def test_a_refused_answer_gives_its_connection_back_in_peace() -> None:
    """What is left of a reply that has ended is read although its client heard of the failure."""
    poe = LingeringPoe(failing(ErrorKind.NO_POINTS))
    answer = bridge(poe).open(PROMPT, CALLER, ALL)
    with pytest.raises(PoeError):
        answer.begin(5)
    gevent.sleep(0.05)

    assert 1 == poe.closed


def test_a_reply_is_let_go_before_the_next_try() -> None:
    """A failed reply does not hold its connection while the bridge waits to ask again."""
    poe = LingeringPoe(failing(ErrorKind.POE_FAILED), HELLO)
    drain(bridge(poe).open(PROMPT, CALLER, ALL))

    assert [0, 1] == poe.closed_before


def test_begin_gives_up_waiting_but_not_the_answer() -> None:
    """When Poe takes long to begin, the stream opens and the answer still comes."""
    poe = SilentPoe([])
    answer = bridge(poe).open(PROMPT, CALLER, ALL)
    answer.begin(0.01)

    assert answer.next(0.01) is None
    assert not answer.is_over()
    answer.close()


@pytest.mark.parametrize(
    "kind",
    [ErrorKind.POE_FAILED, ErrorKind.OVERLOADED, ErrorKind.POE_UNREACHABLE, ErrorKind.RATE_LIMITED],
)
def test_a_passing_fault_before_output_is_tried_again(kind: ErrorKind) -> None:
    """The client sees only the try that worked."""
    poe = Poe(failing(kind), HELLO)
    events = drain(bridge(poe).open(PROMPT, CALLER, ALL))

    assert [TextDelta("Hel"), TextDelta("lo"), Finish("stop")] == events
    assert (2, 2) == (len(poe.asked), poe.closed)


@pytest.mark.parametrize(
    "script",
    [
        failing(ErrorKind.NO_POINTS),
        failing(ErrorKind.BAD_KEY),
        failing(ErrorKind.UNKNOWN_MODEL),
        failing(ErrorKind.POE_FAILED, allow_retry=False),
        failing(ErrorKind.RATE_LIMITED, retry_after_s=60.0),
        [[Finish("stop")]],
    ],
)
def test_other_faults_are_not_tried_again(script: list[Batch]) -> None:
    """No points, a bad key, Poe's veto, a long wait, an empty answer: asked once."""
    poe = Poe(script, HELLO)
    events = drain(bridge(poe).open(PROMPT, CALLER, ALL))

    assert isinstance(events[-1], Failure)
    assert 1 == len(poe.asked)


def test_a_raised_error_is_tried_again_too() -> None:
    """A fault that comes as a status instead of an event is treated the same."""
    poe = Poe(PoeError(ErrorKind.POE_UNAVAILABLE, "Later."), HELLO)

    assert Finish("stop") == drain(bridge(poe).open(PROMPT, CALLER, ALL))[-1]


@pytest.mark.parametrize("asked_s", [None, 0.0, 0.01])
def test_the_next_try_waits_even_if_poe_says_at_once(asked_s: float | None) -> None:
    """At least the usual time, and a bit by chance; longer if Poe asks for it."""
    poe = Poe(failing(ErrorKind.RATE_LIMITED, retry_after_s=asked_s), HELLO)
    began_s = time.monotonic()
    drain(bridge(poe, first_wait_s=0.02, chance=1.0).open(PROMPT, CALLER, ALL))

    assert time.monotonic() - began_s >= 0.04


def test_poe_is_not_asked_before_the_time_it_names() -> None:
    """What it asks for is waited for in full."""
    poe = Poe(failing(ErrorKind.RATE_LIMITED, retry_after_s=0.04), HELLO)
    began_s = time.monotonic()
    drain(bridge(poe).open(PROMPT, CALLER, ALL))

    assert time.monotonic() - began_s >= 0.04


def test_tries_are_bounded() -> None:
    """The last failure is the client's."""
    poe = Poe(failing(ErrorKind.POE_FAILED))
    events = drain(bridge(poe, tries=3).open(PROMPT, CALLER, ALL))

    assert [Failure(PoeError(ErrorKind.POE_FAILED, "No."))] == events
    assert 3 == len(poe.asked)


def test_nothing_is_tried_again_after_output() -> None:
    """Text that was shown is not shown twice."""
    poe = Poe([[TextDelta("Hel")], *failing(ErrorKind.POE_FAILED)], HELLO)
    events = drain(bridge(poe).open(PROMPT, CALLER, ALL))

    assert [TextDelta("Hel"), Failure(PoeError(ErrorKind.POE_FAILED, "No."))] == events
    assert 1 == len(poe.asked)


def test_an_answer_that_says_nothing_is_an_error() -> None:
    """An empty answer is never passed on as a success."""
    events = drain(bridge(Poe([[Pause()], [Finish("stop")]])).open(PROMPT, CALLER, ALL))

    assert isinstance(events[0], Failure)
    assert ErrorKind.EMPTY_REPLY == events[0].error.kind


def test_an_answer_cut_by_its_length_may_be_empty() -> None:
    """A bot that spent all its tokens on thinking has not failed."""
    assert [Finish("length")] == drain(bridge(Poe([[Finish("length")]])).open(PROMPT, CALLER, ALL))


def test_a_filter_may_ask_again() -> None:
    """The reply to a follow-up continues the same answer."""
    poe = Poe([[TextDelta("a"), Finish("stop")]], [[TextDelta("b"), Finish("stop")]])
    events = drain(bridge(poe, filters=lambda: [AskAgain()]).open(PROMPT, CALLER, ALL))

    assert [TextDelta("a"), TextDelta("b"), Finish("stop")] == events
    assert ["Echo", "Again"] == [prompt.bot for prompt in poe.asked]


def test_several_replies_come_in_one_answer() -> None:
    """Each reply has its own index, and the answer ends when all have ended."""
    poe = Poe(HELLO)
    events = drain(bridge(poe).open(PROMPT, CALLER, ALL, n=3))

    assert {0, 1, 2} == {event.index for event in events if isinstance(event, Finish)}
    for index in range(3):
        said = [e.text for e in events if isinstance(e, TextDelta) and e.index == index]
        assert ["Hel", "lo"] == said


def test_one_failed_reply_ends_the_answer() -> None:
    """A client that asked for several gets all of them or an error."""
    poe = Poe(HELLO, failing(ErrorKind.NO_POINTS))
    events = drain(bridge(poe).open(PROMPT, CALLER, ALL, n=2))

    assert isinstance(events[-1], Failure)


def test_cancel_ends_poes_connection_while_poe_is_silent() -> None:
    """The client's greenlet learns of it at once, and so does Poe."""
    poe = SilentPoe([[TextDelta("Hel")]])
    answer = bridge(poe).open(PROMPT, CALLER, ALL)
    answer.begin(5)
    gone = ClientError(ErrorKind.CLIENT_GONE, "Gone.")
    gevent.spawn_later(0.01, answer.cancel, gone)

    assert [TextDelta("Hel"), Failure(gone)] == drain(answer)
    gevent.sleep(0)
    assert 1 == poe.closed


def test_cancel_is_heard_when_the_queue_is_full() -> None:
    """A client that is behind and leaves is not read for any longer."""
    poe = Poe([[TextDelta("x")]] * 100)
    answer = bridge(poe).open(PROMPT, CALLER, ALL)
    gevent.sleep(0.01)
    gone = ClientError(ErrorKind.CLIENT_GONE, "Gone.")
    answer.cancel(gone)

    assert [Failure(gone)] == drain(answer)
    gevent.sleep(0)
    assert 1 == poe.closed


def test_a_slow_client_slows_poe_down() -> None:
    """No more than a few batches are read ahead."""
    taken: list[int] = []

    def poe(prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        for number in range(1000):
            taken.append(number)
            yield [TextDelta("x")]
        yield [Finish("stop")]

    answer = bridge(poe).open(PROMPT, CALLER, ALL)  # type: ignore[arg-type]
    gevent.sleep(0.01)

    assert len(taken) < 20
    answer.close()


def test_an_answer_may_not_take_for_ever() -> None:
    """When the time for one answer is over, it fails and says so."""
    events = drain(bridge(SilentPoe([]), total_s=0.01).open(PROMPT, CALLER, ALL))

    assert isinstance(events[0], Failure)
    assert ErrorKind.POE_TIMEOUT == events[0].error.kind


def test_a_prompt_that_cannot_be_prepared_is_the_clients_error() -> None:
    """A file that cannot be uploaded fails the request before Poe is asked."""
    refusal = ClientError(ErrorKind.INVALID_REQUEST, "The file is empty.")

    def prepare(prompt: Prompt, owner: str, key: str) -> Prompt:
        raise refusal

    poe = Poe(HELLO)
    answer = bridge(poe, prepare=prepare).open(PROMPT, CALLER, ALL)

    with pytest.raises(ClientError) as caught:
        answer.begin(5)

    assert refusal == caught.value
    assert [] == poe.asked


@pytest.mark.filterwarnings("ignore")
def test_a_bug_in_the_reading_greenlet_reaches_the_client() -> None:
    """A greenlet that dies does not leave a client waiting for ever."""

    def poe(prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        yield [TextDelta("Hel")]
        raise ZeroDivisionError

    answer = bridge(poe).open(PROMPT, CALLER, ALL)  # type: ignore[arg-type]
    events = drain(answer)

    assert isinstance(events[-1], Failure)
    assert isinstance(events[-1].error, OwnError)


def test_closing_twice_is_no_fault() -> None:
    """Both the response and the generator may let go."""
    answer = bridge(SilentPoe([])).open(PROMPT, CALLER, ALL)
    answer.close()
    answer.close()

    assert answer.is_over()


def test_different_prompts_are_asked_in_one_answer() -> None:
    """Each prompt is asked, and its events carry its number."""
    other = Prompt(bot="Other", messages=())
    poe = Poe([[TextDelta("a"), Finish("stop")]], [[TextDelta("b"), Finish("length")]])
    answer = bridge(poe).open_all([PROMPT, other], CALLER, ALL)

    assert [
        TextDelta("a", 0),
        Finish("stop", 0),
        TextDelta("b", 1),
        Finish("length", 1),
    ] == drain(answer)
    assert [PROMPT, other] == poe.asked


class Outlet:
    """Notes what it is given to write, and in which greenlet.

    Args:
        keeps_up: whether texts can be written without waiting.
        wait_s: how long a batch takes to be written.
    """

    def __init__(self, *, keeps_up: bool = True, wait_s: float = 0.0) -> None:
        self.batches: list[Batch] = []
        self.texts: list[str] = []
        self.greenlets: list[object] = []
        self._keeps_up = keeps_up
        self._wait_s = wait_s

    def write(self, batch: Batch) -> None:
        if self._wait_s:
            gevent.sleep(self._wait_s)
        self.batches.append(batch)
        self.greenlets.append(gevent.getcurrent())

    def say(self, text: str) -> bool:
        self.texts.append(text)
        return self._keeps_up


def relayed(answer: Answer, outlet: Any) -> list[Batch | None]:
    """What comes out of the answer beside what goes to the outlet."""
    given: list[Batch | None] = []
    while not answer.is_over():
        given.append(answer.next(None, outlet))
    return given


def test_while_the_client_waits_batches_are_relayed() -> None:
    """In the greenlet that read them; only the last one comes out."""
    outlet = Outlet()
    answer = Answer(1)

    def read() -> None:
        for batch in HELLO:
            answer.put(0, batch)

    reader = gevent.spawn_later(0.01, read)
    given = relayed(answer, outlet)

    assert [HELLO[-1]] == given
    assert (HELLO[:-1], {reader}) == (outlet.batches, set(outlet.greenlets))


def test_what_waits_already_is_not_overtaken() -> None:
    """Batches are relayed only behind all those that came before."""
    outlet: Any = Outlet()
    answer = Answer(1)
    answer.put(0, HELLO[0])

    assert HELLO[0] == answer.next(None, outlet)
    answer.put(0, HELLO[1])
    answer.put(0, HELLO[2])
    assert HELLO[1:] == relayed(answer, outlet)
    assert outlet.batches == []


def test_nobody_else_speaks_while_a_batch_is_relayed() -> None:
    """The wait does not end before, however long the client takes."""
    slow: Any = Outlet(wait_s=0.1)
    answer = Answer(1)
    gevent.spawn_later(0.01, answer.put, 0, HELLO[0])

    assert answer.next(0.03, slow) is None
    assert [HELLO[0]] == slow.batches


def test_several_replies_are_not_relayed() -> None:
    """Two writers would write into each other."""
    outlet = Outlet()
    answer = Answer(2)
    for index in range(2):
        gevent.spawn_later(0.01, answer.put, index, [TextDelta("a"), Finish("stop")])
        gevent.spawn_later(0, answer.put, index, [TextDelta("b")])

    assert len(relayed(answer, outlet)) == 4
    assert outlet.batches == []


class Onlooker:
    """Notes what it is shown."""

    def __init__(self) -> None:
        self.seen: list[ReplyEvent] = []
        self.ends = 0

    def saw(self, _index: int, batch: Batch) -> None:
        self.seen += batch

    def heard(self, text: str) -> None:
        self.seen.append(TextDelta(text))

    def ended(self) -> None:
        self.ends += 1


def test_a_watch_sees_every_event_and_the_end() -> None:
    """Whoever looks on sees what the client is given, and hears once that it is over."""
    watch = Onlooker()

    events = drain(bridge(Poe(HELLO)).open_all((PROMPT, PROMPT), CALLER, ALL, watch))
    gevent.sleep(0)

    seen = [event for event in watch.seen if not isinstance(event, Pause)]
    assert (len(events), 1) == (len(seen), watch.ends)


def test_a_watch_hears_of_an_answer_that_nobody_waits_for() -> None:
    """An answer that is closed before it began ends all the same."""
    watch = Onlooker()

    bridge(Poe(HELLO)).open_all((PROMPT,), CALLER, ALL, watch).close()
    gevent.sleep(0.01)

    assert 1 == watch.ends


def test_a_watch_sees_an_end_that_poe_did_not_send() -> None:
    """The client left, or poeflask itself failed while it read."""

    def fail(prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        raise ZeroDivisionError

    left, failed = Onlooker(), Onlooker()
    gone = ClientError(ErrorKind.CLIENT_GONE, "It left.")
    bridge(Poe(HELLO)).open_all((PROMPT,), CALLER, ALL, left).cancel(gone)
    own = drain(bridge(fail).open_all((PROMPT,), CALLER, ALL, failed))

    assert [Failure(gone)] == left.seen
    assert own == failed.seen
    assert ErrorKind.INTERNAL is own[0].error.kind  # type: ignore[union-attr]


def test_an_outlet_is_there_while_its_client_waits_and_nothing_is_on_its_way() -> None:
    """Then texts may be written by whoever has them."""
    outlet: Any = Outlet()
    onlooker = Onlooker()
    answer = Answer(1, onlooker)
    answer.put(0, HELLO[0])
    before = answer.outlet
    answer.next(None, outlet)
    client = gevent.spawn(answer.next, None, outlet)
    gevent.sleep(0)

    assert (None, outlet) == (before, answer.outlet)
    assert answer.watch is onlooker
    answer.put(0, HELLO[2])
    assert answer.outlet is None
    assert HELLO[2] == client.get()
    assert [*HELLO[0], *HELLO[2]] == onlooker.seen


class Hasty(Poe):
    """Sends plain texts, each framed as Poe does, and lets them through to whoever takes them."""

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> HastyReply:
        return HastyReply(super().__call__(prompt, key, sent))


class HastyReply:
    """A reply that lets the bytes of texts through; other batches come out."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self.relay: Relay | None = None
        self._batches = batches

    def __iter__(self) -> HastyReply:
        return self

    def __next__(self) -> Batch:
        for batch in self._batches:
            gevent.sleep(0.005)
            if self.relay is None or not isinstance(batch[0], TextDelta):
                return batch
            if self.relay.take(framed(batch[0].text)) is not None:
                left, self.relay.left = self.relay.left, []
                return left or batch
        raise StopIteration

    def close(self) -> None:
        self._batches.close()  # type: ignore[attr-defined]


def framed(text: str) -> bytes:
    """A text as a chunk of a body."""
    event = f'event: text\r\ndata: {{"text": "{text}"}}\r\n\r\n'.encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


@pytest.mark.parametrize("keeps_up", [True, False])
def test_texts_that_no_filter_changes_need_no_greenlet(keeps_up: bool) -> None:
    """If the client cannot take one at once, the next thing that it is given is a Pause."""
    texts: list[Batch] = [[TextDelta(letter), Pause()] for letter in "abc"]
    outlet = Outlet(keeps_up=keeps_up)
    answer = bridge(Hasty([*texts, [Finish("stop")]])).open(PROMPT, CALLER, ALL)
    answer.begin(None)

    assert [texts[0], [Finish("stop")]] == relayed(answer, outlet)
    assert ["b", "c"] == outlet.texts
    assert ([] if keeps_up else [[Pause()], [Pause()]]) == outlet.batches


def test_before_the_first_words_all_goes_through_the_greenlets() -> None:
    """The question may yet be asked again."""
    batches: list[Batch] = [[Pause()], [TextDelta("a"), Pause()], [Finish("stop")]]
    outlet = Outlet()
    answer = bridge(Hasty(batches)).open(PROMPT, CALLER, ALL)

    assert [Finish("stop")] == [event for batch in relayed(answer, outlet) for event in batch or ()]
    assert ([], batches[:2]) == (outlet.texts, outlet.batches)


class PoeOfKeys:
    """Answers each bot and key with a script of its own; remembers who was asked with what."""

    def __init__(self, scripts: Mapping[tuple[str, str], Script]) -> None:
        self.scripts = scripts
        self.asked: list[tuple[str, str]] = []

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        self.asked.append((prompt.bot, key))
        script = self.scripts.get((prompt.bot, key), HELLO)
        if isinstance(script, PoeError):
            raise script
        yield from script


def pooled(
    poe: PoeOfKeys,
    *keys: str,
    fallbacks: tuple[str, ...] = (),
    prepare: Callable[[Prompt, str, str], Prompt] = lambda prompt, owner, key: prompt,
) -> Bridge:
    """A bridge with a pool of these keys; every bot has the same fallbacks."""
    board = Noticeboard(Namespace(MemoryStore(), "upstream", on_failure="forget"))
    pool = PoeKeys([PoeKey(key, key) for key in keys], board, lambda key: {})
    return Bridge(
        ask=poe,
        prepare=prepare,
        make_chain=lambda prompt, wants: Chain(list, list),
        patience=Patience(tries=2, first_wait_s=0.001, longest_wait_s=0.05, total_s=30),
        ways=Ways(keys=pool, breakers=Breakers(board, Sensitivity(failures=3))),
        fallbacks=lambda bot, caller: fallbacks,
        chance=lambda: 0.0,
    )


POOL = Caller(owner="somebody")
DOWN = PoeError(ErrorKind.POE_UNAVAILABLE, "Down.")


@pytest.mark.parametrize("fault", [ErrorKind.RATE_LIMITED, ErrorKind.NO_POINTS])
def test_a_keys_fault_goes_to_the_next_key_at_once(fault: ErrorKind) -> None:
    """It is no try of the bot's: the number of keys is not bounded by the number of tries."""
    refused = PoeError(fault, "No.", retry_after_s=30)
    poe = PoeOfKeys({("Echo", key): refused for key in "abc"})
    events = drain(pooled(poe, *"abcd").open(PROMPT, POOL, ALL))

    assert Finish("stop") == events[-1]
    assert [("Echo", key) for key in "abcd"] == poe.asked


def test_files_are_prepared_for_each_key() -> None:
    """What was uploaded with one key is not taken to be another's."""
    prepared: list[str] = []

    def prepare(prompt: Prompt, owner: str, key: str) -> Prompt:
        prepared.append(key)
        return prompt

    limited = PoeError(ErrorKind.RATE_LIMITED, "No.")
    poe = PoeOfKeys({("Echo", "a"): limited, ("Echo", "b"): DOWN})
    drain(pooled(poe, "a", "b", prepare=prepare).open(PROMPT, POOL, ALL))

    assert ["a", "b"] == prepared
    assert [("Echo", "a"), ("Echo", "b"), ("Echo", "b")] == poe.asked


def test_if_no_key_is_left_the_pool_says_why() -> None:
    """Once; nobody waits for what takes longer than a wait may."""
    poe = PoeOfKeys({("Echo", "a"): PoeError(ErrorKind.RATE_LIMITED, "No.", retry_after_s=60)})
    events = drain(pooled(poe, "a").open(PROMPT, POOL, ALL))

    assert isinstance(events[-1], Failure)
    assert "all keys of this service" in events[-1].error.message
    assert [("Echo", "a")] == poe.asked


def test_a_bot_that_fails_is_replaced_by_its_fallbacks_in_turn() -> None:
    """After all its tries; the answer says who gave it."""
    poe = PoeOfKeys({("Echo", "a"): DOWN, ("Second", "a"): DOWN})
    answer = pooled(poe, "a", fallbacks=("Second", "Third")).open(PROMPT, POOL, ALL)
    answer.begin(5)

    assert "Third" == answer.asked_bot
    assert [TextDelta("Hel"), TextDelta("lo"), Finish("stop")] == drain(answer)
    assert ["Echo", "Echo", "Second", "Second", "Third"] == [bot for bot, _ in poe.asked]


@pytest.mark.parametrize(
    "script",
    [
        PoeError(ErrorKind.BOT_REJECTED, "No."),
        PoeError(ErrorKind.NO_POINTS, "No."),
        [[TextDelta("Hel")], [Failure(DOWN)]],
        [[Finish("stop")]],
    ],
)
def test_what_another_bot_cannot_mend_stays_with_the_first(script: Script) -> None:
    """A wrong request, a key's fault, an answer that has begun, an empty one."""
    poe = PoeOfKeys({("Echo", "a"): script})
    answer = pooled(poe, "a", fallbacks=("Second",)).open(PROMPT, POOL, ALL)

    assert isinstance(drain(answer)[-1], Failure)
    assert ("", [("Echo", "a")]) == (answer.asked_bot, poe.asked)


@pytest.mark.parametrize("kind", [ErrorKind.UNKNOWN_MODEL, ErrorKind.POE_UNAVAILABLE])
def test_a_failure_before_the_answer_is_explained(kind: ErrorKind) -> None:
    """With the name of the bot that failed, and for the caller; what came before it is kept."""
    note = Note(name="meta", data={})
    poe = PoeOfKeys({("Echo", "a"): [[note, Failure(PoeError(kind, "No."))]]})
    bridge = pooled(poe, "a")
    bridge.explain = lambda error, bot, caller: PoeError(
        error.kind, f"{bot} of {caller.owner}: {error.message}"
    )

    expected = [note, Failure(PoeError(kind, "Echo of somebody: No."))]
    assert expected == drain(bridge.open(PROMPT, POOL, ALL))


def test_if_all_fallbacks_fail_the_last_failure_is_told() -> None:
    """Each has its tries."""
    last = PoeError(ErrorKind.OVERLOADED, "Full.")
    poe = PoeOfKeys({("Echo", "a"): DOWN, ("Second", "a"): last})

    assert [Failure(last)] == drain(pooled(poe, "a", fallbacks=("Second",)).open(PROMPT, POOL, ALL))


def test_a_bot_that_is_left_alone_fails_at_once_or_is_replaced() -> None:
    """Once its circuit is open it is not asked; nor are the tries waited for."""
    poe = PoeOfKeys({("Echo", "a"): DOWN})
    alone, replaced = pooled(poe, "a"), pooled(poe, "a", fallbacks=("Second",))
    for opened in (alone, replaced):
        for _ in range(2):
            drain(opened.open(PROMPT, POOL, ALL))
    asked = len(poe.asked)
    failed = drain(alone.open(PROMPT, POOL, ALL))[-1]

    assert isinstance(failed, Failure)
    assert ErrorKind.POE_UNAVAILABLE == failed.error.kind
    assert (failed.error.retry_after_s or 0) > 20
    assert Finish("stop") == drain(replaced.open(PROMPT, POOL, ALL))[-1]
    assert [("Second", "a")] == poe.asked[asked:]


def test_no_more_replies_are_read_than_may_be() -> None:
    """One more is refused with a time to come again; those that end make room."""
    poe = SilentPoe([])
    full = Bridge(
        ask=poe,
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: Chain(list, list),
        patience=Patience(),
        most_replies=3,
    )
    first, second = full.open(PROMPT, CALLER, ALL, n=2), full.open(PROMPT, CALLER, ALL)
    with pytest.raises(OwnError) as caught:
        full.open(PROMPT, CALLER, ALL)
    assert (ErrorKind.BUSY, 1.0, 3) == (caught.value.kind, caught.value.retry_after_s, full.replies)
    first.close()
    gevent.sleep(0.01)

    assert 1 == full.replies
    third = full.open(PROMPT, CALLER, ALL, n=2)
    second.close()
    third.close()
    gevent.sleep(0.01)
    assert 0 == full.replies


class SlowPoe:
    """Takes a while to take a query, and then a longer one to answer it."""

    def __init__(self) -> None:
        self.setting_up = 0
        self.most = 0
        self.sent = 0

    def __call__(self, prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
        self.setting_up += 1
        self.most = max(self.most, self.setting_up)
        gevent.sleep(0.001)
        self.setting_up -= 1
        self.sent += 1
        sent()
        gevent.sleep(30)
        yield [Finish("stop")]


def test_only_a_few_questions_are_sent_at_once_and_slow_bots_hold_up_none() -> None:
    """A place is given back once the query has left, however long the bot takes."""
    poe = SlowPoe()
    narrow = Bridge(
        ask=poe,
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: Chain(list, list),
        patience=Patience(),
        setups=Turns(4, longest_hold_s=60),
    )
    answers = [narrow.open(PROMPT, CALLER, ALL) for _ in range(40)]
    with gevent.Timeout(5):
        while poe.sent < 40:
            gevent.sleep(0.001)
    for answer in answers:
        answer.close()

    assert 4 == poe.most


def test_a_storm_of_arrivals_does_not_hold_up_a_running_answer() -> None:
    """Between two batches of it no more questions are sent than there are places."""
    sent: list[str] = []

    def poe(prompt: Prompt, key: str, sent_: Callable[[], None]) -> Iterator[Batch]:
        if prompt.bot == "Running":
            for _ in range(50):
                gevent.sleep(0)
                sent.append("batch")
                yield [TextDelta("x")]
        else:
            gevent.sleep(0)
            sent.append("question")
            sent_()
        yield [TextDelta("y"), Finish("stop")]

    narrow = Bridge(
        ask=poe,  # type: ignore[arg-type]
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: Chain(list, list),
        patience=Patience(),
        setups=Turns(3, longest_hold_s=60),
    )
    running = narrow.open(replace(PROMPT, bot="Running"), CALLER, ALL)
    reader = gevent.spawn(drain, running)
    gevent.sleep(0)
    storm = [narrow.open(PROMPT, CALLER, ALL) for _ in range(60)]
    reader.join(5)
    for answer in storm:
        drain(answer)
    between = "".join(word[0] for word in sent).split("b")[1:-1]

    assert 60 == sent.count("question")
    assert max(map(len, between)) <= 2 * 3


def test_a_client_may_give_an_answer_less_time() -> None:
    """But never more than is usual."""
    for total_s in (0.01, 100.0):
        opened = bridge(SilentPoe([]), total_s=0.05)
        answer = opened.open_all((PROMPT,), CALLER, ALL, total_s=total_s)
        failed = drain(answer)[-1]

        assert isinstance(failed, Failure)
        assert f"{min(total_s, 0.05):g} seconds" in failed.error.message


class Book(str):
    """A long text that can be watched."""


def silent_after_a_word(prompt: Prompt, key: str, sent: Callable[[], None]) -> Iterator[Batch]:
    """As the client of Poe does, it keeps nothing of the prompt once it has left."""
    del prompt
    yield [Pause()]
    gevent.sleep(0.05)
    yield [TextDelta("Hel"), Pause()]
    gevent.sleep(30)


@pytest.mark.parametrize("native_tools", [None, True])
def test_the_prompt_is_gone_once_the_answer_has_begun(native_tools: bool | None) -> None:
    """A long conversation is not kept for as long as its answer takes."""
    aids = Aids(
        count=len,
        count_prompt=lambda prompt: lambda: 1,
        repair=json_text.repaired,
        new_call_id=lambda: "call_1",
    )
    profile = Profile(bot="Echo", native_tools=bool(native_tools))
    opened = Bridge(
        ask=silent_after_a_word,
        prepare=lambda prompt, owner, key: replace(prompt, parameters={"prepared": True}),
        make_chain=lambda prompt, wants: chain_for(prompt, profile, wants, aids),
        patience=Patience(),
    )
    book = Book("A whole book. " * 1000)
    alive = weakref.ref(book)
    tools = () if native_tools is None else (Tool(name="look"),)
    prompt = Prompt(bot="Echo", messages=(Message("user", (Text(book),)),), tools=tools)
    answer = opened.open(prompt, CALLER, ALL)
    del book, prompt
    answer.begin(0.01)
    gc.collect()
    seen_before = alive() is not None
    answer.begin(5)
    gc.collect()

    assert [True, False] == [seen_before, alive() is not None]
    answer.close()


def test_the_count_of_the_prompt_outlives_it() -> None:
    """By the number of each reply; of those that are tried again, the last one counts."""
    aids = Aids(
        count=len,
        count_prompt=lambda prompt: lambda: len(prompt.bot),
        repair=json_text.repaired,
        new_call_id=lambda: "call_1",
    )
    opened = Bridge(
        ask=Poe(DOWN, HELLO),
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: chain_for(prompt, Profile(bot=""), wants, aids),
        patience=Patience(tries=2, first_wait_s=0.001),
    )
    prompts = (PROMPT, replace(PROMPT, bot="Longer"))
    counted = opened.open_all(prompts, CALLER, ALL)
    drain(counted)
    uncounted = opened.open(PROMPT, CALLER, Wants(usage=False))
    drain(uncounted)

    assert {0: 4, 1: 6} == {index: count() for index, count in counted.prompt_tokens.items()}
    assert {} == uncounted.prompt_tokens


def test_an_upload_that_fails_is_told_at_once_unless_another_key_may_do_better() -> None:
    """It says nothing of the bot: neither tries nor fallbacks follow."""
    refusals = {"a": PoeError(ErrorKind.NO_POINTS, "No."), "b": DOWN}

    def prepare(prompt: Prompt, owner: str, key: str) -> Prompt:
        raise refusals[key]

    poe = PoeOfKeys({})
    opened = pooled(poe, "a", "b", fallbacks=("Second",), prepare=prepare)
    for _ in range(3):
        assert [Failure(DOWN)] == drain(opened.open(PROMPT, POOL, ALL))

    assert [] == poe.asked


def test_a_follow_up_that_finds_no_turn_ends_the_answer() -> None:
    """What was passed on stays, and the failure comes behind it."""
    store = MemoryStore()
    pacer = Pacer(
        Namespace(store, "pace", on_failure="forget"), per_minute=1, workers=1, max_waiting=0
    )
    poe = Poe([[TextDelta("a"), Finish("stop")]], [[TextDelta("b"), Finish("stop")]])
    paced = Bridge(
        ask=poe,
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: Chain(lambda: [AskAgain()], list),
        patience=Patience(),
        ways=Ways(pacer=pacer),
    )
    events = drain(paced.open(PROMPT, CALLER, ALL))

    assert [TextDelta("a")] == events[:-1]
    assert isinstance(events[-1], Failure)
    assert ErrorKind.TOO_MANY_REQUESTS == events[-1].error.kind


def test_a_bot_that_is_left_alone_for_a_moment_is_not_waited_for() -> None:
    """However short the moment: its fallback answers at once."""
    board = Noticeboard(Namespace(MemoryStore(), "upstream", on_failure="forget"))
    poe = PoeOfKeys({("Echo", "key"): DOWN})
    opened = Bridge(
        ask=poe,
        prepare=lambda prompt, owner, key: prompt,
        make_chain=lambda prompt, wants: Chain(list, list),
        patience=Patience(tries=3, first_wait_s=0.001),
        ways=Ways(breakers=Breakers(board, Sensitivity(failures=1, first_s=5.0))),
        fallbacks=lambda bot, caller: ("Second",),
    )
    with gevent.Timeout(2):
        drain(opened.open(PROMPT, CALLER, ALL))

    assert [("Echo", "key"), ("Second", "key")] == poe.asked
