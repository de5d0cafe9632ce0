"""Answers that are still running when the worker must stop."""

from __future__ import annotations

import gevent
import pytest
from flask import Flask

from poeflask.bridge import Answer
from poeflask.core.errors import ErrorKind
from poeflask.core.reply import Failure
from poeflask.web import draining
from poeflask.web.draining import Drain


class Worker:
    """Lives until it is told to stop."""

    def __init__(self) -> None:
        self.alive = True


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker that is looked at all the time."""
    monkeypatch.setattr(draining, "_LOOK_S", 0.005)
    return Worker()


def silent() -> Answer:
    """An answer of a bot that thinks."""
    answer = Answer(1)
    answer.attach(0, gevent.spawn(gevent.sleep, 60))
    return answer


def ending(answer: Answer, wait_s: float) -> ErrorKind | None:
    """How the answer failed within so many seconds, or None if it goes on."""
    batch = answer.next(wait_s)
    if batch is None:
        return None
    (event,) = batch
    assert isinstance(event, Failure)
    return event.error.kind


def test_answers_go_on_while_the_worker_lives(worker: Worker) -> None:
    """However long that is."""
    drain, answer = Drain(), silent()
    drain.add(answer)
    watcher = drain.follow(lambda: worker.alive, 0.01)

    assert ending(answer, 0.05) is None
    watcher.kill()


def test_answers_end_before_the_worker_must(worker: Worker) -> None:
    """They may use the most of its time, and are told before it is over."""
    drain, answer = Drain(), silent()
    drain.add(answer)
    watcher = drain.follow(lambda: worker.alive, 0.2)
    worker.alive = False

    assert ending(answer, 0.05) is None
    assert ErrorKind.DRAINING is ending(answer, 0.15)
    watcher.join()


def test_much_time_is_left_for_the_last_words() -> None:
    """Two and a half seconds and a look, where there are so many."""
    now = [0.0]
    drain, answer = Drain(clock=lambda: now[0]), silent()
    drain.add(answer)
    watcher = drain.follow(lambda: False, 60)
    gevent.sleep(0)
    now[0] = 57.2
    assert ending(answer, 0.3) is None
    now[0] = 57.3

    assert ErrorKind.DRAINING is ending(answer, 1)
    watcher.join()


def test_an_answer_that_begins_too_late_ends_at_once(worker: Worker) -> None:
    """On a connection that was open already, a request may come to the last."""
    drain, answer = Drain(), silent()
    worker.alive = False
    drain.follow(lambda: worker.alive, 0.01).join()
    drain.add(answer)

    assert ErrorKind.DRAINING is ending(answer, 0)


def test_an_answer_that_has_ended_is_forgotten(worker: Worker) -> None:
    """Nothing is held on to, and nothing is cancelled that is over."""
    drain, answer = Drain(), silent()
    drain.add(answer)
    drain.discard(answer)
    drain.discard(answer)
    worker.alive = False
    drain.follow(lambda: worker.alive, 0.01).join()

    assert ending(answer, 0) is None


def test_the_apps_drain_is_where_the_server_looks_for_it() -> None:
    """The server's configuration imports nothing of the project."""
    app = Flask("small")
    drain = draining.install(app)

    assert app.extensions["poeflask.drain"] is drain
    with app.app_context():
        assert draining.drain() is drain
