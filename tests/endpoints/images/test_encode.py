"""Pictures as OpenAI's images API gives them."""

import json

import pytest

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Finish, Note, Pause, Reply, TextDelta, Usage
from poeflask.endpoints.images.decode import decode_generation
from poeflask.endpoints.images.encode import Chosen, ImageStream, chosen, output_format
from poeflask.endpoints.made_files import Loaded, as_links

PAINTER = Profile(bot="Painter", output_modalities=("image",))


def picture(name, index=0):
    """A picture that the bot gave."""
    return FileEvent(url=f"https://x/{name}", content_type="image/png", name=name, index=index)


def preview(name):
    """A Note of a picture that is shown for a while."""
    return Note("preview", {"url": f"https://x/{name}", "content_type": "image/png"})


def load(files):
    """Stands for the fetching of files: the content is the name."""
    if any(file.url.endswith("lost") for file in files):
        raise PoeError(ErrorKind.POE_BROKEN, "It is lost.")
    return [Loaded(url=f.url, content_type="image/webp", base64=f.url[-1]) for f in files]


def stream(events, cut=None, **fields):
    """The frames of a stream as (name, data); `cut` splits the events in two batches."""
    asked = decode_generation({"model": "P", "prompt": "p", "stream": True} | fields)
    encoder = ImageStream(asked, 7, PAINTER, load)
    batches = [events] if cut is None else [events[:cut], events[cut:]]
    text = "".join(encoder.feed(batch) for batch in batches) + encoder.close()
    frames = [frame.split("\n") for frame in text.split("\n\n")[:-1]]
    return [(name.removeprefix("event: "), json.loads(data[6:])) for name, data in frames]


def whole(events, load=as_links, **fields):
    """The answer of a client that does not stream."""
    asked = decode_generation({"model": "P", "prompt": "p"} | fields)
    return ImageStream(asked, 7, PAINTER, load).whole(events)


def test_a_link():
    """The bot's words beside the picture are the revised prompt."""
    body = whole([TextDelta("A red dot."), picture("a"), Usage(prompt_tokens=3), Finish()])

    assert {
        "created": 7,
        "data": [{"url": "https://x/a", "revised_prompt": "A red dot."}],
        "output_format": "png",
        "usage": {
            "input_tokens": 3,
            "output_tokens": 0,
            "total_tokens": 3,
            "input_tokens_details": {"text_tokens": 3, "image_tokens": 0},
        },
    } == body


def test_base64():
    """Without usage none is said; the format is what the content is."""
    body = whole([picture("a"), Finish()], load)

    assert {"created": 7, "data": [{"b64_json": "a"}], "output_format": "webp"} == body


@pytest.mark.parametrize(("n", "names"), [(None, "adb"), (1, "a"), (2, "ad"), (3, "adb")], ids=str)
def test_how_many(n, names):
    """Each answer gives its first picture before any gives its second."""
    replies = [Reply(files=(picture("a"), picture("b"))), Reply(files=(picture("d"),))]

    assert list(names) == [choice.file.name for choice in chosen(replies, n, PAINTER)]


def test_too_few():
    """Fewer pictures than were asked for are an error, not a shorter list."""
    with pytest.raises(PoeError, match="1 of 2 pictures") as caught:
        chosen([Reply(files=(picture("a"),))], 2, PAINTER)

    assert not caught.value.may_succeed_later


def test_one_refuses():
    """If one of several answers refuses, its words are the error."""
    replies = [Reply(files=(picture("a"),)), Reply(text="No.")]
    with pytest.raises(PoeError, match=r"^No\.$") as caught:
        chosen(replies, 2, PAINTER)

    assert "content_policy_violation" == caught.value.code
    assert [Chosen(picture("a"), "")] == chosen(replies, 1, PAINTER)


def test_a_stream_completes():
    """The pictures come at the end, in one event each."""
    frames = stream([picture("a"), Pause(), Usage(prompt_tokens=2), Finish()], size="1:1")
    (name, data) = frames[0]

    assert 1 == len(frames)
    assert "image_generation.completed" == name == data["type"]
    assert ("a", 7, "1:1", "auto", "auto", "webp") == tuple(
        data[key]
        for key in ("b64_json", "created_at", "size", "quality", "background", "output_format")
    )
    assert 2 == data["usage"]["total_tokens"]


@pytest.mark.parametrize("cut", range(6))
def test_previews(cut):
    """Previews come as they are shown, wherever the batches are cut, and not more than wanted."""
    events = [picture("a"), preview("a"), picture("b"), preview("b"), picture("c"), preview("c")]
    frames = stream([*events, Finish()], cut=cut, partial_images=2)

    assert [("a", 0), ("b", 1), ("c", None)] == [
        (data["b64_json"], data.get("partial_image_index")) for _, data in frames
    ]


def test_a_preview_that_is_lost():
    """A preview that cannot be fetched is left out; the picture still comes."""
    frames = stream([preview("lost"), preview("a"), picture("b"), Finish()], partial_images=2)

    assert [("a", 0), ("b", None)] == [
        (data["b64_json"], data.get("partial_image_index")) for _, data in frames
    ]


def test_no_previews_unless_asked_for():
    """Without partial_images there are none."""
    frames = stream([picture("a"), preview("a"), picture("b"), preview("b"), Finish()])

    assert ["b"] == [data["b64_json"] for _, data in frames]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([TextDelta("I will not."), Finish()], "I will not."),
        ([picture("lost"), Finish()], "It is lost."),
        ([picture("a"), Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))], "It broke."),
    ],
)
def test_errors_in_a_stream(events, message):
    """Whatever goes wrong, the stream's last and only such event says it."""
    frames = stream(events)

    assert [("error", "error", message)] == [
        (name, data["type"], data["error"]["message"]) for name, data in frames
    ]


def test_nothing_behind_an_error():
    """After an error no batch writes anything."""
    asked = decode_generation({"model": "P", "prompt": "p", "stream": True})
    encoder = ImageStream(asked, 7, PAINTER, load)
    first = encoder.feed([Failure(PoeError(ErrorKind.POE_BROKEN, "It broke."))])

    assert first
    assert "" == encoder.feed([picture("a"), Finish()]) + encoder.close()


@pytest.mark.parametrize(
    ("content_type", "name"),
    [("image/png", "png"), ("image/svg+xml", "svg"), ("image/*", ""), ("audio/wav", "")],
)
def test_the_format_of_a_picture(content_type, name):
    """Formats are named as OpenAI names them, if they are known."""
    assert name == output_format(content_type)


def test_a_heartbeat_means_nothing():
    """It is a comment."""
    asked = decode_generation({"model": "P", "prompt": "p"})

    assert ImageStream(asked, 7, PAINTER, load).heartbeat().startswith(":")
