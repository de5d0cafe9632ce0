"""Answers that nobody waits for."""

from __future__ import annotations

import gevent
import pytest

from poeflask.bridge import Answer
from poeflask.core.reply import Failure, Finish, ReplyEvent, TextDelta
from poeflask.web.background import Background

Batch = list[ReplyEvent]


class Told:
    """What the one who started the reading hears."""

    def __init__(self, *, go_on: bool = True) -> None:
        self.asked = 0
        self.events: list[ReplyEvent] | None = None
        self._go_on = go_on

    def go_on(self) -> bool:
        self.asked += 1
        return self._go_on

    def finish(self, events: list[ReplyEvent]) -> None:
        self.events = events


def silent() -> Answer:
    """An answer whose reply never says anything."""
    answer = Answer(1)
    answer.attach(0, gevent.spawn(gevent.sleep, 60))
    return answer


def wait_for(told: Told) -> list[ReplyEvent]:
    """All events, once the reading is over."""
    with gevent.Timeout(5):
        while told.events is None:
            gevent.sleep(0.01)
    return told.events


def start(background: Background, answer: Answer, told: Told) -> Answer:
    """Read an answer under the name "a"; gives what may be listened to."""
    return background.read("a", answer, go_on=told.go_on, finish=told.finish)


def test_an_answer_is_read_to_its_end() -> None:
    """Whoever started it may leave; all events are handed over, once."""
    answer = Answer(1)
    batches: list[Batch] = [[TextDelta(f"{number} ")] for number in range(40)]
    batches.append([Finish()])
    answer.attach(0, gevent.spawn(lambda: [answer.put(0, batch) for batch in batches]))
    told = Told()
    start(Background(), answer, told)

    assert [event for batch in batches for event in batch] == wait_for(told)


def test_an_answer_is_cancelled_by_its_name() -> None:
    """It ends at once with a Failure; an unknown name is no mistake."""
    background, answer, told = Background(look_s=60), silent(), Told()
    start(background, answer, told)
    gevent.sleep(0.01)
    background.cancel("b")
    background.cancel("a")

    [end] = wait_for(told)
    assert isinstance(end, Failure)
    assert answer.is_over()


@pytest.mark.parametrize("talks", [True, False])
def test_an_answer_ends_when_it_should_not_go_on(talks: bool) -> None:
    """Another process may have cancelled it; it is asked now and then, also while events come."""
    answer = Answer(1)

    def talk() -> None:
        while True:
            answer.put(0, [TextDelta("x")])
            gevent.sleep(0.002)

    answer.attach(0, gevent.spawn(talk if talks else lambda: gevent.sleep(60)))
    told = Told(go_on=False)
    start(Background(look_s=0.02), answer, told)

    assert isinstance(wait_for(told)[-1], Failure)
    assert told.asked >= 1


def test_a_living_answer_is_asked_for_again_and_again() -> None:
    """That is how a process says that it still works on it."""
    background, answer, told = Background(look_s=0.01), silent(), Told()
    start(background, answer, told)
    gevent.sleep(0.1)
    background.cancel("a")
    wait_for(told)

    assert told.asked > 2


def talking(count: int) -> Answer:
    """An answer of so many words, one after the other."""
    answer = Answer(1)

    def talk() -> None:
        for number in range(count):
            answer.put(0, [TextDelta(f"{number} ")])
            gevent.sleep(0)
        answer.put(0, [Finish()])

    answer.attach(0, gevent.spawn(talk))
    return answer


def test_a_listener_hears_everything() -> None:
    """From the beginning, however late or slow."""
    told = Told()
    listened = start(Background(), talking(40), told)
    everything = wait_for(told)
    listened.begin(1)
    heard: list[ReplyEvent] = []
    with gevent.Timeout(5):
        while not listened.is_over():
            heard += listened.next() or []

    assert everything == heard
    assert 41 == len(heard)


def test_a_listener_hears_of_the_end_last() -> None:
    """What is done at the end is done before anybody can know of it."""
    told = Told()
    listened = start(Background(), talking(3), told)
    known: list[bool] = []
    with gevent.Timeout(5):
        while not listened.is_over():
            listened.next()
            known.append(told.events is not None)

    assert known[-1]
    assert not known[0]


@pytest.mark.parametrize("heard", [0, 1, 5])
def test_a_listener_may_leave(heard: int) -> None:
    """The answer is read to its end all the same."""
    told = Told()
    listened = start(Background(), talking(40), told)
    for _ in range(heard):
        listened.next()
    listened.close()

    assert 41 == len(wait_for(told))


def test_a_silent_answer_is_silent_to_its_listener() -> None:
    """So that who streams it knows when to keep the line alive."""
    background, answer, told = Background(look_s=0.01), silent(), Told()
    listened = start(background, answer, told)

    assert listened.next(0.1) is None
    background.cancel("a")
    wait_for(told)
