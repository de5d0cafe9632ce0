"""Files in: whatever a client sends as a file becomes a link that Poe holds.

Content is decoded, checked and uploaded; links to Poe's own files stay as they are; other links are
handed to Poe to fetch, never fetched here; ids of stored files are looked up. Bots see only what is
attached to a user's turn, so files of other turns, such as pictures in a tool's result, move to the
next user's turn, or to the last one if none follows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import gevent

from poeflask.core import base64_text, media
from poeflask.core.errors import ClientError, ErrorKind, PoeflaskError
from poeflask.core.prompt import File, Message, Part, Prompt, Text, ToolResult

MAX_FILE_BYTES = 50 * 1024 * 1024
CONTENT_TTL_S = 24 * 3600.0
LINK_TTL_S = 3600.0
"""What stands behind a link may change."""
MAX_REATTACHED = 10

_POE_FAMILIES = {
    "image": "image/png",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "text": "text/plain",
}
_PICTURE = re.compile(r"!\[[^\]\n]{0,300}\]\((https?://[^)\s]{1,2000})")


class Uploaded(Protocol):
    """What Poe says of a file that it holds."""

    @property
    def url(self) -> str: ...
    @property
    def content_type(self) -> str: ...


class Uploader(Protocol):
    """Gives Poe files. Errors are PoeflaskErrors that name the file."""

    def upload(self, key: str, *, content: bytes, name: str, content_type: str) -> Uploaded: ...

    def upload_link(self, key: str, *, url: str, name: str) -> Uploaded: ...


class Cache(Protocol):
    """Remembers JSON values; may forget at any time."""

    def get(self, key: str) -> Any:
        """The value, or None."""

    def put(self, key: str, value: Any, ttl_s: float | None = None) -> None:
        """Keep the value for so many seconds."""


class Attachments:
    """Makes every file of a prompt a link that Poe holds.

    Args:
        uploader: gives Poe the files.
        cache: what was uploaded before, by owner, content and type.
        lookup: the file that an owner stored here, by the owner and its id; None if there is none,
            or if it is another's.
        max_bytes: the largest file that is taken.
        content_ttl_s: how long an uploaded content is taken to be still at Poe.
        link_ttl_s: the same for what Poe fetched from a link.
        parallel: how many files of one prompt are uploaded at once.
    """

    def __init__(
        self,
        uploader: Uploader,
        cache: Cache,
        *,
        lookup: Callable[[str, str], File | None],
        max_bytes: int = MAX_FILE_BYTES,
        content_ttl_s: float = CONTENT_TTL_S,
        link_ttl_s: float = LINK_TTL_S,
        parallel: int = 6,
    ) -> None:
        self._uploader = uploader
        self._cache = cache
        self._lookup = lookup
        self._max_bytes = max_bytes
        self._content_ttl_s = content_ttl_s
        self._link_ttl_s = link_ttl_s
        self._parallel = parallel

    def attach(self, prompt: Prompt, *, owner: str, key: str) -> Prompt:
        """The prompt with links in place of contents, and every file in a user's turn.

        Files are uploaded with `key`; those that are stored here must be `owner`'s. If the caller
        is killed while it waits, so are its uploads.

        Raises:
            ClientError: a file is empty, too large, no base64, unknown, or no http(s) link.
            PoeError: Poe did not take a file.
        """
        if not any(map(_may_hold_files, prompt.messages)):
            return prompt
        prompt = _gathered_at_users(prompt)
        sources = list(dict.fromkeys(_nameless(file) for file in _files(prompt.messages)))
        if not sources:
            return prompt
        held = self._all_held(sources, owner, key)
        return replace(prompt, messages=_with_links(prompt.messages, held))

    def _all_held(self, sources: list[_Source], owner: str, key: str) -> dict[_Source, File]:
        """What Poe holds for each source; uploads run side by side."""
        held: dict[_Source, File] = {}
        waiting = list(reversed(sources))

        def work() -> PoeflaskError | None:
            while waiting:
                source = waiting.pop()
                try:
                    held[source] = self._held(source, owner, key)
                except PoeflaskError as error:
                    return error
            return None

        if len(sources) == 1:
            _raise(work())
            return held
        workers = [
            gevent.spawn(copy_context().run, work) for _ in range(min(self._parallel, len(sources)))
        ]
        try:
            for worker in gevent.iwait(workers):
                _raise(worker.get())
        finally:
            gevent.killall(workers)
        return held

    def _held(self, source: _Source, owner: str, key: str) -> File:
        file = replace(source.file, name=source.name)
        if file.file_id:
            file = self._looked_up(file, owner)
        return self._link(file, key) if file.url else self._content(file, key)

    def _looked_up(self, file: File, owner: str) -> File:
        stored = self._lookup(owner, file.file_id)
        if stored is None or stored.file_id:
            raise ClientError(
                ErrorKind.INVALID_REQUEST,
                f"There is no file with the id {file.file_id!r}; upload it first.",
            )
        return replace(stored, name=file.name or stored.name)

    def _link(self, file: File, key: str) -> File:
        parts = _split(file.url)
        name = file.name or unquote(parts.path.rpartition("/")[2])
        if on_poe(parts):
            return _poe_file(file, parts)
        place = f"{_digest(key.encode())}:link:{_digest(file.url.encode('utf-8', 'replace'))}"
        known = self._cache.get(place)
        if known is not None:
            return File(**known)
        said = media.plain_type(file.content_type) or media.type_of_name(name)
        name = name or media.default_name(said)
        answer = self._uploader.upload_link(key, url=file.url, name=name)
        content_type = media.plain_type(answer.content_type) or said or media.UNKNOWN
        held = File(url=answer.url, content_type=content_type, name=name)
        self._cache.put(place, _record(held), self._link_ttl_s)
        return held

    def _content(self, file: File, key: str) -> File:
        content = self._decoded(file)
        content_type = media.media_type(
            file.content_type, file.name, content[: media.SNIFFED_BYTES]
        )
        place = f"{_digest(key.encode())}:{_digest(content)}:{content_type}"
        known = self._cache.get(place)
        if known is not None:
            return File(**known)
        name = file.name or media.default_name(content_type)
        answer = self._uploader.upload(key, content=content, name=name, content_type=content_type)
        content_type = media.plain_type(answer.content_type) or content_type
        held = File(url=answer.url, content_type=content_type, name=name)
        self._cache.put(place, _record(held), self._content_ttl_s)
        return held

    def _decoded(self, file: File) -> bytes:
        # Whitespace may make the text longer than its content; twice the size is room enough.
        if len(file.base64) > self._max_bytes * 2 + 1024:
            raise self._too_large(file)
        content = _bytes_of(file)
        if not content:
            raise ClientError(ErrorKind.INVALID_REQUEST, f"{_called(file)} is empty.")
        if len(content) > self._max_bytes:
            raise self._too_large(file)
        return content

    def _too_large(self, file: File) -> ClientError:
        return ClientError(
            ErrorKind.BODY_TOO_LARGE,
            f"{_called(file)} is larger than {self._max_bytes} bytes, the most that is taken.",
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to be held by Poe: the file without its name, so that each is uploaded once."""

    file: File
    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self.file == other.file

    def __hash__(self) -> int:
        # To go over all letters of a picture would take as long as to decode them.
        file = self.file
        return hash((file.url, file.file_id, len(file.base64), file.base64[:_HASHED_CHARS]))


