"""Wrong requests for pictures as data: what is sent, and what the error must say."""

from __future__ import annotations

from typing import Any

from tests.endpoints.media_requests import Bad, file, form

GENERATIONS = "/v1/images/generations"
EDITS = "/v1/images/edits"
VARIATIONS = "/v1/images/variations"

GOOD = {"model": "Painter", "prompt": "a dot"}
FORM = {"model": "Painter", "prompt": "a dot"}
PICTURE = {"image_url": "https://example.com/a.png"}


def generation(name: str, param: str | None, word: str, **fields: Any) -> Bad:
    """A wrong field in a request that is right but for it."""
    return Bad(name=name, path=GENERATIONS, sent=GOOD | fields, param=param, word=word)


def edit(name: str, param: str | None, word: str, **fields: Any) -> Bad:
    """A wrong field in an edit by JSON that is right but for it."""
    sent = GOOD | {"images": [PICTURE]} | fields
    return Bad(name=name, path=EDITS, sent=sent, param=param, word=word)


def edit_form(name: str, param: str | None, word: str, sent: Any) -> Bad:
    """A wrong form."""
    return Bad(name=name, path=EDITS, sent=sent, param=param, word=word)


BAD_REQUESTS = [
    Bad(name="no object", path=GENERATIONS, sent=[], param=None, word="JSON object"),
    Bad(name="empty", path=GENERATIONS, sent={}, param="model", word="missing"),
    generation("no model", "model", "missing", model=None),
    generation("an empty model", "model", "1 to 256", model=""),
    generation("a number as model", "model", "a string", model=3),
    generation("no prompt", "prompt", "missing", prompt=None),
    generation("an empty prompt", "prompt", "1 to 32000", prompt=""),
    generation("a prompt that is too long", "prompt", "1 to 32000", prompt="x" * 32_001),
    generation("a list as prompt", "prompt", "a string", prompt=["a"]),
    generation("no picture at all", "n", "1 to 10", n=0),
    generation("too many pictures", "n", "1 to 10", n=11),
    generation("a huge number", "n", "1 to 10", n=10**30),
    generation("half a picture", "n", "1 to 10", n=1.5),
    generation("a text as number", "n", "1 to 10", n="2"),
    generation("a truth as number", "n", "1 to 10", n=True),
    generation("a size in words", "size", "1024x1536", size="big"),
    generation("a size of one side", "size", "1024x1536", size="1024"),
    generation("an empty size", "size", "1024x1536", size=""),
    generation("a number as size", "size", "a string", size=1024),
    generation("an unknown quality", "quality", "'hd'", quality="best"),
    generation("an unknown format", "output_format", "'png'", output_format="bmp"),
    generation("an unknown answer", "response_format", "'url'", response_format="base64"),
    generation("an unknown background", "background", "'auto'", background="red"),
    generation("too much compression", "output_compression", "0 to 100", output_compression=101),
    generation("too many previews", "partial_images", "0 to 3", partial_images=4),
    generation("a text as switch", "stream", "true or false", stream="yes"),
    generation("a list as style", "style", "a string", style=[]),
    generation("a list of parameters", "poe", "an object", poe=[1]),
    edit("no picture", "image", "missing", images=None),
    edit("an empty list", "image", "missing", images=[]),
    edit("too many pictures to edit", "images", "at most 16", images=[PICTURE] * 17),
    edit("a number as picture", "images[0]", "a picture", images=[7]),
    edit("an object without picture", "images[0]", "a picture", images=[{}]),
    edit("a file link", "images[0].image_url", "http", images=[{"image_url": "file:///etc/a"}]),
    edit("an empty id", "images[0]", "a picture", images=[{"file_id": ""}]),
    edit("broken base64", "image", "base64", image="§§§"),
    edit("a number as mask", "mask", "a picture", mask=5),
    edit("an unknown fidelity", "input_fidelity", "'high'", input_fidelity="best"),
    edit_form("a form without picture", "image", "missing", form(**FORM)),
    edit_form("an empty picture", "image", "empty", form(file("image", b""), **FORM)),
    edit_form(
        "two masks", "mask", "one picture", form(*map(file, ("image", "mask", "mask")), **FORM)
    ),
    edit_form("a form without prompt", "prompt", "missing", form(file("image"), model="P")),
    edit_form("a form without model", "model", "missing", form(file("image"), prompt="P")),
    edit_form("a word as number", "n", "1 to 10", form(file("image"), n="two", **FORM)),
    edit_form("a word as switch", "stream", "true", form(file("image"), stream="1", **FORM)),
    edit_form("17 pictures", "image", "at most 16", form(*[file("image[]")] * 17, **FORM)),
    Bad(
        name="nothing to vary",
        path=VARIATIONS,
        sent=form(model="P"),
        param="image",
        word="one picture",
    ),
    Bad(
        name="two to vary",
        path=VARIATIONS,
        sent=form(file("image"), file("image"), model="P"),
        param="image",
        word="not 2",
    ),
    Bad(
        name="a variation without model",
        path=VARIATIONS,
        sent=form(file("image")),
        param="model",
        word="missing",
    ),
]
