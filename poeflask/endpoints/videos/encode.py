"""Films as OpenAI's videos API tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.videos.decode import Page
from poeflask.endpoints.videos.job import VideoJob

POLL_AFTER_MS = 1000
"""When a client should ask again for a film that is not ready."""


def video_object(job: VideoJob) -> dict[str, Any]:
    """The film as it is now."""
    error = {"code": job.error_code, "message": job.error_message}
    return {
        "id": job.id,
        "object": "video",
        "created_at": job.created_at,
        "status": job.status,
        "model": job.model,
        "progress": job.progress,
        "prompt": job.prompt,
        "seconds": job.seconds,
        "size": job.size,
        "completed_at": job.completed_at,
        "expires_at": job.expires_at,
        "error": error if job.status == "failed" else None,
        "remixed_from_video_id": None,
    }


def poll_header(job: VideoJob) -> dict[str, str]:
    """The header that tells when to ask again; none if nothing will change."""
    return {} if job.is_over else {"openai-poll-after-ms": str(POLL_AFTER_MS)}


def deleted_object(video_id: str) -> dict[str, Any]:
    """The answer to a deletion."""
    return {"id": video_id, "object": "video.deleted", "deleted": True}


def page_object(jobs: Sequence[VideoJob], page: Page) -> dict[str, Any]:
    """A page of the films; behind an id that is not there, none.

    Args:
        jobs: all films of the client, in any order.
        page: what is wanted of them.
    """
    ordered = sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=page.newest_first)
    ids = [job.id for job in ordered]
    start = 0
    if page.after:
        start = ids.index(page.after) + 1 if page.after in ids else len(ids)
    shown = ordered[start : start + page.limit]
    return {
        "object": "list",
        "data": [video_object(job) for job in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": start + page.limit < len(ordered),
    }


def not_ready(job: VideoJob) -> ClientError:
    """The error for the content of a film that is not there."""
    what = f"has failed: {job.error_message}" if job.status == "failed" else "is not ready yet."
    return ClientError(
        ErrorKind.NOT_FOUND,
        f"The video {job.id!r} {what}",
        param="video_id",
        code="video_failed" if job.status == "failed" else "video_not_ready",
    )
