"""Answers that are being given, seen and stopped by any worker."""

from __future__ import annotations

from dataclasses import replace

import gevent

from poeflask.core.errors import ErrorKind, PoeflaskError
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.memory import MemoryStore
from poeflask.web.live import Live, LiveAnswer

SHOWN = LiveAnswer(
    id="",
    request_id="req_1",
    since_s=1.0,
    key_id="key-1",
    key_name="Ann",
    bot="Echo",
    dialect="chat",
    client="curl",
    tokens=7,
    silent_s=0.5,
)


class Open:
    """An answer that is being given; remembers how it was ended."""

    def __init__(self, since_s: float = 1.0) -> None:
        self.errors: list[PoeflaskError] = []
        self._since_s = since_s

    def live(self, live_id: str, now_s: float) -> LiveAnswer:
        return replace(SHOWN, id=live_id, since_s=self._since_s)

    @property
    def answer(self) -> Open:
        return self

    def cancel(self, error: PoeflaskError) -> None:
        self.errors.append(error)


def live(store: MemoryStore, worker: str) -> Live:
    """One worker's view, in which a second is short."""
    return Live(store, worker=worker, sleep=lambda seconds: gevent.sleep(seconds / 50))


def test_every_worker_sees_the_answers_of_all() -> None:
    """The longest first; what is over is soon gone."""
    store = MemoryStore()
    one, two = live(store, "w1"), live(store, "w2")
    first, second = one.add(Open(2.0)), two.add(Open(1.0))

    assert [second, first] == [answer.id for answer in one.answers()]
    one.discard(first)
    two.discard(second)
    gevent.sleep(0.05)
    assert [] == two.answers()


def test_while_nobody_looks_nothing_is_written_down() -> None:
    """Also not once somebody has looked, but not for some time."""
    now_s = 0.0
    store = MemoryStore(clock=lambda: now_s)
    one = live(store, "w1")
    one.add(Open())
    gevent.sleep(0.05)
    before = list(store.keys("live:1/open/"))
    shown = one.answers()
    now_s = 11.0
    gevent.sleep(0.05)

    assert ([], 1, []) == (before, len(shown), list(store.keys("live:1/open/")))


def test_another_worker_stops_an_answer() -> None:
    """That one alone, with an error that says who did."""
    store = MemoryStore()
    one, two = live(store, "w1"), live(store, "w2")
    wanted, other = Open(), Open()
    wanted_id, other_id = one.add(wanted), one.add(other)
    two.stop(wanted_id)
    two.stop("w1-ffff")
    two.stop("nonsense")
    gevent.sleep(0.06)
    one.discard(wanted_id)
    one.discard(other_id)

    assert [] == other.errors
    (error,) = wanted.errors
    assert (ErrorKind.STOPPED, False) == (error.kind, error.may_succeed_later)


def test_short_answers_are_no_work_for_the_store() -> None:
    """What is over within a second is never written down."""
    store = MemoryStore()
    one = live(store, "w1")
    one.discard(one.add(Open()))
    gevent.sleep(0.05)

    assert [] == list(store.keys(""))


def test_a_worker_that_died_is_forgotten() -> None:
    """What it wrote ends by itself."""
    now_s = 0.0
    store = MemoryStore(clock=lambda: now_s)
    one = live(store, "w1")
    one.add(Open())
    assert 1 == len(one.answers())
    one._writer.kill()
    now_s = 6.0

    assert [] == one.answers()


def test_a_store_that_is_away_is_tried_again() -> None:
    """The answers themselves go on."""

    class Shaky(MemoryStore):
        puts = 0

        def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
            self.puts += 1
            if self.puts == 2:
                raise StoreUnavailable("away")
            super().put(key, value, ttl_s)

    one = live(Shaky(), "w1")
    one.add(Open())
    one.answers()
    gevent.sleep(0.07)

    assert 1 == len(one.answers())
