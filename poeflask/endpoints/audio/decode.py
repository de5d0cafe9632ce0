"""Requests to speak and to listen as Prompts, wishes and what the answer's shape depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.core.form import Form
from poeflask.core.prompt import File, Message, Prompt, Sampling, Text
from poeflask.endpoints.audio.schema import (
    SPEECH_ENVELOPE,
    SPEECH_FORMATS,
    TEXT_TO_SPEECH_ENVELOPE,
    TRANSCRIPTION_ENVELOPE,
    TRANSLATION_ENVELOPE,
)
from poeflask.endpoints.common_fields import own_parameters, unknown_fields
from poeflask.endpoints.form_body import as_body, as_file
from poeflask.endpoints.inline_files import file_from_url
from poeflask.endpoints.shapes import kind_of, read_envelope, wrong

TranscriptFormat = Literal["json", "text", "srt", "vtt", "verbose_json"]
Task = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """A request for speech, understood.

    Attributes:
        prompt: what is to be said.
        format: the form of sound that was asked for; None leaves it to the bot.
        as_events: whether the sound is sent inside events, not as it is.
        wishes: how it should sound; see `filters.media_parameters`.
        extras: unknown fields, which may be the bot's own parameters.
        ignored: names of fields that were accepted and have no effect.
    """

    prompt: Prompt
    format: str | None = None
    as_events: bool = False
    wishes: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenRequest:
    """A request for what is said in a recording, understood.

    Attributes:
        prompt: the recording, and what is to be done with it.
        task: write down what is said, or say it in English.
        format: the form of the transcript.
        stream: whether it is streamed.
        language: what the client says is spoken; empty if nothing.
        wishes: see `filters.media_parameters`.
        extras: unknown fields, which may be the bot's own parameters.
        ignored: names of fields that were accepted and have no effect.
    """

    prompt: Prompt
    task: Task
    format: TranscriptFormat = "json"
    stream: bool = False
    language: str = ""
    wishes: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def decode_speech(body: object) -> SpeechRequest:
    """Read the body of POST /v1/audio/speech.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; here and below.
    """
    envelope = read_envelope(SPEECH_ENVELOPE, body)
    extras, strangers = unknown_fields(body if isinstance(body, dict) else {}, SPEECH_ENVELOPE)
    wishes = {
        "voice": _voice(envelope.get("voice")),
        "speed": None if envelope.get("speed") == 1 else envelope.get("speed"),
        "instructions": envelope.get("instructions") or None,
        "response_format": envelope.get("response_format"),
        "language": envelope.get("language"),
    }
    return SpeechRequest(
        prompt=_saying(envelope["model"], envelope["input"], own_parameters(envelope)),
        format=envelope.get("response_format"),
        as_events=envelope.get("stream_format") == "sse",
        wishes=_said(wishes),
        extras=extras,
        ignored=tuple(strangers),
    )


_ELEVENLABS_BOTS = {
    "eleven_turbo_v2_5": "ElevenLabs-v2.5-Turbo",
    "eleven_flash_v2_5": "ElevenLabs-v2.5-Turbo",
}
_ELEVENLABS_BOT = "ElevenLabs-v3"
"""Which of Poe's bots stands for ElevenLabs' own models; any other name is a bot's."""


def decode_text_to_speech(body: object, voice_id: str, output_format: str) -> SpeechRequest:
    """Read a request of ElevenLabs' clients.

    Args:
        body: the parsed JSON.
        voice_id: the voice, from the path; a bot knows its voices by name.
        output_format: from the query, such as "mp3_44100_128"; may be empty.
    """
    envelope = read_envelope(TEXT_TO_SPEECH_ENVELOPE, body)
    model = envelope.get("model_id", "")
    if not model or model.startswith("eleven_"):
        model = _ELEVENLABS_BOTS.get(model, _ELEVENLABS_BOT)
    codec = output_format.partition("_")[0].lower()
    settings = envelope.get("voice_settings", {})
    spoken_format = codec if codec in SPEECH_FORMATS else None
    wishes = {
        "voice": voice_id,
        "response_format": spoken_format,
        "language": envelope.get("language_code"),
        "seed": envelope.get("seed"),
        **{name: value for name, value in settings.items() if isinstance(value, (int, float))},
    }
    unheard: list[str] = [name for name in ("previous_text", "next_text") if name in envelope]
    if output_format and spoken_format is None:
        unheard.append("output_format")
    return SpeechRequest(
        prompt=_saying(model, envelope["text"], {}),
        format=spoken_format,
        wishes=_said(wishes),
        ignored=tuple(unheard),
    )


