"""A film while it is made, as a value."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Finish, Note, Pause, TextDelta
from poeflask.endpoints.videos.job import (
    LEASE_S,
    VideoJob,
    abandoned,
    dump_job,
    finished,
    load_job,
    renewed,
)

NOW = 1000.0
JOB = VideoJob(
    id="video_1", model="F", prompt="a wave", created_at=900, expires_at=9000, leased_until=NOW
)
MAKER = Profile(bot="F", output_modalities=("video",))


def told(line):
    """The Note of a progress line."""
    return Note("progress", {"text": line})


def file(kind):
    """A file of a media type."""
    return FileEvent(url=f"https://x/{kind}", content_type=kind, name="f")


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("Generating video (0s elapsed)...", 0),
        ("Generating video (60s elapsed)...", 49),
        ("Generating video... (2 seconds)", 2),
        ("Generating video (99999s elapsed)...", 99),
        ("Rendering: 45 %", 45),
        ("Done 100%", 99),
        ("Done 999%", 99),
        ("Thinking...", 0),
    ],
)
def test_progress_from_a_line(line, progress):
    """Per cent are believed, seconds make a guess that never reaches the end."""
    assert progress == renewed(JOB, [told(line)], NOW).progress


def test_progress_never_goes_back():
    """The most that was told stays."""
    events = [told("50%"), Pause(), Note("meta", {}), told("20%")]

    assert 50 == renewed(JOB, events, NOW).progress
    assert 60 == renewed(replace(JOB, progress=60), events, NOW).progress


def test_a_lease_is_renewed():
    """Any look at a film in the making is a sign of life."""
    job = renewed(JOB, [], NOW + 5)

    assert ("in_progress", NOW + 5 + LEASE_S) == (job.status, job.leased_until)


def test_an_abandoned_film_has_failed():
    """Once nobody has renewed the lease in time, the film is told of as it is: failed."""
    gone = abandoned(JOB, NOW + 0.1)

    assert JOB is abandoned(JOB, NOW)
    assert ("failed", "worker_stopped") == (gone.status, gone.error_code)
    assert gone is abandoned(gone, NOW + 100)


def test_a_finished_film_is_not_abandoned():
    """What is complete needs no maker."""
    done = finished(JOB, [file("video/mp4"), Finish()], MAKER, NOW)

    assert done is abandoned(done, NOW + 10_000)
    assert ("completed", 100, 1000, "https://x/video/mp4") == (
        done.status,
        done.progress,
        done.completed_at,
        done.file_url,
    )


@pytest.mark.parametrize(
    ("events", "code", "message"),
    [
        ([TextDelta("I will not."), Finish()], "content_policy_violation", "I will not."),
        ([file("image/png"), Finish()], "no_film_in_answer", "image/png"),
        ([Finish()], "no_file_in_answer", "made no file"),
        (
            [file("video/mp4"), Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))],
            "poe_broken",
            "It broke.",
        ),
        ([Failure(PoeError(ErrorKind.BOT_REJECTED, "No."))], "bot_rejected", "No."),
    ],
)
def test_a_film_that_was_not_made(events, code, message):
    """The reason is kept."""
    job = finished(JOB, events, MAKER, NOW)

    assert ("failed", code) == (job.status, job.error_code)
    assert message in job.error_message


def test_a_film_is_preferred():
    """A picture beside the film is not it; a file of unknown kind may be."""
    both = finished(JOB, [file("image/png"), file("video/webm"), Finish()], MAKER, NOW)
    unknown = finished(JOB, [file("application/octet-stream"), Finish()], MAKER, NOW)

    assert "https://x/video/webm" == both.file_url
    assert "completed" == unknown.status


@given(
    st.builds(
        VideoJob,
        id=st.text(max_size=5),
        model=st.text(max_size=5),
        prompt=st.text(max_size=5),
        created_at=st.integers(0, 9),
        expires_at=st.integers(0, 9),
        leased_until=st.floats(0, 9),
        status=st.sampled_from(("queued", "completed")),
    )
)
def test_a_job_is_kept_whole(job):
    """What is written is read again."""
    assert job == load_job(dump_job(job))
