"""A request for a film as a Prompt and wishes, and a request for a page of films."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from poeflask.core.form import Form
from poeflask.core.picture_size import is_size
from poeflask.core.prompt import File, Message, Prompt, Text
from poeflask.endpoints.common_fields import own_parameters, unknown_fields
from poeflask.endpoints.form_body import as_body, as_file
from poeflask.endpoints.inline_files import file_from_data, file_from_url
from poeflask.endpoints.shapes import kind_of, read_envelope, shown, wrong
from poeflask.endpoints.videos.schema import VIDEO_ENVELOPE

MAX_SECONDS = 600
MAX_PAGE = 100
_PAGE = 20
_SECONDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A request for a film, understood.

    Attributes:
        model: the bot's name as the client wrote it; also `prompt.bot`.
        prompt: what is asked, with the picture that it is to begin with.
        seconds, size: as the client wrote them; empty if it did not.
        wishes: see `filters.media_parameters`.
        extras: unknown fields, which may be the bot's own parameters.
        ignored: names of fields that were accepted and have no effect.
    """

    model: str
    prompt: Prompt
    seconds: str = ""
    size: str = ""
    wishes: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which films of a list are wanted: at most `limit`, behind the one with the id `after`."""

    limit: int = _PAGE
    after: str = ""
    newest_first: bool = True


def decode_video(sent: Form | object) -> VideoRequest:
    """Read the form or the JSON body of POST /v1/videos.

    Raises:
        ClientError: kind INVALID_REQUEST for the first field that is wrong; here and below.
    """
    body = as_body(VIDEO_ENVELOPE, sent.texts) if isinstance(sent, Form) else sent
    envelope = read_envelope(VIDEO_ENVELOPE, body)
    seconds = _seconds(envelope.get("seconds"))
    size = envelope.get("size", "")
    if size and not is_size(size):
        raise wrong(
            "size", "must be a width and height such as '1280x720', or a ratio like '16:9'."
        )
    extras, strangers = unknown_fields(body if isinstance(body, dict) else {}, VIDEO_ENVELOPE)
    wishes = {"seconds": seconds, "size": size, "negative_prompt": envelope.get("negative_prompt")}
    return VideoRequest(
        model=envelope["model"],
        prompt=Prompt(
            bot=envelope["model"],
            messages=(Message("user", (Text(envelope["prompt"]), *_references(envelope, sent))),),
            parameters=own_parameters(envelope),
        ),
        seconds=seconds,
        size=size,
        wishes={name: wish for name, wish in wishes.items() if wish},
        extras=extras,
        ignored=tuple(strangers),
    )


def decode_page(query: Mapping[str, str]) -> Page:
    """Read the query of GET /v1/videos."""
    limit, order = query.get("limit", str(_PAGE)), query.get("order", "desc")
    if not re.fullmatch(r"\d{1,3}", limit, re.ASCII) or not 1 <= int(limit) <= MAX_PAGE:
        raise wrong("limit", f"must be a whole number from 1 to {MAX_PAGE}, not {shown(limit)}.")
    if order not in ("asc", "desc"):
        raise wrong("order", f"must be 'asc' or 'desc', not {shown(order)}.")
    return Page(limit=int(limit), after=query.get("after", ""), newest_first=order == "desc")


def _seconds(value: object) -> str:
    """The length as text; clients send "8" and 8."""
    if value is None:
        return ""
    text = str(value) if isinstance(value, (str, int, float)) else ""
    if isinstance(value, bool) or not _SECONDS.fullmatch(text) or float(text) > MAX_SECONDS:
        raise wrong("seconds", f"must be a number of seconds up to {MAX_SECONDS}, such as '8'.")
    return text


def _references(envelope: Mapping[str, Any], sent: Form | object) -> list[File]:
    """The picture to begin with: a file of the form, a link, a data URL or an id; none or one."""
    uploads = sent.files if isinstance(sent, Form) else ()
    files = [as_file(file) for file in uploads if file.key.partition("[")[0] == "input_reference"]
    if "input_image" in envelope:
        files.append(file_from_data(envelope["input_image"], "input_image"))
    match envelope.get("input_reference"):
        case None:
            pass
        case {"file_id": str(file_id)} if file_id:
            files.append(File(file_id=file_id))
        case {"image_url": url}:
            files.append(file_from_url(url, "input_reference.image_url"))
        case str(data):
            files.append(file_from_data(data, "input_reference"))
        case other:
            raise wrong(
                "input_reference",
                "must be a file, a link, a data URL, or an object with 'image_url' or 'file_id', "
                f"not {kind_of(other)}.",
            )
    if len(files) > 1:
        raise wrong("input_reference", f"must be one picture, not {len(files)}.")
    return files