_HASHED_CHARS = 256


def reattach(prompt: Prompt) -> Prompt:
    """The prompt with the pictures of the last answer attached to the user's turn that follows it.

    So that "make it blue" finds the picture that the bot made. Only Poe's own links count, and only
    if the user's turn has no file of its own.
    """
    if not prompt.messages or prompt.messages[-1].role != "user":
        return prompt
    last = prompt.messages[-1]
    answers = [message for message in prompt.messages if message.role == "assistant"]
    if not answers or any(isinstance(part, File) for part in last.parts):
        return prompt
    links = list(dict.fromkeys(_PICTURE.findall(answers[-1].text)))
    pictures = [File(url=link, content_type="image/png") for link in links if _is_poe_link(link)]
    longer = replace(last, parts=(*last.parts, *pictures[:MAX_REATTACHED]))
    return replace(prompt, messages=(*prompt.messages[:-1], longer))


def on_poe(parts: SplitResult) -> bool:
    """Whether a link leads to Poe's own file servers."""
    host = (parts.hostname or "").rstrip(".")
    return host == "poecdn.net" or host.endswith(".poecdn.net")


def _is_poe_link(url: str) -> bool:
    try:
        return on_poe(urlsplit(url))
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ClientError(
            ErrorKind.INVALID_REQUEST,
            f"The file's link {url[:200]!r} is no http or https link.",
        )
    return parts


