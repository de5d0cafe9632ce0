"""The settings as they are in force, for people: value, source and meaning of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from poeflask.settings import Settings, Source

_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """A setting as it is shown; no secret stands in it.

    Attributes:
        variable: the environment variable.
        value: with its unit; empty if it is empty, or a secret.
        is_secret: only whether it is set is told.
        is_set: whether it holds anything.
        source: where the value comes from.
        default: the default in words.
        doc: what it means, in one sentence.
    """

    variable: str
    value: str
    is_secret: bool
    is_set: bool
    source: Source
    default: str
    doc: str


def in_force(made: Settings, sources: Mapping[str, Source]) -> list[ShownSetting]:
    """Every setting, in the order in which they are best read.

    Args:
        made: the settings.
        sources: where they come from, by their fields; those that are missing, by default.
    """
    told = []
    defaults = Settings()
    for row in Settings.describe():
        value = getattr(made, row.name)
        # A default stands in the README.
        is_secret = row.secret and value != getattr(defaults, row.name)
        told.append(
            ShownSetting(
                variable=row.variable,
                value="" if is_secret else shown(row.name, value),
                is_secret=is_secret,
                is_set=bool(value),
                source=sources.get(row.name, "default"),
                default=row.default.replace("`", ""),
                doc=row.doc.replace("`", ""),
            )
        )
    return told


def shown(name: str, value: object) -> str:
    """A value for people, with the unit that its name ends in; never a password within a URL."""
    match value:
        case tuple():
            return ", ".join(map(str, value))
        case int() if name.endswith(("_bytes", "_bytes_per_key")):
            return _size(value)
        case int() | float() if name.endswith("_s"):
            return _time(value)
        case Path() | str():
            return _USER_IN_URL.sub("…@", str(value))
    return str(value)


def _time(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("MB", 10**6)):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} B"
