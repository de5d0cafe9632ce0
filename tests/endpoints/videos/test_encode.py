"""Films as OpenAI's videos API tells of them."""

from dataclasses import replace

import pytest

from poeflask.endpoints.videos.decode import Page
from poeflask.endpoints.videos.encode import (
    deleted_object,
    not_ready,
    page_object,
    poll_header,
    video_object,
)
from poeflask.endpoints.videos.job import VideoJob

JOB = VideoJob(
    id="video_1",
    model="F",
    prompt="a wave",
    created_at=1,
    expires_at=9,
    leased_until=5,
    seconds="8",
)
FAILED = replace(JOB, status="failed", error_code="c", error_message="It broke.")
DONE = replace(JOB, status="completed", progress=100, completed_at=3, file_url="https://x/film")


def test_a_film_in_the_making():
    """Where the film lies is nobody's business."""
    assert {
        "id": "video_1",
        "object": "video",
        "created_at": 1,
        "status": "queued",
        "model": "F",
        "progress": 0,
        "prompt": "a wave",
        "seconds": "8",
        "size": "",
        "completed_at": None,
        "expires_at": 9,
        "error": None,
        "remixed_from_video_id": None,
    } == video_object(JOB)
    assert "https://x/film" not in str(video_object(DONE))


def test_a_failed_film():
    """The reason has a code and a message."""
    assert {"code": "c", "message": "It broke."} == video_object(FAILED)["error"]


def test_when_to_ask_again():
    """Only what may still change is worth asking for."""
    assert {"openai-poll-after-ms": "1000"} == poll_header(JOB)
    assert {} == poll_header(DONE) == poll_header(FAILED)


def test_a_deletion():
    """The answer says what is gone."""
    assert {"id": "v", "object": "video.deleted", "deleted": True} == deleted_object("v")


@pytest.mark.parametrize(
    ("page", "ids", "more"),
    [
        (Page(), "4321", False),
        (Page(limit=2), "43", True),
        (Page(limit=2, after="3"), "21", False),
        (Page(limit=1, after="3"), "2", True),
        (Page(newest_first=False), "1234", False),
        (Page(newest_first=False, after="3"), "4", False),
        (Page(after="1"), "", False),
        (Page(after="nobody"), "", False),
    ],
)
def test_pages(page, ids, more):
    """Pages follow each other without gaps, in either order."""
    jobs = [replace(JOB, id=str(number), created_at=number // 2) for number in (2, 1, 4, 3)]
    body = page_object(jobs, page)

    assert list(ids) == [item["id"] for item in body["data"]]
    assert more == body["has_more"]
    assert (ids[:1] or None, ids[-1:] or None) == (body["first_id"], body["last_id"])


@pytest.mark.parametrize(
    ("job", "code", "word"),
    [(JOB, "video_not_ready", "not ready"), (FAILED, "video_failed", "broke")],
)
def test_no_content(job, code, word):
    """Why there is no film yet, or never will be."""
    error = not_ready(job)

    assert (404, code) == (error.rule.status, error.code)
    assert word in error.message
