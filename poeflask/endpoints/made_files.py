"""What a bot made that was asked for a picture, a sound or a film: its files, or its refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from poeflask.core import media
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.profile import Profile
from poeflask.core.reply import FileEvent, Note, Reply, Usage

FAMILIES = ("image", "audio", "video")
_MOST_SAID = 2000
"""Letters of a bot's text that are repeated in an error."""

_WHO_MAKES = "GET /v1/models tells by architecture.output_modalities which bots make files."

_PICTURE = re.compile(r"!\[(?P<name>[^\[\]\n]{0,500})\]\((?P<url>https?://[^\s()<>]{1,3000})\)")
_LINK = re.compile(
    r"\[(?P<name>[^\[\]\n]{0,500})\]\((?P<url>https?://[^\s()<>]{1,3000})\)"
    r"|(?P<bare>https?://[^\s()<>\[\]]{1,3000})"
)


@dataclass(frozen=True, slots=True)
class Made:
    """What one answer holds: its files in order, and what was said beside them."""

    files: tuple[FileEvent, ...]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A file as a client gets it; `base64` only if its content was fetched."""

    url: str
    content_type: str
    base64: str = field(default="", repr=False)


def as_links(files: Sequence[FileEvent]) -> list[Loaded]:
    """The files for a client that wants links to them."""
    return [Loaded(url=file.url, content_type=file.content_type) for file in files]


def made(reply: Reply) -> Made:
    """The files of an answer; without any, those that its text links to and nothing else.

    A picture that a later one took the place of, as Notes of previews tell, is no file of the
    answer.
    """
    if not reply.files:
        return _linked(reply.text)
    shown = [str(note.data["url"]) for note in reply.notes if _is_preview(note)]
    passed = {url for url in shown if url != shown[-1]}
    last = tuple(file for file in reply.files if file.url not in passed)
    return Made(last or reply.files[-1:], reply.text.strip())


def family(content_type: str) -> str:
    """The first half of a media type, such as "image"."""
    return content_type.partition("/")[0]


def no_file(text: str, profile: Profile) -> PoeError:
    """The error for a bot that made nothing: its own words, if it said any.

    A bot that is there to make files and speaks instead refuses, and its words say why; any other
    only cannot do it, and its words alone would puzzle.
    """
    makes = any(kind in profile.output_modalities for kind in FAMILIES)
    said = text.strip()[:_MOST_SAID]
    none = f"The bot {profile.bot!r} made no file."
    if not makes:
        words = f" It said: {said!r}" if said else ""
        none = f"{none} {_WHO_MAKES}{words}"
    return PoeError(
        ErrorKind.BOT_REJECTED,
        said if makes and said else none,
        code="content_policy_violation" if makes and said else "no_file_in_answer",
        param=None if makes else "model",
        allow_retry=False,
    )


def usage_of(usages: Sequence[Usage]) -> dict[str, Any]:
    """Tokens of all answers together, as OpenAI counts them where files are made."""
    prompt = sum(usage.prompt_tokens for usage in usages)
    completion = sum(usage.completion_tokens for usage in usages)
    return {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _is_preview(note: Note) -> bool:
    return note.name == "preview"


def _linked(text: str) -> Made:
    """Pictures that are shown by their link; else the links of a text that is nothing but links."""
    pictures = tuple(_file(found, "image/*") for found in _PICTURE.finditer(text))
    if pictures:
        rest = _PICTURE.sub("", text)
        for picture in pictures:
            rest = rest.replace(picture.url, "")
        return Made(_once(pictures), rest.strip())
    if _LINK.sub("", text).strip():
        return Made((), text)
    return Made(_once(tuple(_file(found, "") for found in _LINK.finditer(text))))


def _once(files: tuple[FileEvent, ...]) -> tuple[FileEvent, ...]:
    return tuple({file.url: file for file in files}.values())


def _file(found: re.Match[str], content_type: str) -> FileEvent:
    groups = found.groupdict()
    url = groups["url"] or groups["bare"]
    path = url.partition("?")[0].split("/")
    kind = path[4] if len(path) > 5 and path[3] == "base" else ""
    told = f"{kind}/*" if kind in FAMILIES else media.UNKNOWN
    return FileEvent(
        url=url,
        content_type=media.type_of_name(path[-1]) or content_type or told,
        name=groups["name"] or path[-1] or "file",
    )
