"""Films in the making, over a real store and with answers by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import gevent
import pytest

from poeflask.bridge import Answer
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Finish, Note, Pause
from poeflask.endpoints.videos.job import LEASE_S, VideoJob
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.memory import MemoryStore
from poeflask.web import video_jobs
from poeflask.web.draining import Drain
from poeflask.web.video_jobs import MOST_KEPT, MOST_RUNNING, VideoJobs

FILM = FileEvent(url="https://x/film", content_type="video/mp4", name="film.mp4")
MAKER = Profile(bot="F", output_modalities=("video",))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def order(number: int = 1) -> VideoJob:
    """A film that was just ordered."""
    return VideoJob(
        id=f"video_{number}",
        model="F",
        prompt="a wave",
        created_at=1000 + number,
        expires_at=90_000,
        leased_until=1000,
    )


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    """A store of this process."""
    return MemoryStore(clock=clock)


@pytest.fixture
def jobs(store: MemoryStore, clock: Clock) -> VideoJobs:
    """One client's films."""
    return VideoJobs(store, "owner", clock, Drain())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makers look every few milliseconds."""
    monkeypatch.setattr(video_jobs, "_LOOK_S", 0.01)
    monkeypatch.setattr(video_jobs, "_RETRY_S", 0.01)


def new_answer() -> Answer:
    """An answer whose reader does nothing; batches are put in by hand."""
    answer = Answer(1)
    answer.attach(0, gevent.spawn(gevent.sleep, 60))
    return answer


def until(found: Callable[[], bool]) -> None:
    """Wait until something is so."""
    with gevent.Timeout(2):
        while not found():
            gevent.sleep(0.005)


def status(jobs: VideoJobs, video_id: str = "video_1") -> str:
    """How a film is; empty if there is none."""
    job = jobs.get(video_id)
    return "" if job is None else job.status


def test_a_film_is_made(jobs: VideoJobs) -> None:
    """From order to completion, with progress between."""
    answer = new_answer()
    started = jobs.start(order(), answer, MAKER)
    answer.put(0, [Note("progress", {"text": "45%"}), Pause()])
    until(lambda: status(jobs) == "in_progress")
    halfway = jobs.get("video_1")
    answer.put(0, [FILM, Finish()])
    until(lambda: status(jobs) == "completed")
    done = jobs.get("video_1")

    assert "queued" == started.status
    assert halfway is not None
    assert 45 == halfway.progress
    assert done is not None
    assert (100, "https://x/film") == (done.progress, done.file_url)


def test_a_film_fails(jobs: VideoJobs) -> None:
    """Poe's reason is the film's."""
    answer = new_answer()
    jobs.start(order(), answer, MAKER)
    answer.put(0, [Failure(PoeError(ErrorKind.NO_POINTS, "No points."))])
    until(lambda: status(jobs) == "failed")
    job = jobs.get("video_1")

    assert job is not None
    assert ("insufficient_quota", "No points.") == (job.error_code, job.error_message)


def test_a_maker_that_died(store: MemoryStore, clock: Clock) -> None:
    """A film that nobody makes any more has failed, for every worker and for good."""
    dead = new_answer()
    jobs = VideoJobs(store, "owner", clock, Drain())
    jobs.start(order(), dead, MAKER)
    dead.close()
    clock.now += LEASE_S + 1
    other = VideoJobs(store, "owner", clock, Drain())

    assert "failed" == status(other)
    dead.put(0, [FILM, Finish()])
    gevent.sleep(0.05)
    assert "failed" == status(jobs)


def test_a_worker_that_must_stop(store: MemoryStore, clock: Clock) -> None:
    """A film that a stopping worker cannot finish fails at once, and says that it may be tried."""
    drain = Drain()
    jobs = VideoJobs(store, "owner", clock, drain)
    jobs.start(order(), new_answer(), MAKER)
    follower = drain.follow(lambda: False, 0.2)
    until(lambda: status(jobs) == "failed")
    follower.kill()
    job = jobs.get("video_1")

    assert job is not None
    assert "restarting" == job.error_code


def test_a_maker_that_lives(jobs: VideoJobs, clock: Clock) -> None:
    """A bot may be silent for longer than a lease."""
    answer = new_answer()
    jobs.start(order(), answer, MAKER)
    for _ in range(4):
        clock.now += LEASE_S * 0.6
        gevent.sleep(0.05)

    assert "in_progress" == status(jobs)
    answer.close()


def test_a_deleted_film_is_not_made_on(jobs: VideoJobs) -> None:
    """Deleting ends the answer, and what comes late does not bring it back."""
    answer = new_answer()
    jobs.start(order(), answer, MAKER)
    jobs.delete("video_1")
    until(answer.is_over)

    assert "" == status(jobs)


def test_films_of_others_are_not_there(store: MemoryStore, jobs: VideoJobs, clock: Clock) -> None:
    """Another owner sees, lists and deletes nothing."""
    answer = new_answer()
    jobs.start(order(), answer, MAKER)
    stranger = VideoJobs(store, "other", clock, Drain())
    stranger.delete("video_1")

    assert "" == status(stranger)
    assert [] == stranger.all()
    assert ["video_1"] == [job.id for job in jobs.all()]
    answer.close()


def test_too_many_at_a_time(jobs: VideoJobs) -> None:
    """More than so many are not made at once; one less is."""
    answers = [new_answer() for _ in range(MOST_RUNNING)]
    for number, answer in enumerate(answers):
        jobs.make_room()
        jobs.start(order(number), answer, MAKER)
    with pytest.raises(ClientError) as caught:
        jobs.make_room()
    jobs.delete("video_0")
    jobs.make_room()

    assert ErrorKind.TOO_MANY_REQUESTS == caught.value.kind
    for answer in answers:
        answer.close()


def test_the_oldest_are_forgotten(jobs: VideoJobs) -> None:
    """There is always room for one more order."""
    for number in range(MOST_KEPT):
        jobs._put(replace(order(number), status="completed"))
    jobs.make_room()

    assert MOST_KEPT - 1 == len(jobs.all())
    assert "" == status(jobs, "video_0")
    assert "completed" == status(jobs, "video_1")


def test_films_expire(jobs: VideoJobs, clock: Clock) -> None:
    """After their time they are gone."""
    jobs._put(replace(order(), status="completed"))
    clock.now = 90_001

    assert [] == jobs.all()


class Moody(MemoryStore):
    """A store that cannot be reached so many times."""

    faults = 0

    def get(self, key: str) -> bytes | None:
        self._fail()
        return super().get(key)

    def put(self, key: str, value: bytes, ttl_s: float | None = None) -> None:
        self._fail()
        super().put(key, value, ttl_s)

    def _fail(self) -> None:
        if self.faults:
            self.faults -= 1
            raise StoreUnavailable


def test_an_order_that_cannot_be_kept(clock: Clock) -> None:
    """The bot is not kept busy for a film that nobody could ask for."""
    store = Moody(clock=clock)
    store.faults = 1
    answer = new_answer()
    with pytest.raises(OwnError):
        VideoJobs(store, "owner", clock, Drain()).start(order(), answer, MAKER)

    assert answer.is_over()


def test_a_store_that_is_away_for_a_while(clock: Clock) -> None:
    """A film is made on and kept in the end."""
    store = Moody(clock=clock)
    jobs = VideoJobs(store, "owner", clock, Drain())
    answer = new_answer()
    jobs.start(order(), answer, MAKER)
    store.faults = 3
    answer.put(0, [FILM, Finish()])
    until(lambda: store.faults == 0)
    until(lambda: status(jobs) == "completed")
