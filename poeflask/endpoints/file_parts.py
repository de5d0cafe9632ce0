"""Parts of a message that hold a file, as OpenAI's APIs write them.

Each reader takes the part's fields and its path, and raises a ClientError that names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from poeflask.core.prompt import File
from poeflask.endpoints.inline_files import file_from_data, file_from_url
from poeflask.endpoints.shapes import a_name, a_text, an_object, one_of, shown, wrong

AUDIO_TYPES = {
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/opus",
    "pcm16": "audio/L16",
    "wav": "audio/wav",
    "webm": "audio/webm",
}

VIDEO_TYPES = {
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "webm": "video/webm",
}


def linked(field: str) -> Callable[[Mapping[str, Any], str], File]:
    """A reader of parts that hold a link or a data URL, bare or as {"url": …}."""

    def read(fields: Mapping[str, Any], at: str) -> File:
        value, path = fields.get(field), f"{at}.{field}"
        if isinstance(value, dict):
            return file_from_url(value.get("url"), f"{path}.url")
        if value is None and fields.get("file_id") is not None:
            return File(file_id=a_name(fields["file_id"], f"{at}.file_id"))
        return file_from_url(value, path)

    return read


def recorded(field: str, types: Mapping[str, str]) -> Callable[[Mapping[str, Any], str], File]:
    """A reader of parts that hold {"data": base64, "format": a short word}."""
    stem = field.removeprefix("input_")

    def read(fields: Mapping[str, Any], at: str) -> File:
        path = f"{at}.{field}"
        recording = an_object(fields.get(field), path)
        format_ = a_text(recording.get("format"), f"{path}.format").lower()
        if format_ not in types:
            raise wrong(f"{path}.format", f"must be {one_of(types)}, not {shown(format_)}.")
        data, name = recording.get("data"), f"{stem}.{format_}"
        return file_from_data(data, f"{path}.data", types[format_], name)

    return read


def file_of(fields: Mapping[str, Any], at: str) -> File:
    """The file of a part that holds `file_data`, `file_url` or `file_id`, and maybe `filename`."""
    name = fields.get("filename")
    name = "" if name is None else a_text(name, f"{at}.filename")
    if fields.get("file_data") is not None:
        return file_from_data(fields["file_data"], f"{at}.file_data", name=name)
    if fields.get("file_url") is not None:
        return file_from_url(fields["file_url"], f"{at}.file_url", name)
    if fields.get("file_id") is not None:
        return File(file_id=a_name(fields["file_id"], f"{at}.file_id"), name=name)
    raise wrong(at, "must hold 'file_data', 'file_url' or 'file_id'.")
