"""Media types: what a file's first bytes say it is, and which names go with which type."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "application/octet-stream"
SNIFFED_BYTES: Final = 4096
"""How much of a file's beginning `sniffed` looks at."""

_GENERIC = frozenset({"", UNKNOWN, "binary/octet-stream", "application/x-binary", "unknown"})
_OTHER_SPELLINGS = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "application/x-pdf": "application/pdf",
}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_EXTENSIONS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "ico": "image/x-icon",
    "avif": "image/avif",
    "heic": "image/heic",
    "svg": "image/svg+xml",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "pdf": "application/pdf",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "zip": "application/zip",
    "gz": "application/gzip",
    "json": "application/json",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "csv": "text/csv",
    "xml": "application/xml",
    "py": "text/x-python",
}
_NAME_ENDINGS = {kind: ending for ending, kind in reversed(_EXTENSIONS.items())}

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"<svg", "image/svg+xml"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_ZIPPED = (
    (b"word/", _EXTENSIONS["docx"]),
    (b"xl/", _EXTENSIONS["xlsx"]),
    (b"ppt/", _EXTENSIONS["pptx"]),
)


def plain_type(content_type: str) -> str:
    """A media type in its usual spelling, without parameters; empty if it says nothing."""
    plain = content_type.partition(";")[0].strip().lower()
    if plain in _GENERIC or "*" in plain or "/" not in plain:
        return ""
    return _OTHER_SPELLINGS.get(plain, plain)


def sniffed(head: bytes) -> str:
    """The media type that a file's first bytes show; empty if they show none."""
    head = head[:SNIFFED_BYTES]
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"PK\x03\x04"):
        return next((kind for mark, kind in _ZIPPED if mark in head), "application/zip")
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    return "text/plain" if _is_text(head) else ""


def type_of_name(name: str) -> str:
    """The media type that a name's ending stands for; empty if it stands for none."""
    return _EXTENSIONS.get(name.rpartition(".")[2].lower(), "") if "." in name else ""


def media_type(content_type: str, name: str, head: bytes) -> str:
    """The media type of a file: what was said of it, unless its bytes say better.

    A picture is what its bytes are, whatever was said: bots refuse a JPEG that is called PNG.
    """
    shown = sniffed(head)
    if shown.startswith("image/"):
        return shown
    said = plain_type(content_type) or type_of_name(name)
    return said or shown or UNKNOWN


def default_name(content_type: str) -> str:
    """A name for a file that has none, such as "image.png"."""
    ending = _NAME_ENDINGS.get(content_type)
    family = content_type.partition("/")[0]
    stem = family if family in ("image", "audio", "video") else "file"
    return f"{stem}.{ending}" if ending else stem


def _is_text(head: bytes) -> bool:
    if not head or b"\x00" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= SNIFFED_BYTES - 3
    return True
