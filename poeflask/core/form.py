"""A form as values: what a client sends as multipart/form-data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """A file of a form; `key` is the form's name for it, `name` the file's own."""

    key: str
    name: str = ""
    content_type: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its texts as (key, text) and its files, each in the order sent."""

    texts: tuple[tuple[str, str], ...] = ()
    files: tuple[FormFile, ...] = ()
