"""Playground: talk with any model, as any client would.

The page asks poeflask's own API with a key that the reader gives, or with the example key where the
simulator answers it. A login gives no access to a key of somebody: what the page sends is what a
client sends, and what it offers for copying. Where keys of this service are taken, the reader may
have one made for the page, which ends by itself.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

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

KEY_NAME = "Playground"
KEY_S = 86_400.0
"""What keys that are made for the page are called, and how long they open anything."""

_LONGEST_URL = 4000
_OTHER_BYTES = 16 * 1024
"""What a request holds beside its files, about."""


@playground.get("")
def show() -> Response:
    """The page; what happens on it its script does."""
    here = services()
    return layout.page(
        "admin/playground.html",
        title="playground.title",
        script_texts=("playground.script.",),
        example_key=here.example_key,
        example_model="Echo" if here.example_key else "",
        can_make_key=here.doorkeeper.takes_gateway_keys and bool(here.poe_keys),
        most_file_bytes=_most_file_bytes(),
        base_url=request.host_url.rstrip("/") + request.script_root,
    )


@playground.post("/key")
def make_key() -> Response:
    """A key of this service for the page, as text.

    Those that were made for it before and have ended are forgotten.
    """
    here = services()
    now_s = here.clock()
    for key in here.gateway_keys.all():
        if key.name == KEY_NAME and key.has_expired(now_s):
            here.gateway_keys.revoke(key.id)
    _, text = here.gateway_keys.issue({"name": KEY_NAME, "expires_s": now_s + KEY_S})
    return Response(text, mimetype="text/plain")


def _most_file_bytes() -> int:
    """How large all files of a message may be, so that the request with their Base64 is taken."""
    most_bytes: int = current_app.config["MAX_CONTENT_LENGTH"]
    return max(0, most_bytes - _OTHER_BYTES) // 4 * 3


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
