"""The images API with the official SDK as judge."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def client(live: Live) -> Iterator[OpenAI]:
    """The SDK, with no retries of its own."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="any-key", max_retries=0, timeout=20) as made:
        yield made


def decoded(text: str | None) -> bytes:
    """What base64 stands for."""
    assert text is not None
    return base64.b64decode(text, validate=True)


def width_and_height(picture: bytes) -> tuple[int, int]:
    """What a PNG says of itself."""
    assert picture.startswith(PNG)
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def parameters_of(live: Live, bot: str) -> dict[str, object]:
    """The parameters of the last query to the bot."""
    queries = [query for query in live.simulator.queries() if query["bot"] == bot]
    message = queries[-1]["body"]["query"][-1]
    return dict(message.get("parameters") or {})


def attachments_of(live: Live, bot: str) -> list[dict[str, str]]:
    """The files of the last query to the bot."""
    queries = [query for query in live.simulator.queries() if query["bot"] == bot]
    return list(queries[-1]["body"]["query"][-1].get("attachments", []))


@pytest.mark.parametrize("bot", ["Painter", "Status-Painter", "Link-Painter"])
def test_a_link_to_a_picture(client: OpenAI, bot: str) -> None:
    """However a bot gives its picture, the client gets one link to it."""
    answer = client.images.generate(model=bot, prompt="a red dot")

    assert answer.data is not None
    assert 1 == len(answer.data)
    assert requests.get(answer.data[0].url or "", timeout=5).content.startswith(PNG)
    assert answer.data[0].revised_prompt is None


@pytest.mark.parametrize("bot", ["Painter", "Status-Painter", "Link-Painter"])
def test_a_picture_itself(client: OpenAI, bot: str) -> None:
    """Base64 is the picture that the bot made."""
    answer = client.images.generate(model=bot, prompt="a red dot", response_format="b64_json")

    assert answer.data is not None
    assert (64, 64) == width_and_height(decoded(answer.data[0].b64_json))
    assert "png" == answer.output_format
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_a_size_in_the_bots_own_words(live: Live, client: OpenAI) -> None:
    """Size and quality reach the bot as the parameters that it declares."""
    answer = client.images.generate(
        model="Painter", prompt="wide", size="1536x1024", quality="hd", response_format="b64_json"
    )

    assert answer.data is not None
    assert (96, 64) == width_and_height(decoded(answer.data[0].b64_json))
    assert {"aspect": "3:2", "quality": "high"} == parameters_of(live, "Painter")


def test_several(client: OpenAI) -> None:
    """`n` is that many pictures."""
    answer = client.images.generate(model="Painter", prompt="three dots", n=3)

    assert answer.data is not None
    assert 3 == len(answer.data)
    assert all(item.url for item in answer.data)


def test_all_that_a_bot_makes_of_one_question(client: OpenAI) -> None:
    """Who does not say how many gets all; who does gets so many."""
    more = {"num_images": 3}
    everything = client.images.generate(model="Painter", prompt="dots", extra_body=more)
    two = client.images.generate(model="Painter", prompt="dots", n=2, extra_body=more)

    assert everything.data is not None
    assert two.data is not None
    assert 3 == len({item.url for item in everything.data})
    assert 2 == len(two.data)


def test_what_is_not_honoured_is_named(live: Live) -> None:
    """What the bot has no parameter for is accepted and named in a header."""
    answer = requests.post(
        f"{live.url}/v1/images/generations",
        headers={"Authorization": "Bearer k"},
        json={"model": "Link-Painter", "prompt": "x", "size": "1024x1024", "style": "vivid"},
        timeout=10,
    )

    assert 200 == answer.status_code
    assert {"size", "style"} == set(answer.headers["x-poeflask-ignored"].split(", "))


def test_a_refusal(client: OpenAI) -> None:
    """A bot that speaks and makes nothing is an error with its own words."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="Refuser", prompt="something forbidden")

    assert "content_policy_violation" == caught.value.code
    assert "I cannot make that" in str(caught.value.body)


def test_a_bot_that_only_speaks(client: OpenAI) -> None:
    """A bot that makes no files at all is the wrong one; the error says what it said."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="Echo", prompt="a red dot")

    assert "no_file_in_answer" == caught.value.code
    assert "model" == caught.value.param


def test_sounds_and_films_are_files_too(client: OpenAI) -> None:
    """Any bot that gives a file serves."""
    sound = client.images.generate(model="Speaker", prompt="hum", response_format="b64_json")
    film = client.images.generate(model="Film-Maker", prompt="run")

    assert sound.data is not None
    assert film.data is not None
    assert decoded(sound.data[0].b64_json).startswith(b"RIFF")
    assert "/base/video/" in (film.data[0].url or "")


def test_a_stream(client: OpenAI) -> None:
    """A stream ends with the whole picture."""
    events = list(client.images.generate(model="Painter", prompt="x", stream=True))

    assert ["image_generation.completed"] == [event.type for event in events]
    assert decoded(events[0].b64_json).startswith(PNG)
    assert events[0].usage.total_tokens >= 0


