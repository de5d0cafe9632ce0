"""A film while it is made: a value that is kept between requests, and how it changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Note, ReplyEvent, gather
from poeflask.endpoints.made_files import family, made, no_file

Status = Literal["queued", "in_progress", "completed", "failed"]

LEASE_S = 20.0
"""Whoever makes a film says at least so often that it still does."""

_MOST_TOLD = 99
_HALF_WAY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoJob:
    """A film that was ordered.

    Attributes:
        model: the bot's name as the client wrote it.
        created_at, completed_at, expires_at: seconds since 1970; None while it is not known.
        progress: per cent.
        seconds, size: what was ordered; empty if nothing was said.
        error_code, error_message: why it failed; empty if it did not.
        file_url: where the film lies; empty until it is made.
        leased_until: seconds since 1970; a job that is not finished by then has no maker any more.
    """

    id: str
    model: str
    prompt: str
    created_at: int
    expires_at: int
    leased_until: float
    seconds: str = ""
    size: str = ""
    status: Status = "queued"
    progress: int = 0
    completed_at: int | None = None
    error_code: str = ""
    error_message: str = ""
    file_url: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ("completed", "failed")


def dump_job(job: VideoJob) -> dict[str, Any]:
    """A job as JSON says it."""
    return asdict(job)


def load_job(record: Mapping[str, Any]) -> VideoJob:
    """The job that `dump_job` wrote."""
    return VideoJob(**record)


def renewed(job: VideoJob, events: Sequence[ReplyEvent], now_s: float) -> VideoJob:
    """The job while its film is being made, after these events."""
    told = [_percent(line) for line in _progress_lines(events)]
    progress = max([job.progress, *told])
    return replace(job, status="in_progress", progress=progress, leased_until=now_s + LEASE_S)


def abandoned(job: VideoJob, now_s: float) -> VideoJob:
    """The job as it must be told of now: a film whose maker has gone has failed."""
    if job.is_over or now_s <= job.leased_until:
        return job
    gone = "The process that made this film has stopped; nothing was lost but the film. Try again."
    return replace(job, status="failed", error_code="worker_stopped", error_message=gone)


def finished(
    job: VideoJob, events: Sequence[ReplyEvent], profile: Profile, now_s: float
) -> VideoJob:
    """The job after all events of its answer: completed, or failed with the reason."""
    reply = gather(events)
    if isinstance(reply.end, Failure):
        return failed(job, reply.end.error)
    result = made(reply)
    try:
        film = _film(result.files, result.text, profile)
    except PoeflaskError as error:
        return failed(job, error)
    completed_at = max(int(now_s), job.created_at)
    return replace(
        job, status="completed", progress=100, completed_at=completed_at, file_url=film.url
    )


def failed(job: VideoJob, error: PoeflaskError) -> VideoJob:
    """The job with its reason for having failed."""
    code = error.code or error.rule.openai[1] or error.kind.value
    return replace(job, status="failed", error_code=code, error_message=error.message)


def _progress_lines(events: Sequence[ReplyEvent]) -> list[str]:
    notes = [event for event in events if isinstance(event, Note) and event.name == "progress"]
    return [str(note.data["text"]) for note in notes]


_SHARE = re.compile(r"\b(\d{1,3})\s?%")
_ELAPSED = re.compile(r"\b(\d{1,5})(?:\.\d+)?\s?s(?:ec|econds?)?\b")


def _percent(line: str) -> int:
    """How far a progress line says that the bot is.

    Most lines only say for how long it has been at it. Then it is a guess that never reaches the
    end: half of what is left with every minute.
    """
    if found := _SHARE.search(line):
        return min(int(found[1]), _MOST_TOLD)
    if found := _ELAPSED.search(line):
        return int(_MOST_TOLD * (1 - 0.5 ** (int(found[1]) / _HALF_WAY_S)))
    return 0


def _film(files: Sequence[FileEvent], text: str, profile: Profile) -> FileEvent:
    for wanted in ("video", "application"):
        for file in files:
            if family(file.content_type) == wanted:
                return file
    if not files:
        raise no_file(text, profile)
    raise PoeError(
        ErrorKind.BOT_REJECTED,
        f"The bot made a file of type {files[0].content_type} and no film.",
        code="no_film_in_answer",
    )
