"""POST /v1/audio/speech, /transcriptions and /translations, and ElevenLabs' /v1/text-to-speech."""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core.caller import Caller
from poeflask.core.reply import gather
from poeflask.endpoints.audio.decode import (
    ListenRequest,
    SpeechRequest,
    decode_speech,
    decode_text_to_speech,
    decode_transcription,
    decode_translation,
)
from poeflask.endpoints.audio.encode import (
    TranscriptStream,
    check_sound,
    sound,
    speech_frames,
    transcript,
    unmet,
)
from poeflask.endpoints.audio.schema import (
    SPEECH_ENVELOPE,
    TEXT_TO_SPEECH_ENVELOPE,
    TRANSCRIPTION_ENVELOPE,
    TRANSLATION_ENVELOPE,
)
from poeflask.endpoints.describing import FRAMES, JSON, described
from poeflask.filters.chain import Wants
from poeflask.web import auth, body, forms, respond
from poeflask.web.asking import address_maker, ask, ignored_header
from poeflask.web.services import services

audio = Blueprint("audio", __name__)


@audio.post("/v1/audio/speech")
@described(
    body=SPEECH_ENVELOPE, gives=("audio/*", FRAMES), example={"model": "Speaker", "input": "Hello!"}
)
def create_speech() -> Response:
    """Say a text."""
    caller = auth.caller_of(request.headers)
    return _spoken(decode_speech(body.json_object(request)), caller)


@audio.post("/v1/text-to-speech/<voice_id>")
@audio.post("/v1/text-to-speech/<voice_id>/stream")
@described(
    body=TEXT_TO_SPEECH_ENVELOPE,
    gives=("audio/*",),
    query={"output_format": "The sound's format, such as mp3_44100_128."},
    example={"text": "Hello!"},
)
def convert_text_to_speech(voice_id: str) -> Response:
    """Say a text, as ElevenLabs' clients ask for it; the sound is sent on as it comes anyway."""
    caller = auth.caller_of(request.headers)
    sent = body.json_object(request)
    output_format = request.args.get("output_format", "")
    return _spoken(decode_text_to_speech(sent, voice_id, output_format), caller)


@audio.post("/v1/audio/transcriptions")
@described(form=TRANSCRIPTION_ENVELOPE, files={"file": True}, gives=(JSON, "text/plain", FRAMES))
def create_transcription() -> Response:
    """Write down what is said in a recording."""
    caller = auth.caller_of(request.headers)
    return _heard(decode_transcription(forms.form(request)), caller)


@audio.post("/v1/audio/translations")
@described(form=TRANSLATION_ENVELOPE, files={"file": True}, gives=(JSON, "text/plain", FRAMES))
def create_translation() -> Response:
    """Write down in English what is said in a recording."""
    caller = auth.caller_of(request.headers)
    return _heard(decode_translation(forms.form(request)), caller)


def _spoken(asked: SpeechRequest, caller: Caller) -> Response:
    here = services()
    upstream = here.upstream_for(caller)
    making = address_maker(
        asked.prompt,
        asked.extras,
        asked.wishes,
        upstream.catalogue,
        skip_system_prompt=here.skip_system_prompt,
    )
    wants = Wants(usage=asked.as_events, files_as_text=False)
    answer = ask(caller, upstream, making.prompt, wants)
    reply = gather(respond.all_events(request, answer))
    opened = upstream.open_file(sound(reply, making.profile).url)
    check_sound(opened.content_type)
    ignored = unmet([*asked.ignored, *making.ignored], asked.format, opened.content_type)
    if asked.as_events:
        frames = speech_frames(opened.pieces, reply.usage)
        response = Response(frames, mimetype="text/event-stream")
        response.headers.update(respond.STREAM_HEADERS)
    else:
        response = Response(opened.pieces, mimetype=opened.content_type)
        if opened.size is not None:
            response.content_length = opened.size
    response.headers.update(ignored_header(ignored))
    return response


def _heard(asked: ListenRequest, caller: Caller) -> Response:
    here = services()
    upstream = here.upstream_for(caller)
    making = address_maker(
        asked.prompt,
        asked.extras,
        asked.wishes,
        upstream.catalogue,
        skip_system_prompt=here.skip_system_prompt,
    )
    answer = ask(caller, upstream, making.prompt, Wants(files_as_text=False))
    # The prompt's own words say the language, also to bots that have no parameter for it.
    unheard = [name for name in making.ignored if name != "language"]
    headers = ignored_header([*asked.ignored, *unheard])
    encoder = TranscriptStream(asked)
    if asked.stream or asked.format in ("json", "verbose_json"):
        return respond.given(request, answer, encoder, streamed=asked.stream, headers=headers)
    reply = gather(respond.all_events(request, answer))
    response = Response(transcript(reply, asked.format), mimetype="text/plain")
    response.headers.update(headers)
    return response