def test_a_stream_with_previews(client: OpenAI) -> None:
    """A bot that shows its steps gives previews, as many as were asked for."""
    events = list(
        client.images.generate(model="Step-Painter", prompt="x", stream=True, partial_images=2)
    )

    kinds = [event.type.partition(".")[2] for event in events]
    assert ["partial_image", "partial_image", "completed"] == kinds
    assert [0, 1] == [event.partial_image_index for event in events[:-1]]
    assert events[0].b64_json != events[-1].b64_json
    assert all(decoded(event.b64_json).startswith(PNG) for event in events)


def test_previews_are_no_pictures(client: OpenAI) -> None:
    """Steps that the bot took back are not among its pictures."""
    answer = client.images.generate(model="Step-Painter", prompt="x")

    assert answer.data is not None
    assert 1 == len(answer.data)


def test_a_refusal_in_a_stream(client: OpenAI) -> None:
    """A stream says the refusal in its error event."""
    with pytest.raises(openai.APIError, match="I cannot make that"):
        list(client.images.generate(model="Refuser", prompt="x", stream=True))


def test_a_picture_that_lies_elsewhere(client: OpenAI) -> None:
    """A link to anywhere is handed on, but never followed."""
    answer = client.images.generate(model="Foreign-Painter", prompt="x")
    with pytest.raises(openai.InternalServerError, match="lies somewhere else") as caught:
        client.images.generate(model="Foreign-Painter", prompt="x", response_format="b64_json")

    assert answer.data is not None
    assert "http://169.254.169.254/latest/picture.png" == answer.data[0].url
    assert "false" == caught.value.response.headers["x-should-retry"]


def test_an_edit(live: Live, client: OpenAI) -> None:
    """One picture or several go to the bot, the mask last, if the bot knows masks."""
    picture = ("dot.png", PNG + b"1", "image/png")
    other = ("dash.png", PNG + b"2", "image/png")
    mask = ("mask.png", PNG + b"3", "image/png")
    one = client.images.edit(model="Painter", image=picture, prompt="make it blue", mask=mask)
    names = [file["name"] for file in attachments_of(live, "Painter")]
    two = client.images.edit(model="Painter", image=[picture, other], prompt="join them")

    assert one.data is not None
    assert two.data is not None
    assert ["dot.png", "mask.png"] == names
    assert ["dot.png", "dash.png"] == [file["name"] for file in attachments_of(live, "Painter")]


def test_a_mask_is_announced(live: Live, client: OpenAI) -> None:
    """The bot is told that the last picture is a mask."""
    picture = ("dot.png", PNG + b"1", "image/png")
    client.images.edit(model="Painter", image=picture, prompt="make it blue", mask=picture)

    assert {"use_mask": True} == parameters_of(live, "Painter")


def test_a_mask_that_is_not_honoured(live: Live) -> None:
    """A bot without masks gets the picture alone, and the client is told."""
    answer = requests.post(
        f"{live.url}/v1/images/edits",
        headers={"Authorization": "Bearer k"},
        data={"model": "Status-Painter", "prompt": "blue", "n": "1"},
        files={"image[]": ("a.png", PNG + b"1"), "mask": ("m.png", PNG + b"2")},
        timeout=10,
    )

    assert 200 == answer.status_code
    assert "mask" in answer.headers["x-poeflask-ignored"].split(", ")
    assert ["a.png"] == [file["name"] for file in attachments_of(live, "Status-Painter")]


def test_an_edit_in_json(live: Live) -> None:
    """References stand in for files: links, data URLs."""
    data = base64.b64encode(PNG + b"x").decode()
    answer = requests.post(
        f"{live.url}/v1/images/edits",
        headers={"Authorization": "Bearer k"},
        json={
            "model": "Painter",
            "prompt": "blue",
            "images": [
                {"image_url": f"data:image/png;base64,{data}"},
                {"image_url": "https://example.com/cat.png"},
            ],
        },
        timeout=10,
    )

    assert 200 == answer.status_code
    assert 2 == len(attachments_of(live, "Painter"))


def test_an_edit_streams(client: OpenAI) -> None:
    """The events of an edit have its name."""
    picture = ("dot.png", PNG + b"1", "image/png")
    events = list(client.images.edit(model="Painter", image=picture, prompt="x", stream=True))

    assert ["image_edit.completed"] == [event.type for event in events]


def test_a_variation(live: Live, client: OpenAI) -> None:
    """A variation needs no words."""
    picture = ("dot.png", PNG + b"1", "image/png")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        answer = client.images.create_variation(model="Painter", image=picture, n=2)

    assert answer.data is not None
    assert 2 == len(answer.data)
    assert ["dot.png"] == [file["name"] for file in attachments_of(live, "Painter")]
