"""Requests for pictures as prompts and wishes."""

import pytest

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import File, Message, Prompt, Text
from poeflask.endpoints.images.decode import (
    VARY,
    decode_edit,
    decode_generation,
    decode_variation,
    with_mask,
)
from tests.endpoints.images.bad_requests import (
    BAD_REQUESTS,
    EDITS,
    FORM,
    GENERATIONS,
    GOOD,
    PICTURE,
    VARIATIONS,
)
from tests.endpoints.media_requests import PNG, file, form

DECODE = {GENERATIONS: decode_generation, EDITS: decode_edit, VARIATIONS: decode_variation}


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(bad):
    """The error names the field and says what would be right."""
    with pytest.raises(ClientError) as caught:
        DECODE[bad.path](bad.sent)

    assert ErrorKind.INVALID_REQUEST == caught.value.kind
    assert bad.param == caught.value.param
    assert bad.word in caught.value.message


def test_a_text_is_the_prompt():
    """The text is what the user says."""
    asked = decode_generation(GOOD)

    assert Prompt(bot="Painter", messages=(Message("user", (Text("a dot"),)),)) == asked.prompt
    assert (None, "url", False, "image_generation") == (
        asked.n,
        asked.format,
        asked.stream,
        asked.event,
    )


def test_wishes_extras_and_labels():
    """Wishes are kept by name, unknown plain fields are extras, labels are named or forgotten."""
    asked = decode_generation(
        GOOD
        | {"size": "16:9", "quality": "hd", "user": "u", "moderation": "low", "svg": {"model": "x"}}
        | {"num_images": 2, "odd": [1], "poe": {"aspect": "1:1"}, "style": None}
    )

    assert {"size": "16:9", "quality": "hd"} == asked.wishes
    assert {"num_images": 2} == asked.extras
    assert {"aspect": "1:1"} == asked.prompt.parameters
    assert {"moderation", "svg", "odd"} == set(asked.ignored)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, "url"),
        ({"response_format": "b64_json"}, "b64_json"),
        ({"model": "gpt-image-1.5"}, "b64_json"),
        ({"model": "GPT-Image-1", "response_format": "url"}, "url"),
        ({"stream": True, "response_format": "url"}, "b64_json"),
        ({"model": "dall-e-3"}, "url"),
    ],
)
def test_the_form_of_the_answer(fields, answer):
    """Links by default; base64 where clients of that model expect nothing else, and in streams."""
    assert answer == decode_generation(GOOD | fields).format


@pytest.mark.parametrize(
    ("value", "files"),
    [
        ({"image": "https://a.example/x.png"}, [File(url="https://a.example/x.png")]),
        ({"image": "aGFsbG8="}, [File(base64="aGFsbG8=")]),
        ({"images": [PICTURE]}, [File(url="https://example.com/a.png")]),
        (
            {"image": [{"image_url": {"url": "https://a.example/"}}]},
            [File(url="https://a.example/")],
        ),
        ({"image": {"file_id": "file-1"}}, [File(file_id="file-1")]),
        (
            {"image": {"file_id": "f"}, "images": [PICTURE]},
            [File(file_id="f"), File(url="https://example.com/a.png")],
        ),
    ],
)
def test_pictures_in_json(value, files):
    """Links, data and ids are pictures, one or many."""
    asked = decode_edit(GOOD | value)

    assert (Text("a dot"), *files) == asked.prompt.messages[0].parts
    assert "image_edit" == asked.event


@pytest.mark.parametrize("key", ["image", "image[]", "image[0]"])
def test_pictures_in_a_form(key):
    """However the form calls them, pictures keep their order, names and types."""
    asked = decode_edit(
        form(file(key, b"1", "a.png", "image/png"), file(key, b"2", "b.png"), n="2", **FORM)
    )

    assert 2 == asked.n
    assert (
        File(base64="MQ==", content_type="image/png", name="a.png"),
        File(base64="Mg==", name="b.png"),
    ) == asked.prompt.messages[0].parts[1:]


def test_a_mask_is_not_yet_a_file_of_the_prompt():
    """Only once it is known that the bot looks at masks, it becomes the last file."""
    asked = decode_edit(form(file("image"), file("mask", b"m", "m.png"), **FORM))
    mask = File(base64="bQ==", name="m.png")

    assert mask == asked.mask
    assert mask not in asked.prompt.messages[0].parts
    assert mask == with_mask(asked.prompt, mask).messages[-1].parts[-1]


def test_a_variation_says_what_it_wants():
    """The bot is told to vary the picture."""
    asked = decode_variation(form(file("image", PNG), model="Painter", response_format="b64_json"))

    assert VARY == asked.prompt.messages[0].text
    assert "b64_json" == asked.format
