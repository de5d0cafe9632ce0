"""Subtitles: text with times, read as bots write it and written as SubRip or WebVTT demand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STAMP = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"[^\S\n]*{_STAMP}[^\S\n]*-->[^\S\n]*{_STAMP}[^\n]*")
_FENCE = re.compile(r"\s*```[\w-]*[^\S\n]*\n(.*?)\n?```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cue:
    """A piece of text with its times in milliseconds."""

    start_ms: int
    end_ms: int
    text: str


def unfenced(text: str) -> str:
    """The text without the code fence that bots like to put around it, and white space."""
    found = _FENCE.fullmatch(text)
    return (found[1] if found else text).strip()


def read_cues(text: str) -> list[Cue]:
    """The cues of SubRip or WebVTT text; none if it is neither."""
    cues: list[Cue] = []
    for block in re.split(r"\n[^\S\n]*\n", unfenced(text).replace("\r\n", "\n")):
        lines = block.strip("\n").split("\n")
        place = next((n for n, line in enumerate(lines) if _TIMES.fullmatch(line)), None)
        found = None if place is None else _TIMES.fullmatch(lines[place])
        if found is not None and place is not None:
            said = "\n".join(lines[place + 1 :]).strip()
            cues.append(Cue(_ms(found.groups()[:4]), _ms(found.groups()[4:]), said))
    return cues


def write_srt(cues: Sequence[Cue]) -> str:
    """The cues as SubRip."""
    return "\n".join(
        f"{number}\n{_stamp(cue.start_ms, ',')} --> {_stamp(cue.end_ms, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues, start=1)
    )


def write_vtt(cues: Sequence[Cue]) -> str:
    """The cues as WebVTT."""
    blocks = [
        f"{_stamp(cue.start_ms, '.')} --> {_stamp(cue.end_ms, '.')}\n{cue.text}\n" for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _ms(stamp: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = stamp
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _stamp(ms: int, comma: str) -> str:
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{comma}{rest:03}"
