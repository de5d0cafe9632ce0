"""Pictures as OpenAI's images API gives them: one object, or the events of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from poeflask.core.errors import ErrorKind, PoeError, PoeflaskError
from poeflask.core.profile import Profile
from poeflask.core.reply import Failure, FileEvent, Note, Reply, ReplyEvent, Usage, gather_all
from poeflask.endpoints.event_frames import HEARTBEAT, error_frame, event_frame
from poeflask.endpoints.images.decode import ImageRequest
from poeflask.endpoints.made_files import Loaded, Made, family, made, no_file, usage_of

Load = Callable[[Sequence[FileEvent]], list[Loaded]]
"""Fetches files, in their order. Raises PoeflaskError."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that the client gets, and what the bot said beside it."""

    file: FileEvent
    text: str


def chosen(replies: Sequence[Reply], n: int | None, profile: Profile) -> list[Chosen]:
    """The files that the client gets: exactly `n`, or all if it did not say.

    Each answer gives its first file before any gives its second.

    Raises:
        PoeError: there are none, or too few.
    """
    results = [made(reply) for reply in replies]
    refusal = next((result for result in results if not result.files), None)
    found = _in_turns(results)
    if not found or (n is not None and len(found) < n and refusal is not None):
        raise no_file(refusal.text if refusal else "", profile)
    if n is not None and len(found) < n:
        raise PoeError(
            ErrorKind.WRONG_SHAPE,
            f"The bot made {len(found)} of {n} pictures.",
            param="n",
            allow_retry=False,
        )
    return found[:n]


def _in_turns(results: Sequence[Made]) -> list[Chosen]:
    longest = max((len(result.files) for result in results), default=0)
    return [
        Chosen(result.files[turn], result.text)
        for turn in range(longest)
        for result in results
        if turn < len(result.files)
    ]


def images_object(
    created: int,
    choices: Sequence[Chosen],
    pictures: Sequence[Loaded],
    usages: Sequence[Usage],
) -> dict[str, Any]:
    """The answer of a client that does not stream; `pictures` belong to `choices` one by one."""
    body: dict[str, Any] = {
        "created": created,
        "data": [_item(choice, picture) for choice, picture in zip(choices, pictures, strict=True)],
    }
    formats = {output_format(picture.content_type) for picture in pictures} - {""}
    if len(formats) == 1:
        body["output_format"] = formats.pop()
    if usages:
        body["usage"] = _usage(usages)
    return body


def output_format(content_type: str) -> str:
    """A picture's format as OpenAI names it, such as "png"; empty if it is not known."""
    if family(content_type) != "image":
        return ""
    return content_type.partition("/")[2].partition("+")[0].replace("*", "")


def _item(choice: Chosen, picture: Loaded) -> dict[str, Any]:
    item = {"b64_json": picture.base64} if picture.base64 else {"url": picture.url}
    return {**item, "revised_prompt": choice.text} if choice.text else item


def _usage(usages: Sequence[Usage]) -> dict[str, Any]:
    counted = usage_of(usages)
    details = {"text_tokens": counted["input_tokens"], "image_tokens": 0}
    return {**counted, "input_tokens_details": details}


class ImageStream:
    """Writes pictures as events: previews as they come, the pictures at the end.

    Args:
        asked: the request.
        created: seconds since 1970.
        profile: the bot.
        load: fetches files.
    """

    text_frame = None

    def __init__(self, asked: ImageRequest, created: int, profile: Profile, load: Load) -> None:
        self._asked = asked
        self._created = created
        self._profile = profile
        self._load = load
        self._events: list[ReplyEvent] = []
        self._previews_left = asked.partial_images
        self._previewed = 0
        self._failed = False

    def feed(self, events: Sequence[ReplyEvent]) -> str:
        """The previews among these events, or the error that ends the stream."""
        if self._failed:
            return ""
        self._events += events
        failure = next((event for event in events if isinstance(event, Failure)), None)
        if failure is not None:
            return self._error(failure.error)
        return "".join(self._preview(event) for event in events if isinstance(event, Note))

    def close(self) -> str:
        """The pictures, or why there are none; nothing behind an error."""
        if self._failed:
            return ""
        try:
            return self._completed()
        except PoeflaskError as error:
            return self._error(error)

    def whole(self, events: Sequence[ReplyEvent]) -> Mapping[str, Any]:
        """The answer of a client that does not stream.

        Raises:
            PoeError: the bot made no picture, or too few.
        """
        replies = gather_all(events)
        choices = chosen(replies, self._asked.n, self._profile)
        pictures = self._load([choice.file for choice in choices])
        return images_object(self._created, choices, pictures, _usages(replies))

    def heartbeat(self) -> str:
        """A comment, which every reader of server-sent events skips."""
        return HEARTBEAT

    def _error(self, error: PoeflaskError) -> str:
        self._failed = True
        return error_frame(error)

    def _preview(self, note: Note) -> str:
        """The event of a preview; one that cannot be had is none."""
        if note.name != "preview" or self._previewed >= self._previews_left:
            return ""
        url, content_type = str(note.data["url"]), str(note.data["content_type"])
        file = FileEvent(url=url, content_type=content_type, name="preview")
        try:
            picture = self._load([file])[0]
        except PoeflaskError:
            return ""
        index = self._previewed
        self._previewed += 1
        return self._frame("partial_image", picture, {"partial_image_index": index})

    def _completed(self) -> str:
        replies = gather_all(self._events)
        choices = chosen(replies, self._asked.n, self._profile)
        pictures = self._load([choice.file for choice in choices])
        usage = {"usage": _usage(_usages(replies))}
        return "".join(self._frame("completed", picture, usage) for picture in pictures)

    def _frame(self, step: str, picture: Loaded, more: Mapping[str, Any]) -> str:
        wishes = self._asked.wishes
        data = {
            "b64_json": picture.base64,
            "created_at": self._created,
            "size": wishes.get("size", "auto"),
            "quality": wishes.get("quality", "auto"),
            "background": wishes.get("background", "auto"),
            "output_format": output_format(picture.content_type) or "png",
            **more,
        }
        return event_frame(f"{self._asked.event}.{step}", data)


def _usages(replies: Sequence[Reply]) -> list[Usage]:
    return [reply.usage for reply in replies if reply.usage is not None]
