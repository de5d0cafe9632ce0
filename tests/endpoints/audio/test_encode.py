"""Speech and transcripts as OpenAI's audio API gives them."""

import json

import pytest

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Finish, Pause, Reply, TextDelta, Usage
from poeflask.endpoints.audio.decode import decode_transcription, decode_translation
from poeflask.endpoints.audio.encode import (
    TranscriptStream,
    check_sound,
    sound,
    speech_frames,
    transcript,
    transcript_object,
    unmet,
)
from tests.endpoints.audio.bad_requests import RECORDING
from tests.endpoints.media_requests import form

SPEAKER = Profile(bot="Speaker", output_modalities=("audio",))
VTT = "```vtt\nWEBVTT\n\n00:01.000 --> 00:02.500\nOne\n\n00:03.000 --> 00:04.000\ntwo\nthree\n```"


def file(kind):
    """A file of a media type."""
    return FileEvent(url=f"https://x/{kind}", content_type=kind, name="f")


def asked(decode=decode_transcription, **texts):
    """A request to listen."""
    return decode(form(RECORDING, **{"model": "Scribe"} | texts))


def frames(text):
    """The events' data."""
    pairs = [frame.split("\n") for frame in text.split("\n\n")[:-1]]
    found = [(name.removeprefix("event: "), json.loads(data[6:])) for name, data in pairs]
    assert all(name == data["type"] for name, data in found)
    return [data for _, data in found]


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        (["audio/mpeg"], "audio/mpeg"),
        (["image/png", "video/mp4", "audio/wav"], "audio/wav"),
        (["image/png", "video/mp4"], "video/mp4"),
        (["application/octet-stream"], "application/octet-stream"),
    ],
)
def test_the_sound_among_the_files(kinds, chosen):
    """A sound is better than a film, a film better than a file of unknown kind."""
    assert chosen == sound(Reply(files=tuple(map(file, kinds))), SPEAKER).content_type


def test_a_picture_is_no_sound():
    """A file that cannot be heard is an error that says what it is."""
    with pytest.raises(PoeError, match="image/png") as caught:
        sound(Reply(files=(file("image/png"),)), SPEAKER)

    assert "no_sound_in_answer" == caught.value.code
    with pytest.raises(PoeError, match="text/html"):
        check_sound("text/html")
    check_sound("audio/mpeg")


def test_a_refusal_to_speak():
    """A bot's own words are the error."""
    with pytest.raises(PoeError, match="I will not") as caught:
        sound(Reply(text="I will not."), SPEAKER)

    assert "content_policy_violation" == caught.value.code


@pytest.mark.parametrize(
    ("ignored", "wanted", "kind", "left"),
    [
        (["response_format", "voice"], "wav", "audio/wav", ["voice"]),
        (["response_format"], "mp3", "audio/wav", ["response_format"]),
        ([], "mp3", "audio/wav", ["response_format"]),
        (["voice"], None, "audio/wav", ["voice"]),
        ([], "pcm", "audio/wav", ["response_format"]),
        ([], "opus", "audio/ogg", []),
    ],
)
def test_what_was_not_honoured_in_the_end(ignored, wanted, kind, left):
    """Whether the format was honoured shows in the sound itself."""
    assert left == unmet(ignored, wanted, kind)


def test_speech_in_events():
    """The sound comes in pieces of base64, then what it cost."""
    text = "".join(speech_frames(iter([b"a", b"bc"]), Usage(prompt_tokens=3)))

    assert [
        {"type": "speech.audio.delta", "audio": "YQ=="},
        {"type": "speech.audio.delta", "audio": "YmM="},
        {
            "type": "speech.audio.done",
            "usage": {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3},
        },
    ] == frames(text)


def test_speech_that_breaks_off():
    """A file that ends early ends the events with an error."""

    def pieces():
        yield b"a"
        raise PoeError(ErrorKind.POE_BROKEN, "It broke.")

    found = frames("".join(speech_frames(pieces(), None)))

    assert ["speech.audio.delta", "error"] == [data["type"] for data in found]
    assert "It broke." == found[-1]["error"]["message"]


def test_a_transcript():
    """Text and, if it was counted, what it cost."""
    reply = Reply(text="Hello.", usage=Usage(prompt_tokens=5, completion_tokens=2))

    assert {"text": "Hello."} == transcript_object(Reply(text="Hello."), asked())
    assert {
        "type": "tokens",
        "input_tokens": 5,
        "output_tokens": 2,
        "total_tokens": 7,
        "input_token_details": {"text_tokens": 5, "audio_tokens": 0},
    } == transcript_object(reply, asked())["usage"]


def test_a_verbose_transcript():
    """Times become segments."""
    body = transcript_object(Reply(text=VTT), asked(response_format="verbose_json", language="de"))

    assert ("transcribe", "de", "One two three", 4.0) == (
        body["task"],
        body["language"],
        body["text"],
        body["duration"],
    )
    assert [(0, 1.0, 2.5, "One"), (1, 3.0, 4.0, "two\nthree")] == [
        (one["id"], one["start"], one["end"], one["text"]) for one in body["segments"]
    ]


def test_a_verbose_transcript_without_times():
    """What the bot did not say is left out."""
    request = asked(decode_translation, response_format="verbose_json")

    assert {"task": "translate", "language": "en", "text": "Hi"} == transcript_object(
        Reply(text="Hi"), request
    )


def test_subtitles():
    """Whichever kind the bot wrote, the client gets the one it asked for."""
    assert transcript(Reply(text=VTT), "srt").startswith("1\n00:00:01,000 --> 00:00:02,500\nOne\n")
    assert transcript(Reply(text=VTT), "vtt").startswith("WEBVTT\n\n00:00:01.000")
    with pytest.raises(PoeError, match="no subtitles"):
        transcript(Reply(text="Hello."), "srt")


def test_no_transcript():
    """An answer without text is an error, never an empty transcript."""
    with pytest.raises(PoeError) as caught:
        transcript(Reply(text=" \n", files=(file("audio/mpeg"),)), "text")

    assert "no_text_in_answer" == caught.value.code


@pytest.mark.parametrize("cut", range(5))
def test_a_stream(cut):
    """Wherever the batches are cut, the pieces joined are the text at the end."""
    events = [TextDelta("Hel"), Pause(), TextDelta("lo"), Usage(prompt_tokens=1), Finish()]
    encoder = TranscriptStream(asked(stream="true"))
    found = frames(encoder.feed(events[:cut]) + encoder.feed(events[cut:]) + encoder.close())

    assert ["Hel", "lo"] == [data["delta"] for data in found[:-1]]
    assert {"type": "transcript.text.done", **encoder.whole(events)} == found[-1]


@pytest.mark.parametrize(
    "events",
    [
        [TextDelta("a"), Failure(PoeError(ErrorKind.POE_BROKEN, "Broken."))],
        [TextDelta(" "), Finish()],
    ],
)
def test_a_stream_that_fails(events):
    """The last event is the error, and nothing comes behind it."""
    encoder = TranscriptStream(asked(stream="true"))
    found = frames(encoder.feed(events) + encoder.close())

    assert ["transcript.text.delta", "error"] == [data["type"] for data in found]
    assert "" == encoder.feed([TextDelta("b")]) + encoder.close()


def test_a_heartbeat_means_nothing():
    """It is a comment."""
    assert TranscriptStream(asked()).heartbeat().startswith(":")
