"""Files as clients put them into a request: links, data URLs, bare base64.

Nothing is decoded here and no link is followed: a picture of ten megabytes costs one slice of a
string. Whether the base64 is right to its last letter shows when the file is uploaded.
"""

from __future__ import annotations

import re

from poeflask.core.prompt import File
from poeflask.endpoints.shapes import a_text, wrong

_LINK = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")

_MAX_LINK_CHARS = 16_384
_MAX_HEAD_CHARS = 512
_PROBED_CHARS = 128


def file_from_url(value: object, param: str, name: str = "") -> File:
    """The file behind an http(s) link or inside a data URL.

    Raises:
        ClientError: it is neither, or the data URL is not base64.
    """
    url = a_text(value, param).strip()
    scheme = _SCHEME.match(url)
    match scheme and scheme[0].lower():
        case "data":
            return _file_from_data_url(url, param, name)
        case "http" | "https" if len(url) <= _MAX_LINK_CHARS and _LINK.fullmatch(url):
            return File(url=url, name=name)
        case "http" | "https":
            raise wrong(param, "must be a whole link: a scheme, a host and no spaces.")
        case None:
            raise wrong(param, "must be an http(s) link or a data URL.")
        case other:
            raise wrong(param, f"must be an http(s) link or a data URL, not a link to {other}:.")


def file_from_data(value: object, param: str, content_type: str = "", name: str = "") -> File:
    """The file that a string holds: bare base64, or what `file_from_url` takes.

    `content_type` is what the client says of bare base64; a data URL speaks for itself.

    Raises:
        ClientError: it is none of these.
    """
    data = a_text(value, param)
    if _SCHEME.match(data[:_MAX_HEAD_CHARS]):
        return file_from_url(data, param, name)
    return File(base64=_base64(data, param), content_type=content_type, name=name)


def _file_from_data_url(url: str, param: str, name: str) -> File:
    comma = url.find(",", 0, _MAX_HEAD_CHARS)
    head = url[len("data:") : comma] if comma > 0 else ""
    content_type, *options = [piece.strip() for piece in head.split(";")]
    if "base64" not in [option.lower() for option in options]:
        raise wrong(param, "must be a data URL of the form data:image/png;base64,….")
    if content_type and not _TYPE.fullmatch(content_type):
        raise wrong(param, "names no MIME type that can be understood, such as image/png.")
    data = _base64(url[comma + 1 :], param)
    return File(base64=data, content_type=content_type.lower(), name=name)


def _base64(data: str, param: str) -> str:
    """The text, if its ends look like base64; reading it all would hold up other requests."""
    ends = data[:_PROBED_CHARS], data[-_PROBED_CHARS:]
    if not data or data.isspace():
        raise wrong(param, "holds no data.")
    if not data.isascii() or not all(_BASE64.fullmatch(end) for end in ends):
        raise wrong(param, "must be base64.")
    return data
