"""Requests for films as prompts and wishes."""

import pytest

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.prompt import File, Message, Prompt, Text
from poeflask.endpoints.videos.decode import Page, decode_page, decode_video
from tests.endpoints.media_requests import file, form
from tests.endpoints.videos.bad_requests import BAD_PAGES, BAD_REQUESTS, GOOD


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(bad):
    """The error names the field and says what would be right."""
    with pytest.raises(ClientError) as caught:
        decode_video(bad.sent)

    assert ErrorKind.INVALID_REQUEST == caught.value.kind
    assert bad.param == caught.value.param
    assert bad.word in caught.value.message


def test_json():
    """Length and size are wishes; unknown fields may be the bot's own."""
    asked = decode_video(
        GOOD
        | {"seconds": 8, "size": "1280x720", "negative_prompt": "rain", "fps": 24}
        | {"poe": {"loop": True}, "extra_body": {"fps": 12}, "user": "u"}
    )
    messages = (Message("user", (Text("a wave"),)),)
    parameters = {"loop": True, "fps": 12}

    assert Prompt(bot="Film-Maker", messages=messages, parameters=parameters) == asked.prompt
    assert {"seconds": "8", "size": "1280x720", "negative_prompt": "rain"} == asked.wishes
    assert {"fps": 24} == asked.extras
    assert ("8", "1280x720") == (asked.seconds, asked.size)


def test_a_plain_request():
    """Nothing is wished for that was not said."""
    asked = decode_video(GOOD)

    assert ({}, {}, "", "") == (asked.wishes, asked.extras, asked.seconds, asked.size)


@pytest.mark.parametrize(
    ("sent", "picture"),
    [
        (form(file("input_reference", b"1"), **GOOD), File(base64="MQ==", name="a.png")),
        (form(input_reference="https://x.example/a", **GOOD), File(url="https://x.example/a")),
        (
            form(**GOOD, **{"input_reference[image_url]": "https://x.example/a"}),
            File(url="https://x.example/a"),
        ),
        (GOOD | {"input_reference": {"file_id": "file-1"}}, File(file_id="file-1")),
        (
            GOOD | {"input_reference": {"image_url": "data:image/png;base64,aGk="}},
            File(base64="aGk=", content_type="image/png"),
        ),
        (GOOD | {"input_reference": "aGk="}, File(base64="aGk=")),
        (GOOD | {"input_image": "aGk="}, File(base64="aGk=")),
    ],
)
def test_the_picture_to_begin_with(sent, picture):
    """However it is sent, it follows the text."""
    assert (Text("a wave"), picture) == decode_video(sent).prompt.messages[0].parts


@pytest.mark.parametrize(("query", "param"), BAD_PAGES)
def test_a_wrong_page(query, param):
    """The error names the field."""
    with pytest.raises(ClientError) as caught:
        decode_page(query)

    assert param == caught.value.param


def test_a_page():
    """By default the newest twenty."""
    assert Page(limit=20, after="", newest_first=True) == decode_page({})
    assert Page(limit=5, after="video_1", newest_first=False) == decode_page(
        {"limit": "5", "after": "video_1", "order": "asc"}
    )
