"""Requests to speak and to listen as prompts and wishes."""

import pytest

from poeflask.core.errors import ClientError
from poeflask.core.prompt import File, Message, Prompt, Text
from poeflask.endpoints.audio.decode import (
    decode_speech,
    decode_text_to_speech,
    decode_transcription,
    decode_translation,
)
from tests.endpoints.audio.bad_requests import (
    BAD_REQUESTS,
    GOOD,
    RECORDING,
    SPEECH,
    TEXT_TO_SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
)
from tests.endpoints.media_requests import form

DECODE = {
    SPEECH: decode_speech,
    TRANSCRIPTIONS: decode_transcription,
    TRANSLATIONS: decode_translation,
    TEXT_TO_SPEECH: lambda body: decode_text_to_speech(body, "Alto", ""),
}


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
def test_a_wrong_request(bad):
    """The error names the field and says what would be right."""
    with pytest.raises(ClientError) as caught:
        DECODE[bad.path](bad.sent)

    assert bad.param == caught.value.param
    assert bad.word in caught.value.message
    assert bad.code == (caught.value.code or caught.value.rule.openai[1])


def test_speech():
    """The text is what the user says, all else are wishes."""
    asked = decode_speech(
        GOOD
        | {"voice": {"id": "v1"}, "speed": 1.5, "instructions": "whisper", "stability": 0.5}
        | {"response_format": "wav", "stream_format": "sse", "poe": {"voice": "Bass"}}
    )

    messages = (Message("user", (Text("Hello"),)),)
    assert Prompt(bot="Speaker", messages=messages, parameters={"voice": "Bass"}) == asked.prompt
    assert {
        "voice": "v1",
        "speed": 1.5,
        "instructions": "whisper",
        "response_format": "wav",
    } == asked.wishes
    assert {"stability": 0.5} == asked.extras
    assert ("wav", True) == (asked.format, asked.as_events)


@pytest.mark.parametrize(
    "fields", [{"speed": 1}, {"instructions": ""}, {"voice": None}, {"voice": ""}]
)
def test_usual_values_wish_for_nothing(fields):
    """Nobody is told that a usual speed was ignored."""
    assert {} == {
        name: wish for name, wish in decode_speech(GOOD | fields).wishes.items() if name in fields
    }


@pytest.mark.parametrize(
    ("model", "bot"),
    [
        (None, "ElevenLabs-v3"),
        ("eleven_multilingual_v2", "ElevenLabs-v3"),
        ("eleven_turbo_v2_5", "ElevenLabs-v2.5-Turbo"),
        ("Speaker", "Speaker"),
    ],
)
def test_models_of_elevenlabs(model, bot):
    """ElevenLabs' own names stand for its bots at Poe; any other is a bot's name."""
    body = {"text": "Hello"} | ({"model_id": model} if model else {})

    assert bot == decode_text_to_speech(body, "Alto", "").prompt.bot


def test_text_to_speech():
    """Voice, settings and format are wishes; what only smooths joints has no effect."""
    body = {
        "text": "Hello",
        "voice_settings": {"stability": 0.5, "speed": 1.1, "odd": []},
        "language_code": "de",
        "previous_text": "Before",
    }
    asked = decode_text_to_speech(body, "Sarah", "mp3_44100_128")

    assert {
        "voice": "Sarah",
        "response_format": "mp3",
        "language": "de",
        "stability": 0.5,
        "speed": 1.1,
    } == asked.wishes
    assert ("mp3", ("previous_text",)) == (asked.format, asked.ignored)
    assert ("output_format",) == decode_text_to_speech({"text": "x"}, "V", "ulaw_8000").ignored


def test_a_recording_is_attached():
    """The bot gets the recording and is told what to do with it."""
    asked = decode_transcription(
        form(
            RECORDING,
            model="Scribe",
            language="de",
            prompt="Poe",
            temperature="0.2",
            **{"keywords[]": "gevent", "num": "3", "timestamp_granularities[]": "segment"},
        )
    )
    text, recording = asked.prompt.messages[0].parts

    assert ("a.wav", "audio/wav") == (recording.name, recording.content_type)
    assert "word for word" in text.text
    assert text.text.endswith(
        "The language is: de. Words that may occur: gevent. For spelling and style: Poe"
    )
    assert 0.2 == asked.prompt.sampling.temperature
    assert {"language": "de"} == asked.wishes
    assert {"num": "3"} == asked.extras
    assert ("transcribe", "json", False) == (asked.task, asked.format, asked.stream)


@pytest.mark.parametrize(
    ("form_name", "word"),
    [("text", "alone"), ("srt", "SubRip"), ("vtt", "WebVTT"), ("verbose_json", "WebVTT")],
)
def test_the_form_is_asked_for(form_name, word):
    """Who wants times gets a bot that is asked for times."""
    asked = decode_transcription(form(RECORDING, model="Scribe", response_format=form_name))

    assert form_name == asked.format
    assert word in asked.prompt.messages[0].text


def test_a_translation():
    """A translation is into English."""
    asked = decode_translation(form(RECORDING, model="Scribe"))

    assert "translate" == asked.task
    assert "in English" in asked.prompt.messages[0].text


def test_a_recording_behind_a_link():
    """A link in place of the file is taken as well."""
    asked = decode_transcription(form(model="Scribe", url="https://x.example/a.mp3"))

    assert File(url="https://x.example/a.mp3") == asked.prompt.messages[0].parts[-1]


def test_known_speakers_are_not_told_apart():
    """They colour the answer only, so they are named and not refused."""
    asked = decode_transcription(form(RECORDING, **{"model": "S", "known_speaker_names[]": "Ann"}))

    assert ("known_speaker_names",) == asked.ignored
