"""Wrong requests for films as data: what is sent, and what the error must say."""

from __future__ import annotations

from typing import Any

from tests.endpoints.media_requests import Bad, file, form

VIDEOS = "/v1/videos"

GOOD = {"model": "Film-Maker", "prompt": "a wave"}


def video(name: str, param: str | None, word: str, **fields: Any) -> Bad:
    """A wrong field in a request that is right but for it."""
    return Bad(name=name, path=VIDEOS, sent=GOOD | fields, param=param, word=word)


def video_form(name: str, param: str, word: str, sent: Any) -> Bad:
    """A wrong form."""
    return Bad(name=name, path=VIDEOS, sent=sent, param=param, word=word)


BAD_REQUESTS = [
    Bad(name="no object", path=VIDEOS, sent=3, param=None, word="JSON object"),
    video("no model", "model", "missing", model=None),
    video("no prompt", "prompt", "missing", prompt=None),
    video("an empty prompt", "prompt", "1 to 32000", prompt=""),
    video("a prompt that is too long", "prompt", "1 to 32000", prompt="x" * 32_001),
    video("a list as prompt", "prompt", "a string", prompt=[]),
    video("words as length", "seconds", "a number of seconds", seconds="long"),
    video("no length at all", "seconds", "a number of seconds", seconds="0"),
    video("a length below nought", "seconds", "a number of seconds", seconds=-4),
    video("a film of hours", "seconds", "up to 600", seconds=601),
    video("a truth as length", "seconds", "a number of seconds", seconds=True),
    video("a list as length", "seconds", "a number of seconds", seconds=["4"]),
    video("a huge length", "seconds", "a number of seconds", seconds=10**30),
    video("a size in words", "size", "1280x720", size="wide"),
    video("a number as size", "size", "a string", size=720),
    video("a number as picture", "input_reference", "a file", input_reference=4),
    video("an object without picture", "input_reference", "a file", input_reference={}),
    video("an empty id", "input_reference", "a file", input_reference={"file_id": ""}),
    video(
        "a file link",
        "input_reference.image_url",
        "http",
        input_reference={"image_url": "file:///etc/passwd"},
    ),
    video("broken base64", "input_reference", "base64", input_reference="§§§§"),
    video("a word as picture", "input_image", "base64", input_image="a picture!"),
    video("a list of parameters", "extra_body", "an object", extra_body=[]),
    video_form("a form without prompt", "prompt", "missing", form(model="F")),
    video_form("a form without model", "model", "missing", form(prompt="x")),
    video_form("words in a form", "seconds", "a number", form(seconds="4s", **GOOD)),
    video_form(
        "an empty picture", "input_reference", "empty", form(file("input_reference", b""), **GOOD)
    ),
    video_form(
        "two pictures",
        "input_reference",
        "not 2",
        form(file("input_reference"), file("input_reference"), **GOOD),
    ),
]

BAD_PAGES = [
    ({"limit": "0"}, "limit"),
    ({"limit": "101"}, "limit"),
    ({"limit": "-1"}, "limit"),
    ({"limit": "many"}, "limit"),
    ({"limit": ""}, "limit"),
    ({"limit": "٣"}, "limit"),
    ({"order": "random"}, "order"),
]
