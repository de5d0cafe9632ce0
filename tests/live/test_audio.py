"""The audio API with the official SDK as judge."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO

import openai
import pytest
import requests
from openai import OpenAI

from tests.live.conftest import Live

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 20
HEARD = "This is what I heard."


@pytest.fixture
def client(live: Live) -> Iterator[OpenAI]:
    """The SDK, with no retries of its own."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="any-key", max_retries=0, timeout=20) as made:
        yield made


def parameters_of(live: Live, bot: str) -> dict[str, object]:
    """The parameters of the last query to the bot."""
    queries = [query for query in live.simulator.queries() if query["bot"] == bot]
    return dict(queries[-1]["body"]["query"][-1].get("parameters") or {})


def recording() -> tuple[str, BytesIO]:
    """A sound file as the SDK takes it."""
    return "talk.wav", BytesIO(WAV)


@pytest.mark.parametrize("bot", ["Speaker", "Link-Speaker"])
def test_speech(live: Live, client: OpenAI, bot: str) -> None:
    """The sound itself comes back, with its true type, and the bot's voice was chosen."""
    answer = client.audio.speech.create(
        model=bot, input="Hello there", voice="bass", response_format="wav"
    )

    assert answer.content.startswith(b"RIFF")
    assert len(answer.content) == int(answer.response.headers["content-length"])
    assert "audio/wav" == answer.response.headers["content-type"]
    assert "x-poeflask-ignored" not in answer.response.headers
    assert {"voice": "Bass"} == parameters_of(live, bot)


def test_speech_that_is_not_as_wished(client: OpenAI) -> None:
    """What the bot cannot do is named, the sound's type stays honest."""
    answer = client.audio.speech.create(
        model="Speaker", input="Hi", voice="alloy", response_format="mp3", speed=2
    )

    assert "audio/wav" == answer.response.headers["content-type"]
    named = answer.response.headers["x-poeflask-ignored"].split(", ")
    assert {"voice", "response_format", "speed"} == set(named)


def test_speech_is_streamed(client: OpenAI) -> None:
    """The SDK's streaming reader gets the same bytes."""
    whole = client.audio.speech.create(model="Speaker", input="Hello", voice="alloy").content
    with client.audio.speech.with_streaming_response.create(
        model="Speaker", input="Hello", voice="alloy"
    ) as response:
        pieces = list(response.iter_bytes())

    assert whole == b"".join(pieces)


def test_speech_in_events(live: Live, client: OpenAI) -> None:
    """Inside events there are the same bytes."""
    whole = client.audio.speech.create(model="Speaker", input="Hello", voice="alloy").content
    answer = requests.post(
        f"{live.url}/v1/audio/speech",
        headers={"Authorization": "Bearer k"},
        json={"model": "Speaker", "input": "Hello", "voice": "alloy", "stream_format": "sse"},
        timeout=10,
    )
    frames = [json.loads(one.split("data: ")[1]) for one in answer.text.split("\n\n")[:-1]]

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert "speech.audio.done" == frames[-1]["type"]
    assert frames[-1]["usage"]["total_tokens"] > 0
    assert whole == b"".join(base64.b64decode(frame["audio"]) for frame in frames[:-1])


def test_a_bot_that_makes_no_sound(client: OpenAI) -> None:
    """Words and pictures are no speech."""
    with pytest.raises(openai.BadRequestError) as words:
        client.audio.speech.create(model="Echo", input="Hi", voice="alloy")
    with pytest.raises(openai.BadRequestError) as picture:
        client.audio.speech.create(model="Painter", input="Hi", voice="alloy")

    assert "no_file_in_answer" == words.value.code
    assert "no_sound_in_answer" == picture.value.code


@pytest.mark.parametrize("ending", ["", "/stream"])
def test_text_to_speech_as_elevenlabs(live: Live, ending: str) -> None:
    """ElevenLabs' clients are served under their own path and header."""
    answer = requests.post(
        f"{live.url}/v1/text-to-speech/Bass{ending}?output_format=mp3_44100_128",
        headers={"xi-api-key": "k"},
        json={"text": "Hello", "model_id": "Speaker"},
        timeout=10,
    )

    assert 200 == answer.status_code
    assert answer.content.startswith(b"RIFF")
    assert "response_format" == answer.headers["x-poeflask-ignored"]
    assert {"voice": "Bass"} == parameters_of(live, "Speaker")


def test_a_transcription(client: OpenAI) -> None:
    """Text, and what it cost."""
    answer = client.audio.transcriptions.create(model="Scribe", file=recording())

    assert HEARD == answer.text
    assert answer.usage is not None
    assert "tokens" == answer.usage.type


def test_what_a_listener_says(client: OpenAI) -> None:
    """The recording reaches the bot byte for byte."""
    answer = client.audio.transcriptions.create(model="Listener", file=recording())

    assert f"A tone of {len(WAV)} bytes." == answer.text


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", HEARD),
        ("srt", "1\n00:00:00,000 --> 00:00:01,500\nThis is\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nThis is\n"),
    ],
)
def test_a_transcription_as_text(client: OpenAI, form: str, start: str) -> None:
    """Text and subtitles come as they are."""
    answer = client.audio.transcriptions.create(
        model="Scribe", file=recording(), response_format=form
    )

    assert isinstance(answer, str)
    assert answer.startswith(start)


def test_a_verbose_transcription(client: OpenAI) -> None:
    """Times become segments."""
    answer = client.audio.transcriptions.create(
        model="Scribe",
        file=recording(),
        response_format="verbose_json",
        language="en",
        timestamp_granularities=["segment"],
    )

    assert (HEARD, 2.5, "en") == (answer.text, answer.duration, answer.language)
    assert answer.segments is not None
    assert [0.0, 1.0] == [segment.start for segment in answer.segments]


def test_no_subtitles(client: OpenAI) -> None:
    """A bot that writes none is an honest error, which is not worth another try."""
    with pytest.raises(openai.InternalServerError, match="no subtitles") as caught:
        client.audio.transcriptions.create(
            model="Listener", file=recording(), response_format="srt"
        )

    assert "false" == caught.value.response.headers["x-should-retry"]


def test_a_streamed_transcription(client: OpenAI) -> None:
    """The pieces joined are the text at the end."""
    events = list(client.audio.transcriptions.create(model="Scribe", file=recording(), stream=True))

    assert "transcript.text.done" == events[-1].type
    assert HEARD == events[-1].text
    assert HEARD == "".join(event.delta for event in events[:-1])


def test_a_translation(client: OpenAI) -> None:
    """A translation has the same shape."""
    with pytest.warns(DeprecationWarning, match="deprecated"):
        answer = client.audio.translations.create(model="Scribe", file=recording())

    assert HEARD == answer.text


def test_listening_needs_a_form(live: Live) -> None:
    """JSON has no room for a file."""
    answer = requests.post(
        f"{live.url}/v1/audio/transcriptions",
        headers={"Authorization": "Bearer k"},
        json={"model": "Scribe"},
        timeout=10,
    )

    assert 415 == answer.status_code
    assert "multipart/form-data" in answer.json()["error"]["message"]
