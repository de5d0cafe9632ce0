"""How the text of a setting becomes its value.

Each function takes the text and gives the value, or makes one that does. What cannot be the value
raises `UnfitError`, whose message says what would be right.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class UnfitError(ValueError):
    """A text that cannot be the value; the message says what would be right: "a number ..."."""


def as_it_is(text: str) -> str:
    """The text."""
    return text


def password(text: str) -> str:
    """A password that is not too short, or none."""
    if text and not 8 <= len(text) <= 256:
        raise UnfitError("a password of 8 to 256 characters")
    return text


def choice(*names: str) -> Callable[[str], Any]:
    """One of these words, in any case."""

    def read(text: str) -> str:
        if text.lower() in names:
            return text.lower()
        raise UnfitError("one of " + ", ".join(names))

    return read


def log_level(text: str) -> Any:
    """As `logging` names it; "warn" is how poe2openai says "warning"."""
    read = choice("debug", "info", "warning", "error")
    return read("warning" if text.lower() == "warn" else text)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A whole number within these bounds."""
    wanted = f"a whole number from {least}" + ("" if most is None else f" to {most}")

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise UnfitError(wanted)
        number = int(text)
        if number < least or (most is not None and number > most):
            raise UnfitError(wanted)
        return number

    return read


def seconds(least: float) -> Callable[[str], float]:
    """A time of at least so many seconds."""
    wanted = f"a number of seconds, at least {least:g}"

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError as error:
            raise UnfitError(wanted) from error
        if not math.isfinite(number) or number < least:
            raise UnfitError(wanted)
        return number

    return read


_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}


def size(text: str) -> int:
    """A number of bytes, with a unit or without."""
    match = re.fullmatch(r"([0-9]{1,15})\s*([a-z]*)", text.lower())
    if match is None or match[2] not in _UNITS or int(match[1]) == 0:
        raise UnfitError('a size above zero, such as "1048576", "10MB" or "64MiB"')
    return int(match[1]) * _UNITS[match[2]]


def url(text: str) -> str:
    """An absolute URL, without the slash at its end."""
    if not _is_url(text, {"http", "https"}):
        raise UnfitError('a URL, such as "https://api.poe.com"')
    return text.rstrip("/")


def otlp_endpoint(text: str) -> str:
    """As `url`, or empty."""
    if text and not _is_url(text, {"http", "https"}):
        raise UnfitError('a URL, such as "http://localhost:4318"')
    return text.rstrip("/")


def proxy_url(text: str) -> str:
    """As `url`, or empty; it may hold a password and is not shown."""
    if text and not _is_url(text, {"http", "https"}):
        raise UnfitError('the URL of a proxy, such as "http://user:password@proxy:3128"')
    return text


def _is_url(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def store_url(text: str) -> str:
    """The words in any case; a URL as it is, since its password has a case."""
    if text.lower() in {"sqlite", "memory"}:
        return text.lower()
    try:
        parts = urlsplit(text)
        there = bool(parts.path) if parts.scheme == "unix" else bool(parts.hostname)
        fits = parts.scheme in {"redis", "rediss", "unix"} and there and parts.port != 0
    except ValueError:
        fits = False
    if fits:
        return text
    raise UnfitError(
        'sqlite, memory, or the URL of a Redis, such as "redis://:password@host:6379/0"'
    )


def host(text: str) -> str:
    """An address, a name, or "unix:" and a path."""
    if text.startswith("unix:"):
        if text.startswith("unix:/") and not text.endswith("/"):
            return text
        raise UnfitError('a socket\'s whole path, such as "unix:/run/poeflask/http.sock"')
    bare = text.removeprefix("[").removesuffix("]")
    if is_address(bare) or re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", bare):
        return bare
    raise UnfitError('an address, a name, or "unix:" and the path of a socket')


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class KeyOfPoe:
    """A key of Poe's, what its owner calls it, and how much of the work it gets."""

    name: str
    key: str = field(repr=False)
    weight: int


_KEY_OF_POE = re.compile(r"(?:([\w.-]{1,40}):)?([!-~]{1,512}?)(?:\*([0-9]{1,4}))?", re.ASCII)


def keys_of_poe(text: str) -> tuple[KeyOfPoe, ...]:
    """Keys with commas or white space between: KEY, NAME:KEY, KEY*WEIGHT or NAME:KEY*WEIGHT."""
    found = [_KEY_OF_POE.fullmatch(entry) for entry in re.split(r"[,\s]+", text) if entry]
    keys = tuple(
        KeyOfPoe(match[1] or f"key-{number}", match[2], int(match[3] or 1))
        for number, match in enumerate(found, 1)
        if match is not None
    )
    names, secrets = {one.name for one in keys}, {one.key for one in keys}
    unique = len(names) == len(secrets) == len(found)
    if unique and all(one.weight and not set(one.key) & set(":*") for one in keys):
        return keys
    raise UnfitError(
        "keys with commas or line ends between, each written KEY, NAME:KEY, KEY*WEIGHT or "
        "NAME:KEY*WEIGHT, with no name and no key twice and whole weights above 0"
    )


def origins(text: str) -> tuple[str, ...]:
    """Origins with commas between them; "*" is every origin, "none" is none."""
    if text.lower() == "none":
        return ()
    origins = tuple(origin for part in text.split(",") if (origin := part.strip().rstrip("/")))
    if all(origin == "*" or _is_url(origin, {"http", "https"}) for origin in origins):
        return origins
    raise UnfitError('"*", "none", or origins such as "https://a.example, https://b.example"')


def directory(text: str) -> Path:
    """A whole path; "~" is the home of whoever runs this."""
    return Path(text).expanduser().absolute()
