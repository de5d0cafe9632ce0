"""The bridge over a Poe that is a list of batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import gevent
import pytest

from poeflask.bridge import Answer, Batch, Bridge, Patience
from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.prompt import Message, Prompt, Text
from poeflask.core.reply import (
    AtOnce,
    Failure,
    Finish,
    Pause,
    ReplyEvent,
    TextDelta,
)
from poeflask.filters.base import Filter
from poeflask.filters.chain import Chain, Wants

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

    def __call__(self, prompt: Prompt, key: str) -> Iterator[Batch]:
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

    def __call__(self, prompt: Prompt, key: str) -> Iterator[Batch]:
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

    def __call__(self, prompt: Prompt, key: str) -> Iterator[Batch]:
        self.closed_before.append(self.closed)
        try:
            yield from super().__call__(prompt, key)
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

    def poe(prompt: Prompt, key: str) -> Iterator[Batch]:
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

    def poe(prompt: Prompt, key: str) -> Iterator[Batch]:
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


def relayed(answer: Answer, relay: Callable[[Batch], None]) -> list[Batch | None]:
    """What comes out of the answer beside what is relayed."""
    given: list[Batch | None] = []
    while not answer.is_over():
        given.append(answer.next(None, relay))
    return given


def test_while_the_client_waits_batches_are_relayed() -> None:
    """In the greenlet that read them; only the last one comes out."""
    took: list[tuple[Batch, object]] = []
    answer = Answer(1)

    def read() -> None:
        for batch in HELLO:
            answer.put(0, batch)

    reader = gevent.spawn_later(0.01, read)
    given = relayed(answer, lambda batch: took.append((batch, gevent.getcurrent())))

    assert [HELLO[-1]] == given
    assert [(batch, reader) for batch in HELLO[:-1]] == took


def test_what_waits_already_is_not_overtaken() -> None:
    """Batches are relayed only behind all those that came before."""
    took: list[Batch] = []
    answer = Answer(1)
    answer.put(0, HELLO[0])

    assert HELLO[0] == answer.next(None, took.append)
    answer.put(0, HELLO[1])
    answer.put(0, HELLO[2])
    assert HELLO[1:] == relayed(answer, took.append)
    assert took == []


def test_nobody_else_speaks_while_a_batch_is_relayed() -> None:
    """The wait does not end before, however long the client takes."""
    written: list[Batch] = []

    def slowly(batch: Batch) -> None:
        gevent.sleep(0.1)
        written.append(batch)

    answer = Answer(1)
    gevent.spawn_later(0.01, answer.put, 0, HELLO[0])

    assert answer.next(0.03, slowly) is None
    assert [HELLO[0]] == written


def test_several_replies_are_not_relayed() -> None:
    """Two writers would write into each other."""
    took: list[Batch] = []
    answer = Answer(2)
    for index in range(2):
        gevent.spawn_later(0.01, answer.put, index, [TextDelta("a"), Finish("stop")])
        gevent.spawn_later(0, answer.put, index, [TextDelta("b")])

    assert len(relayed(answer, took.append)) == 4
    assert took == []


class Onlooker:
    """Notes what it is shown."""

    def __init__(self) -> None:
        self.seen: list[ReplyEvent] = []
        self.ends = 0

    def saw(self, _index: int, batch: Batch) -> None:
        self.seen += batch

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


def flowing(answer: Answer, at_once: Callable[[Batch], bool]) -> gevent.Greenlet:
    """The client of an answer that has begun, waiting for more."""
    answer.put(0, HELLO[0])
    answer.next()
    client = gevent.spawn(answer.next, None, lambda batch: None, at_once)
    gevent.sleep(0)
    return client


def test_an_answer_flows_while_its_client_waits_behind_the_first_words() -> None:
    """Then batches may be handed over by whoever has them, without waiting."""
    took: list[Batch] = []
    onlooker = Onlooker()
    answer = Answer(1, onlooker)
    before = answer.flows()
    client = flowing(answer, lambda batch: not took.append(batch))

    assert (False, True) == (before, answer.flows())
    assert answer.put_at_once(HELLO[1])
    assert [HELLO[1]] == took
    assert [*HELLO[0], *HELLO[1]] == onlooker.seen
    answer.put(0, HELLO[2])
    assert not answer.flows()
    assert HELLO[2] == client.get()


def test_an_answer_whose_client_heard_nothing_does_not_flow() -> None:
    """A heartbeat is no word: the question may yet be asked again."""
    answer = Answer(1)
    client = gevent.spawn(answer.next, None, lambda batch: None, bool)
    gevent.sleep(0)

    assert not answer.flows()
    client.kill()


class Hasty(Poe):
    """Offers each batch first to whoever would take it at once; keeps what came out instead."""

    def __call__(self, prompt: Prompt, key: str) -> HastyReply:
        return HastyReply(super().__call__(prompt, key))


class HastyReply:
    """A reply that lets batches through."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self.at_once: AtOnce | None = None
        self._batches = batches

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            gevent.sleep(0.005)
            left = batch if self.at_once is None else self.at_once(batch)
            if left is not None:
                yield left

    def __next__(self) -> Batch:
        raise NotImplementedError

    def close(self) -> None:
        self._batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("keeps_up", [True, False])
def test_texts_that_no_filter_changes_need_no_greenlet(keeps_up: bool) -> None:
    """If the client cannot take one at once, the next thing that comes out is a Pause."""
    texts: list[Batch] = [[TextDelta(letter), Pause()] for letter in "abc"]
    poe = Hasty([*texts, [Finish("stop")]])
    answer = bridge(poe).open(PROMPT, CALLER, ALL)
    answer.begin(None)
    slow: list[Batch] = []
    quick: list[Batch] = []

    def at_once(batch: Batch) -> bool:
        quick.append(batch)
        return keeps_up

    given = []
    while not answer.is_over():
        given.append(answer.next(None, slow.append, at_once))

    assert [texts[0], [Finish("stop")]] == given
    assert texts[1:] == quick
    assert ([] if keeps_up else [[Pause()], [Pause()]]) == slow
