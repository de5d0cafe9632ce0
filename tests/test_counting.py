"""Counting tokens beside other work."""

from __future__ import annotations

import gevent
import pytest

from poeflask.core.prompt import Message, Prompt, Text
from poeflask.core.tokens import TokenCounter
from poeflask.counting import Counting
from poeflask.threads import Threads
from poeflask.vocabulary import o200k

SHORT = "Hello there, how are you?"
LONG = "Many words of a long book. " * 20_000


@pytest.fixture(scope="module")
def counter() -> TokenCounter:
    """It loads the vocabulary once."""
    return TokenCounter(o200k.load)


@pytest.fixture
def counting(counter: TokenCounter) -> Counting:
    """With threads of its own."""
    return Counting(counter, Threads())


def prompt(text: str) -> Prompt:
    """A question."""
    return Prompt(bot="Echo", messages=(Message("user", (Text(text),)),))


@pytest.mark.parametrize("text", [SHORT, LONG])
def test_the_count_is_the_counters(counting: Counting, counter: TokenCounter, text: str) -> None:
    """However it is come by."""
    assert counter.count(text) == counting.count(text)
    assert counter.count_messages(prompt(text)) == counting.count_prompt(prompt(text))()


def test_others_run_while_a_long_prompt_is_counted(counter: TokenCounter) -> None:
    """It is begun at once and waited for only by whoever wants the number."""
    counting = Counting(counter, Threads())
    ticks = []

    def tick() -> None:
        while True:
            ticks.append(1)
            gevent.sleep(0)

    ticking = gevent.spawn(tick)
    wait = counting.count_prompt(prompt(LONG))
    gevent.sleep(0)
    before = len(ticks)
    number = wait()
    ticking.kill()

    assert number > 100_000
    assert len(ticks) > before


def test_a_short_prompt_is_counted_only_if_the_number_is_needed() -> None:
    """Most answers bring Poe's own numbers."""

    def load() -> None:
        raise AssertionError("Nobody wanted the number.")

    counting = Counting(TokenCounter(load), Threads())  # type: ignore[arg-type] # loads nothing

    assert callable(counting.count_prompt(prompt(SHORT)))
