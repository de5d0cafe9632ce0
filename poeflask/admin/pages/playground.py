"""Playground: talk with any model, as any client would.

The page asks poeflask's own API with a key that the reader gives, or with the example key where the
simulator answers it. A login gives no access to a key of somebody: what the page sends is what a
client sends, and what it offers for copying.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.admin import layout
from poeflask.admin.guard import RefusedError
from poeflask.web import auth
from poeflask.web.services import services

playground = Blueprint("playground", __name__)

SHOWN_TYPES = frozenset(
    {
        *("image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"),
        *("audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/mp4", "audio/flac"),
        *("audio/aac", "audio/webm", "video/mp4", "video/webm", "video/ogg", "video/quicktime"),
    }
)
"""What is passed on to be shown: pictures, sounds and films that cannot hold code."""

_LONGEST_URL = 4000


@playground.get("")
def show() -> Response:
    """The page; what happens on it its script does."""
    return layout.page(
        "admin/playground.html",
        title="playground.title",
        script_texts=("playground.script.",),
        example_key=services().example_key,
        example_model="Echo" if services().example_key else "",
        base_url=request.host_url.rstrip("/") + request.script_root,
    )


@playground.get("/file")
def show_file() -> Response:
    """A file that a bot gave, by its link: only Poe's own, or the simulator's with `example=1`.

    So the page loads nothing from elsewhere, whatever a bot writes.
    """
    here = services()
    url = request.args.get("url", "")[:_LONGEST_URL]
    is_example = bool(here.example_key) and request.args.get("example") == "1"
    caller = auth.caller_with(here.example_key if is_example else "")
    opened = here.upstream_for(caller).open_file(url)
    if opened.content_type not in SHOWN_TYPES:
        opened.pieces.close()  # type: ignore[attr-defined] # iterators of files can be closed
        raise RefusedError(415, "errors.no_media")
    response = Response(opened.pieces, mimetype=opened.content_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    if opened.size is not None:
        response.content_length = opened.size
    return response
