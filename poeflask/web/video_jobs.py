"""Films in the making: kept in the store, made by greenlets, seen only by who ordered them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import gevent

from poeflask.bridge import Answer
from poeflask.core.errors import ClientError, ErrorKind, OwnError
from poeflask.core.profile import Profile
from poeflask.core.reply import ReplyEvent
from poeflask.endpoints.videos.job import (
    LEASE_S,
    VideoJob,
    abandoned,
    dump_job,
    finished,
    load_job,
    renewed,
)
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace
from poeflask.web.draining import Drain

KEPT_S = 24 * 3600
"""How long a film is remembered; OpenAI's are kept as long."""

MOST_KEPT = 100
MOST_RUNNING = 8
"""For each key: films that are remembered, and films that are made at a time."""

_LOOK_S = 1.0
"""How often the maker of a film looks whether it is still wanted."""

_TRIES = 3
_RETRY_S = 1.0
"""How often the end of a film is given to a store that cannot be reached, and how far apart."""

_log = get_logger(__name__)


class VideoJobs:
    """The films of one client.

    Args:
        store: where they are kept.
        owner: the name under which they are kept.
        clock: seconds since 1970.
        drain: ends the answers that are still being read when the worker must stop.
    """

    def __init__(self, store: Store, owner: str, clock: Callable[[], float], drain: Drain) -> None:
        self._kept = Namespace(store, f"videos:{owner}", on_failure="refuse")
        self._clock = clock
        self._drain = drain

    def all(self) -> list[VideoJob]:
        """Every film that is remembered, in no order.

        Raises:
            OwnError: kind BUSY if the store cannot be reached; here and in all methods.
        """
        found = (self.get(video_id) for video_id in list(self._kept.keys()))
        return [job for job in found if job is not None]

    def get(self, video_id: str) -> VideoJob | None:
        """The film as it is now; None if this client has none of that id."""
        record = self._kept.get(video_id)
        if record is None:
            return None
        job = load_job(record)
        seen = abandoned(job, self._clock())
        if seen is not job:
            self._put(seen)
        return seen

    def delete(self, video_id: str) -> None:
        """Forget the film; if it is being made, that ends soon."""
        self._kept.delete(video_id)

    def make_room(self) -> None:
        """Make sure that one more film can be ordered; the oldest are forgotten for it.

        Raises:
            ClientError: too many are being made.
        """
        jobs = self.all()
        if sum(not job.is_over for job in jobs) >= MOST_RUNNING:
            raise ClientError(
                ErrorKind.TOO_MANY_REQUESTS,
                f"{MOST_RUNNING} films are being made for this key, the most at a time; "
                "wait for one or delete one.",
                retry_after_s=10.0,
            )
        over = sorted((job for job in jobs if job.is_over), key=lambda job: job.created_at)
        for job in over[: max(0, len(jobs) + 1 - MOST_KEPT)]:
            self.delete(job.id)

    def start(self, job: VideoJob, answer: Answer, profile: Profile) -> VideoJob:
        """Keep the film and read its answer in a greenlet of its own; gives it as it is kept.

        If it cannot be kept, the answer is closed.
        """
        kept = replace(job, leased_until=self._clock() + LEASE_S)
        try:
            self._put(kept)
        except OwnError:
            answer.close()
            raise
        self._drain.add(answer)
        gevent.spawn(self._make, kept, answer, profile)
        return kept

    def _make(self, job: VideoJob, answer: Answer, profile: Profile) -> None:
        events: list[ReplyEvent] = []
        try:
            while not answer.is_over():
                batch = answer.next(_LOOK_S) or []
                events += batch
                going_on = self._renew(job, batch)
                if going_on is None:
                    return
                job = going_on
            self._finish(finished(job, events, profile, self._clock()))
        finally:
            self._drain.discard(answer)
            answer.close()

    def _renew(self, job: VideoJob, batch: list[ReplyEvent]) -> VideoJob | None:
        """The job after these events, kept if that is worth it; None if nobody wants it."""
        now = self._clock()
        further = renewed(job, batch, now)
        try:
            kept = self._kept.get(job.id)
            if kept is None or load_job(kept).is_over:
                return None
            if not _says_more(job, further) and job.leased_until - now > LEASE_S / 2:
                return job
            self._put(further)
        except OwnError as error:
            _log.warning("video_not_renewed", video_id=job.id, reason=error.message)
        return further

    def _finish(self, job: VideoJob) -> None:
        """Keep the end, unless the film was deleted or given up meanwhile."""
        for _ in range(_TRIES):
            try:
                kept = self._kept.get(job.id)
                if kept is not None and not load_job(kept).is_over:
                    self._put(job)
            except OwnError as error:
                _log.warning("video_not_kept", video_id=job.id, reason=error.message)
                gevent.sleep(_RETRY_S)
            else:
                return

    def _put(self, job: VideoJob) -> None:
        left_s = job.expires_at - self._clock()
        if left_s > 0:
            self._kept.put(job.id, dump_job(job), left_s)


def _says_more(before: VideoJob, after: VideoJob) -> bool:
    return (before.status, before.progress) != (after.status, after.progress)
