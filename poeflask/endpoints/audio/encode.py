"""Speech and transcripts as OpenAI's audio API gives them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Reply, ReplyEvent, TextDelta, Usage, gather
from poeflask.endpoints.audio.decode import ListenRequest, TranscriptFormat
from poeflask.endpoints.audio.subtitles import Cue, read_cues, unfenced, write_srt, write_vtt
from poeflask.endpoints.event_frames import HEARTBEAT, error_frame, event_frame
from poeflask.endpoints.made_files import family, made, no_file, usage_of

_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
}
_HEARABLE = ("audio", "video")


def sound(reply: Reply, profile: Profile) -> FileEvent:
    """The file of an answer that can be heard: a sound, else a film, else one of unknown kind.

    Raises:
        PoeError: there is none; the bot's own words say why, if it said any.
    """
    result = made(reply)
    for wanted in (*_HEARABLE, "application"):
        for file in result.files:
            if family(file.content_type) == wanted:
                return file
    if result.files:
        raise _not_heard(result.files[0].content_type)
    raise no_file(result.text, profile)


def check_sound(content_type: str) -> None:
    """Make sure that a file can be heard.

    Raises:
        PoeError: it is something else.
    """
    if family(content_type) not in _HEARABLE:
        raise _not_heard(content_type)


def _not_heard(content_type: str) -> PoeError:
    return PoeError(
        ErrorKind.BOT_REJECTED,
        f"The bot made a file of type {content_type}, which cannot be heard.",
        param="model",
        code="no_sound_in_answer",
        allow_retry=False,
    )


def unmet(ignored: Sequence[str], wanted: str | None, content_type: str) -> list[str]:
    """The names of what was not honoured, now that the sound's true type is known."""
    others = [name for name in ignored if name != "response_format"]
    met = wanted is None or _TYPES.get(wanted) == content_type
    return others if met else [*others, "response_format"]


def speech_frames(pieces: Iterator[bytes], usage: Usage | None) -> Iterator[str]:
    """The sound as events, and the end with what it cost."""
    try:
        for piece in pieces:
            yield event_frame("speech.audio.delta", {"audio": b64encode(piece).decode("ascii")})
    except PoeflaskError as error:
        yield error_frame(error)
        return
    yield event_frame("speech.audio.done", {"usage": usage_of([usage or Usage()])})


def transcript(reply: Reply, form: TranscriptFormat) -> str:
    """The transcript as text, in the form that was asked for.

    Raises:
        PoeError: the bot wrote nothing, or no subtitles where they were asked for.
    """
    text = reply.text
    if not text.strip():
        raise PoeError(
            ErrorKind.BOT_REJECTED,
            "The bot answered without any text.",
            param="model",
            code="no_text_in_answer",
            allow_retry=False,
        )
    if form not in ("srt", "vtt"):
        return text
    cues = read_cues(text)
    if not cues:
        raise PoeError(
            ErrorKind.WRONG_SHAPE,
            f"The bot wrote no subtitles, so there are none as {form!r}; ask for 'json' or 'text'.",
            param="response_format",
            allow_retry=False,
        )
    return write_srt(cues) if form == "srt" else write_vtt(cues)


def transcript_object(reply: Reply, asked: ListenRequest) -> dict[str, Any]:
    """The transcript as JSON; segments and duration only if the bot gave times.

    Raises:
        PoeError: the bot wrote nothing.
    """
    text = transcript(reply, "json")
    if asked.format == "verbose_json":
        return _verbose(text, asked)
    return {"text": text} | ({} if reply.usage is None else {"usage": _usage(reply.usage)})


def _verbose(text: str, asked: ListenRequest) -> dict[str, Any]:
    cues = read_cues(text)
    language = "en" if asked.task == "translate" else asked.language
    body: dict[str, Any] = {"task": asked.task, "language": language, "text": unfenced(text)}
    if not cues:
        return body
    return body | {
        "text": " ".join(cue.text.replace("\n", " ") for cue in cues),
        "duration": max(cue.end_ms for cue in cues) / 1000,
        "segments": [_segment(number, cue) for number, cue in enumerate(cues)],
    }


def _segment(number: int, cue: Cue) -> dict[str, Any]:
    """A segment; what a bot cannot say of its certainty is nought, as OpenAI's types demand."""
    return {
        "id": number,
        "seek": 0,
        "start": cue.start_ms / 1000,
        "end": cue.end_ms / 1000,
        "text": cue.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": 0.0,
        "no_speech_prob": 0.0,
    }


def _usage(usage: Usage) -> dict[str, Any]:
    counted = usage_of([usage])
    details = {"text_tokens": counted["input_tokens"], "audio_tokens": 0}
    return {"type": "tokens", **counted, "input_token_details": details}


class TranscriptStream:
    """Writes a transcript as events while it comes."""

    text_frame = None

    def __init__(self, asked: ListenRequest) -> None:
        self._asked = asked
        self._events: list[ReplyEvent] = []
        self._failed = False

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The events for the next text, or the error that ends the stream."""
        if self._failed:
            return ""
        self._events += events
        failure = next((event for event in events if isinstance(event, Failure)), None)
        deltas = [event.text for event in events if isinstance(event, TextDelta)]
        frames = [event_frame("transcript.text.delta", {"delta": text}) for text in deltas]
        return "".join(frames) + (self._error(failure.error) if failure else "")

    def close(self) -> str:
        """The whole text once more, and what it cost; nothing behind an error."""
        if self._failed:
            return ""
        try:
            done = transcript_object(gather(self._events), self._asked)
        except PoeflaskError as error:
            return self._error(error)
        return event_frame("transcript.text.done", done)

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The transcript of a client that does not stream, as JSON."""
        return transcript_object(gather(events), self._asked)

    def heartbeat(self) -> str:
        """A comment, which every reader of server-sent events skips."""
        return HEARTBEAT

    def _error(self, error: PoeflaskError) -> str:
        self._failed = True
        return error_frame(error)