def decode_transcription(sent: Form) -> ListenRequest:
    """Read the form of POST /v1/audio/transcriptions.

    Raises:
        ClientError: also of kind UNSUPPORTED_PARAMETER, for what the client would read in the
            answer and no bot can give.
    """
    body = as_body(TRANSCRIPTION_ENVELOPE, sent.texts)
    envelope = read_envelope(TRANSCRIPTION_ENVELOPE, body)
    _refuse_unsupported(envelope)
    extras, strangers = unknown_fields(body, TRANSCRIPTION_ENVELOPE)
    known = envelope.get("known_speaker_names") or envelope.get("known_speaker_references")
    return _listening(
        envelope,
        sent,
        task="transcribe",
        extras=extras,
        ignored=("known_speaker_names", *strangers) if known else tuple(strangers),
    )


def decode_translation(sent: Form) -> ListenRequest:
    """Read the form of POST /v1/audio/translations."""
    body = as_body(TRANSLATION_ENVELOPE, sent.texts)
    envelope = read_envelope(TRANSLATION_ENVELOPE, body)
    _refuse_unsupported(envelope)
    extras, strangers = unknown_fields(body, TRANSLATION_ENVELOPE)
    return _listening(envelope, sent, task="translate", extras=extras, ignored=tuple(strangers))


def _voice(value: object) -> str | None:
    match value:
        case None | str():
            return value or None
        case {"id": str(voice_id)} if voice_id:
            return voice_id
    raise wrong(
        "voice", f"must be a voice's name, or an object with its 'id', not {kind_of(value)}."
    )


def _said(wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: wish for name, wish in wishes.items() if wish is not None}


def _saying(model: str, text: str, parameters: Mapping[str, Any]) -> Prompt:
    return Prompt(bot=model, messages=(Message("user", (Text(text),)),), parameters=parameters)


def _refuse_unsupported(envelope: Mapping[str, Any]) -> None:
    if "logprobs" in envelope.get("include", ()):
        raise _unsupported("include", "Poe's bots do not say how likely their words are.")
    if "word" in envelope.get("timestamp_granularities", ()):
        raise _unsupported("timestamp_granularities", "Only 'segment' can be given.")
    if envelope.get("response_format") == "diarized_json":
        raise _unsupported("response_format", "Nobody here tells speakers apart.")
    if envelope.get("stream") and envelope.get("response_format", "json") not in ("json", "text"):
        raise _unsupported("stream", "Only the formats 'json' and 'text' are streamed.")


def _unsupported(param: str, why: str) -> ClientError:
    sentence = f"'{param}' cannot be given what it asks for. {why}"
    return ClientError(ErrorKind.UNSUPPORTED_PARAMETER, sentence, param=param)


_TASKS: Mapping[Task, str] = {
    "transcribe": "Write down, word for word and in its own language, what is said in the attached "
    "recording.",
    "translate": "Write down in English what is said in the attached recording.",
}
_FORMS: Mapping[TranscriptFormat, str] = {
    "json": "Answer with the text alone: no title, no remarks, no timestamps.",
    "text": "Answer with the text alone: no title, no remarks, no timestamps.",
    "srt": "Answer with SubRip subtitles (.srt) alone, with exact times.",
    "vtt": "Answer with WebVTT subtitles (.vtt) alone, with exact times.",
    "verbose_json": "Answer with WebVTT subtitles (.vtt) alone, with exact times.",
}


def _listening(
    envelope: Mapping[str, Any],
    sent: Form,
    *,
    task: Task,
    extras: Mapping[str, Any],
    ignored: tuple[str, ...],
) -> ListenRequest:
    form: TranscriptFormat = envelope.get("response_format", "json")
    language = envelope.get("language", "")
    text = " ".join([_TASKS[task], _FORMS[form], *_hints(envelope)])
    return ListenRequest(
        prompt=Prompt(
            bot=envelope["model"],
            messages=(Message("user", (Text(text), _recording(envelope, sent))),),
            sampling=Sampling(temperature=envelope.get("temperature")),
            parameters=own_parameters(envelope),
        ),
        task=task,
        format=form,
        stream=envelope.get("stream", False),
        language=language,
        wishes={"language": language} if language else {},
        extras=extras,
        ignored=ignored,
    )


def _hints(envelope: Mapping[str, Any]) -> list[str]:
    """What the client says of the recording, as sentences for the bot."""
    languages = filter(None, [envelope.get("language"), *envelope.get("languages", ())])
    hints = (
        ("The language is: {}.", ", ".join(languages)),
        ("Words that may occur: {}.", ", ".join(envelope.get("keywords", ()))),
        ("For spelling and style: {}", envelope.get("prompt")),
    )
    return [sentence.format(said) for sentence, said in hints if said]


def _recording(envelope: Mapping[str, Any], sent: Form) -> File:
    files = [file for file in sent.files if file.key in ("file", "file[]")]
    if len(files) > 1:
        raise wrong("file", f"must be one recording, not {len(files)}.")
    if files:
        return as_file(files[0])
    if url := envelope.get("url"):
        return file_from_url(url, "url")
    raise wrong("file", "is missing: it must be a recording.")
