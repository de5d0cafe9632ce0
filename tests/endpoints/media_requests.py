"""What the tests of pictures, sounds and films share: wrong requests as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from poeflask.core.form import Form, FormFile

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 8
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt "


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One wrong request.

    Attributes:
        name: what is wrong, in a few words.
        path: where it is sent.
        sent: a form, or the JSON value.
        param: the field that the error must name.
        word: what its message must hold.
        code: its code.
    """

    name: str
    path: str
    sent: Any
    param: str | None
    word: str = ""
    code: str | None = None


def form(*files: FormFile, **texts: str) -> Form:
    """A form with these texts and files."""
    return Form(tuple(texts.items()), files)


def file(key: str, content: bytes = PNG, name: str = "a.png", content_type: str = "") -> FormFile:
    """A file of a form."""
    return FormFile(key=key, name=name, content_type=content_type, content=content)
