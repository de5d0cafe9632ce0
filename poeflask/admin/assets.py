"""Stylesheets, scripts and libraries of the admin page, all shipped with the program.

They stand under /admin/static/<version>/, where the version is made of all their bytes: a browser
keeps them for good and asks for new ones when anything changed. Scripts import each other by
relative names and so stay within one version.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("static")

TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""What is served; licences and notes lie beside it and are not."""

_FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def names() -> frozenset[str]:
    """All files that are served, by their paths within the folder."""
    return frozenset(
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*")
        if path.suffix in TYPES and path.is_file()
    )


@cache
def version() -> str:
    """Changes with any of the files."""
    digest = hashlib.sha256()
    for name in sorted(names()):
        digest.update(f"{name}\n".encode() + (FOLDER / name).read_bytes())
    return digest.hexdigest()[:16]


def content(name: str) -> bytes:
    """A file's bytes.

    Raises:
        KeyError: it is not one of `names()`.
    """
    if name not in names():
        raise KeyError(name)
    return (FOLDER / name).read_bytes()


def headers() -> dict[str, str]:
    """What is said of every file beside its type."""
    return {"Cache-Control": _FOR_GOOD}
