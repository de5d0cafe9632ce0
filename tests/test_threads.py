"""Work off the event loop."""

from __future__ import annotations

import threading
import time

import gevent
import pytest
from gevent import monkey

from poeflask.threads import Threads

blocking_sleep = monkey.get_original("time", "sleep")


def test_the_result_comes_back() -> None:
    """With arguments by place and by name."""
    assert 255 == Threads().run(int, "ff", base=16)


def test_what_the_work_raises_is_raised() -> None:
    """As if it had been done here."""
    with pytest.raises(ValueError, match="invalid literal"):
        Threads().run(int, "x")


def test_others_run_while_the_work_is_done() -> None:
    """Work that holds its thread does not hold the loop."""
    began = time.monotonic()
    beats = []

    def beat() -> None:
        while True:
            beats.append(time.monotonic() - began)
            gevent.sleep(0.01)

    heart = gevent.spawn(beat)
    Threads().run(blocking_sleep, 0.2)
    heart.kill()

    assert len(beats) > 4


def test_more_work_than_threads_waits_for_its_turn() -> None:
    """No thread is added, and nothing is lost."""
    threads = Threads(size=2)
    used = set()

    def work(number: int) -> int:
        used.add(threading.get_ident())
        blocking_sleep(0.005)
        return number

    jobs = [gevent.spawn(threads.run, work, number) for number in range(8)]
    gevent.joinall(jobs, timeout=5, raise_error=True)

    assert list(range(8)) == [job.value for job in jobs]
    assert len(used) <= 2


def test_who_is_killed_while_it_waits_leaves_no_gap() -> None:
    """The threads serve the next as before."""
    threads = Threads(size=1)
    waiting = [gevent.spawn(threads.run, blocking_sleep, 0.05) for _ in range(3)]
    gevent.sleep(0.01)
    gevent.killall(waiting)

    with gevent.Timeout(5):
        assert 7 == threads.run(int, "7")


def test_no_thread_is_started_before_there_is_work() -> None:
    """A worker may be forked from a process that made one."""
    before = threading.active_count()

    assert Threads()._pool is None
    assert before == threading.active_count()