def _poe_file(file: File, parts: SplitResult) -> File:
    """A file that Poe holds already: its path names the family, "/base/image/<sha>"."""
    last = parts.path.rpartition("/")[2]
    family = parts.path.removeprefix("/base/").partition("/")[0]
    content_type = (
        media.plain_type(file.content_type)
        or media.type_of_name(last)
        or media.type_of_name(file.name)
        or _POE_FAMILIES.get(family, media.UNKNOWN)
    )
    named = last if media.type_of_name(last) else media.default_name(content_type)
    return File(url=file.url, content_type=content_type, name=file.name or named)


def _bytes_of(file: File) -> bytes:
    """The content; line breaks, the alphabet of URLs, and left-out padding are accepted."""
    try:
        return base64_text.decoded(file.base64)
    except ValueError:
        text = "".join(file.base64.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64_text.decoded(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise ClientError(
            ErrorKind.INVALID_REQUEST, f"{_called(file)} is no base64: {error}."
        ) from error


def _gathered_at_users(prompt: Prompt) -> Prompt:
    """The prompt with all files in users' turns."""
    if not any(_strays(message) for message in prompt.messages):
        return prompt
    messages: list[Message] = []
    waiting: list[File] = []
    for message in prompt.messages:
        waiting.extend(_strays(message))
        if message.role != "user":
            messages.append(_without_files(message))
            continue
        kept = _without_files(message, keep_own=True)
        messages.append(replace(kept, parts=(*kept.parts, *waiting)))
        waiting = []
    return replace(prompt, messages=_with_last_files(messages, waiting))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _record(held: File) -> dict[str, str]:
    """An uploaded file as JSON says it."""
    return {"url": held.url, "content_type": held.content_type, "name": held.name}


def _called(file: File) -> str:
    named = file.name or file.file_id or file.url
    return f"The file {named[:200]!r}" if named else "A file without a name"


def _nameless(file: File) -> _Source:
    return _Source(replace(file, name=""), file.name)


def _files(messages: Sequence[Message]) -> Iterator[File]:
    for message in messages:
        yield from (part for part in message.parts if isinstance(part, File))


def _may_hold_files(message: Message) -> bool:
    return any(type(part) is not Text for part in message.parts)


def _strays(message: Message) -> list[File]:
    """The files that a bot would not see where they are."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    strays = [file for result in results for file in result.files]
    return strays if message.role == "user" else [*_files((message,)), *strays]


def _without_files(message: Message, *, keep_own: bool = False) -> Message:
    parts = [part for part in message.parts if keep_own or not isinstance(part, File)]
    return replace(message, parts=tuple(_without_result_files(part) for part in parts))


def _without_result_files(part: Part) -> Part:
    if not isinstance(part, ToolResult) or not part.files:
        return part
    said = part.text or "The result is the attached file."
    return replace(part, text=said, files=())


def _with_last_files(messages: list[Message], files: list[File]) -> tuple[Message, ...]:
    """The messages with files at the last user's turn, or in a new one if there is none."""
    if not files:
        return tuple(messages)
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role == "user":
            longer = replace(messages[place], parts=(*messages[place].parts, *files))
            return (*messages[:place], longer, *messages[place + 1 :])
    return (*messages, Message("user", (Text("See the attached files."), *files)))


def _with_links(messages: tuple[Message, ...], held: Mapping[_Source, File]) -> tuple[Message, ...]:
    return tuple(
        replace(message, parts=tuple(_as_link(part, held) for part in message.parts))
        for message in messages
    )


def _as_link(part: Part, held: Mapping[_Source, File]) -> Part:
    if not isinstance(part, File):
        return part
    link = held[_nameless(part)]
    return replace(link, name=part.name or link.name)


def _raise(error: PoeflaskError | None) -> None:
    if error is not None:
        raise error
