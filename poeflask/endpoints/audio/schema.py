"""The bodies of POST /v1/audio/… and /v1/text-to-speech: their fields, and what each may hold."""

from __future__ import annotations

from marshmallow import fields

from poeflask.endpoints.shapes import Envelope, Flag, Name, Number, Table, Whole, WordList, Words

MAX_SPOKEN_CHARS = 100_000
"""OpenAI takes 4096; Poe's speakers take more, and each says itself what is too much."""

SPEECH_FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
_MAX_HINTS = 100


class SpeechEnvelope(Envelope):
    """POST /v1/audio/speech."""

    model = Name(required=True)
    input = Name(MAX_SPOKEN_CHARS, required=True)
    voice = fields.Raw()
    instructions = Words()
    response_format = Words(*SPEECH_FORMATS)
    speed = Number(0.25, 4)
    stream_format = Words("audio", "sse")
    language = Words()
    poe = Table()
    extra_body = Table()


class _ListeningEnvelope(Envelope):
    """What transcriptions and translations have in common."""

    model = Name(required=True)
    prompt = Words()
    response_format = Words("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
    temperature = Number(0, 2)
    url = Words()
    stream = Flag()
    poe = Table()
    extra_body = Table()


class TranscriptionEnvelope(_ListeningEnvelope):
    """POST /v1/audio/transcriptions; the recording is a file of the form."""

    language = Words()
    languages = WordList(_MAX_HINTS)
    keywords = WordList(_MAX_HINTS)
    timestamp_granularities = WordList(2)
    include = WordList(8)
    chunking_strategy = fields.Raw()
    known_speaker_names = WordList(16)
    known_speaker_references = WordList(16)


class TranslationEnvelope(_ListeningEnvelope):
    """POST /v1/audio/translations; the recording is a file of the form."""


class TextToSpeechEnvelope(Envelope):
    """POST /v1/text-to-speech/{voice_id}, as ElevenLabs' clients send it."""

    text = Name(MAX_SPOKEN_CHARS, required=True)
    model_id = Name()
    voice_settings = Table()
    language_code = Words()
    seed = Whole(0, 2**32 - 1)
    previous_text = Words()
    next_text = Words()


SPEECH_ENVELOPE = SpeechEnvelope()
TRANSCRIPTION_ENVELOPE = TranscriptionEnvelope()
TRANSLATION_ENVELOPE = TranslationEnvelope()
TEXT_TO_SPEECH_ENVELOPE = TextToSpeechEnvelope()
