"""Sizes of pictures and films as clients and bots write them: pixels, ratios, classes."""

from __future__ import annotations

import re
from typing import NamedTuple

_PIXELS = re.compile(r"([1-9]\d{1,4})\s?[x*×]\s?([1-9]\d{1,4})", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,3}(?:\.\d{1,2})?):(\d{1,3}(?:\.\d{1,2})?)")
_THOUSANDS = re.compile(r"([1-8])k", re.IGNORECASE)
_LINES = re.compile(r"(\d{3,4})p", re.IGNORECASE)
_POSTURES = {"landscape": 16 / 9, "portrait": 9 / 16, "square": 1.0}


class Size(NamedTuple):
    """A size: width to height, and how many pixels each has if that was said."""

    ratio: float | None = None
    width: int = 0
    height: int = 0
    longer: int = 0


def read_size(text: object) -> Size | None:
    """The size that a text says; None if it says none. "auto" says none either."""
    text = str(text).strip().lower()
    if found := _PIXELS.fullmatch(text):
        width, height = int(found[1]), int(found[2])
        return Size(width / height, width, height, max(width, height))
    if found := _RATIO.fullmatch(text):
        across, down = float(found[1]), float(found[2])
        return Size(across / down) if across and down else None
    if found := _THOUSANDS.fullmatch(text):
        return Size(longer=1024 * int(found[1]))
    if found := _LINES.fullmatch(text):
        return Size(longer=round(int(found[1]) * 16 / 9))
    return Size(_POSTURES[text]) if text in _POSTURES else None


def is_size(text: str) -> bool:
    """Whether a client may ask for this size: one that can be read, or "auto"."""
    return text == "auto" or read_size(text) is not None
