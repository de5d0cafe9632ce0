"""Wrong requests to speak and to listen as data: what is sent, and what the error must say."""

from __future__ import annotations

from typing import Any

from tests.endpoints.media_requests import WAV, Bad, file, form

SPEECH = "/v1/audio/speech"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
TEXT_TO_SPEECH = "/v1/text-to-speech/Alto"

GOOD = {"model": "Speaker", "input": "Hello", "voice": "alloy"}
RECORDING = file("file", WAV, "a.wav", "audio/wav")


def speech(name: str, param: str | None, word: str, **fields: Any) -> Bad:
    """A wrong field in a request that is right but for it."""
    return Bad(name=name, path=SPEECH, sent=GOOD | fields, param=param, word=word)


def listening(
    name: str,
    param: str,
    word: str,
    code: str | None = None,
    path: str = TRANSCRIPTIONS,
    **texts: str,
) -> Bad:
    """A wrong text in a form that is right but for it."""
    sent = form(RECORDING, **({"model": "Scribe"} | texts))
    return Bad(name=name, path=path, sent=sent, param=param, word=word, code=code)


UNSUPPORTED = "unsupported_parameter"

BAD_REQUESTS = [
    Bad(name="no object", path=SPEECH, sent="hello", param=None, word="JSON object"),
    speech("no model", "model", "missing", model=None),
    speech("no text", "input", "missing", input=None),
    speech("an empty text", "input", "1 to 100000", input=""),
    speech("a text that is too long", "input", "1 to 100000", input="x" * 100_001),
    speech("a number as text", "input", "a string", input=5),
    speech("a number as voice", "voice", "voice's name", voice=5),
    speech("a voice without id", "voice", "'id'", voice={}),
    speech("an unknown format", "response_format", "'mp3'", response_format="midi"),
    speech("too fast", "speed", "0.25 to 4", speed=5),
    speech("too slow", "speed", "0.25 to 4", speed=0),
    speech("a word as speed", "speed", "a number", speed="fast"),
    speech("an unknown stream", "stream_format", "'sse'", stream_format="ws"),
    speech("a list as instructions", "instructions", "a string", instructions=["x"]),
    Bad(name="no text to speak", path=TEXT_TO_SPEECH, sent={}, param="text", word="missing"),
    Bad(
        name="a list as settings",
        path=TEXT_TO_SPEECH,
        sent={"text": "x", "voice_settings": []},
        param="voice_settings",
        word="an object",
    ),
    Bad(
        name="a number as model",
        path=TEXT_TO_SPEECH,
        sent={"text": "x", "model_id": 2},
        param="model_id",
        word="a string",
    ),
    Bad(
        name="no recording",
        path=TRANSCRIPTIONS,
        sent=form(model="Scribe"),
        param="file",
        word="missing",
    ),
    Bad(
        name="an empty recording",
        path=TRANSCRIPTIONS,
        sent=form(file("file", b"", "a.wav"), model="Scribe"),
        param="file",
        word="empty",
    ),
    Bad(
        name="two recordings",
        path=TRANSCRIPTIONS,
        sent=form(RECORDING, RECORDING, model="Scribe"),
        param="file",
        word="not 2",
    ),
    Bad(
        name="no model to listen",
        path=TRANSCRIPTIONS,
        sent=form(RECORDING),
        param="model",
        word="missing",
    ),
    Bad(
        name="no recording to translate",
        path=TRANSLATIONS,
        sent=form(model="Scribe"),
        param="file",
        word="missing",
    ),
    listening("an unknown form", "response_format", "'srt'", response_format="docx"),
    listening("too hot", "temperature", "0 to 2", temperature="3"),
    listening("a word as temperature", "temperature", "a number", temperature="hot"),
    listening("a word as switch", "stream", "true or false", stream="perhaps"),
    Bad(
        name="a link to a file",
        path=TRANSLATIONS,
        sent=form(model="Scribe", url="ftp://x/a.wav"),
        param="url",
        word="http",
    ),
    listening("speakers", "response_format", "apart", UNSUPPORTED, response_format="diarized_json"),
    listening("likelihoods", "include", "likely", UNSUPPORTED, **{"include[]": "logprobs"}),
    listening(
        "times of words",
        "timestamp_granularities",
        "segment",
        UNSUPPORTED,
        **{"timestamp_granularities[]": "word"},
    ),
    listening(
        "streamed subtitles", "stream", "json", UNSUPPORTED, response_format="srt", stream="true"
    ),
    listening(
        "translated speakers",
        "response_format",
        "apart",
        UNSUPPORTED,
        TRANSLATIONS,
        response_format="diarized_json",
    ),
]
