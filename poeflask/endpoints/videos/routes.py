"""/v1/videos: orders, lists, progress, deletion, and the films themselves."""

from __future__ import annotations

from typing import NoReturn

from flask import Blueprint, Response, request

from poeflask.core.caller import Caller
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.profile import Profile
from poeflask.endpoints.describing import PAGE, described
from poeflask.endpoints.made_files import family
from poeflask.endpoints.videos.decode import VideoRequest, decode_page, decode_video
from poeflask.endpoints.videos.encode import (
    deleted_object,
    not_ready,
    page_object,
    poll_header,
    video_object,
)
from poeflask.endpoints.videos.job import VideoJob
from poeflask.endpoints.videos.schema import VIDEO_ENVELOPE
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, draining, forms, respond
from poeflask.web.asking import address_maker, ask, ignored_header
from poeflask.web.services import Services, services
from poeflask.web.video_jobs import KEPT_S, VideoJobs

videos = Blueprint("videos", __name__)

_REFUSED_WITHIN_S = 1.0
"""How long an order waits for Poe to refuse it, so that a wrong key or bot has its true status."""


@videos.post("/v1/videos")
@described(
    body=VIDEO_ENVELOPE,
    form=VIDEO_ENVELOPE,
    files={"input_reference": False},
    example={"model": "Filmer", "prompt": "A cat"},
)
def create_video() -> Response:
    """Order a film."""
    here = services()
    caller = auth.caller_of(request.headers)
    sent = forms.form(request) if forms.is_form(request) else body.json_object(request)
    asked = decode_video(sent)
    upstream = here.upstream_for(caller)
    making = address_maker(
        asked.prompt,
        asked.extras,
        asked.wishes,
        upstream.catalogue,
        skip_system_prompt=here.skip_system_prompt,
    )
    jobs = _jobs_of(caller)
    jobs.make_room()
    wants = Wants(usage=False, files_as_text=False, progress=True)
    answer = ask(caller, upstream, making.prompt, wants)
    answer.begin(min(here.first_event_wait_s, _REFUSED_WITHIN_S))
    job = jobs.start(_ordered(asked, making.profile, here), answer, making.profile)
    headers = {**ignored_header([*asked.ignored, *making.ignored]), **poll_header(job)}
    return respond.json_body(video_object(job), headers=headers)


@videos.get("/v1/videos")
@described(query=PAGE)
def list_videos() -> Response:
    """The films that this key ordered."""
    jobs, _ = _mine()
    return respond.json_body(page_object(jobs.all(), decode_page(request.args)), headers={})


@videos.get("/v1/videos/<video_id>")
@described()
def retrieve_video(video_id: str) -> Response:
    """How far a film is."""
    jobs, _ = _mine()
    job = _found(jobs, video_id)
    return respond.json_body(video_object(job), headers=poll_header(job))


@videos.delete("/v1/videos/<video_id>")
@described()
def delete_video(video_id: str) -> Response:
    """Forget a film; if it is being made, stop."""
    jobs, _ = _mine()
    jobs.delete(_found(jobs, video_id).id)
    return respond.json_body(deleted_object(video_id), headers={})


@videos.post("/v1/videos/<video_id>/remix")
@described()
def remix_video(video_id: str) -> NoReturn:
    """Refused: no bot of Poe's changes a film that it made."""
    _mine()
    raise OwnError(
        ErrorKind.NOT_OFFERED,
        f"The video {video_id[:80]!r} is not changed here. POST /v1/videos makes a new one.",
    )


@videos.get("/v1/videos/<video_id>/content")
@described(gives=("video/*",), query={"variant": "Only 'video'."})
def download_video(video_id: str) -> Response:
    """The film itself."""
    jobs, caller = _mine()
    job = _found(jobs, video_id)
    variant = request.args.get("variant", "video")
    if variant != "video":
        raise ClientError(
            ErrorKind.UNSUPPORTED_PARAMETER,
            f"'variant' can only be 'video': bots at Poe make no {variant[:40]!r}.",
            param="variant",
        )
    if job.status != "completed":
        raise not_ready(job)
    opened = services().upstream_for(caller).open_file(job.file_url)
    if family(opened.content_type) != "video":
        raise PoeError(
            ErrorKind.POE_BROKEN,
            f"The file that the bot made is {opened.content_type} and no film.",
            allow_retry=False,
        )
    response = Response(opened.pieces, mimetype=opened.content_type)
    if opened.size is not None:
        response.content_length = opened.size
    return response


def _mine() -> tuple[VideoJobs, Caller]:
    """The films of the request's caller, and the caller."""
    caller = auth.caller_of(request.headers)
    return _jobs_of(caller), caller


def _jobs_of(caller: Caller) -> VideoJobs:
    here = services()
    return VideoJobs(here.store, caller.owner, here.clock, draining.drain())


def _found(jobs: VideoJobs, video_id: str) -> VideoJob:
    job = jobs.get(video_id)
    if job is None:
        raise ClientError(
            ErrorKind.NOT_FOUND,
            f"There is no video {video_id[:80]!r} of this key; it may have expired.",
            param="video_id",
        )
    return job


def _ordered(asked: VideoRequest, profile: Profile, here: Services) -> VideoJob:
    now = here.clock()
    usual = profile.parameters.get("duration")
    default = "" if usual is None or usual.default is None else str(usual.default).rstrip("s")
    return VideoJob(
        id=here.new_id("video_"),
        model=asked.model,
        prompt=asked.prompt.messages[-1].text,
        created_at=int(now),
        expires_at=int(now) + KEPT_S,
        leased_until=now,
        seconds=asked.seconds or default,
        size=asked.size,
    )
