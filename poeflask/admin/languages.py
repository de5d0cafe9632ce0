"""The words of the admin page in each language, as files: languages/<language>/<page>.json.

A text's name is the file's name, a point and its key: "settings.title". Places stand in braces,
`{count}`; what fills them is taken as it is. What a language lacks is shown in English.

What a setting means stands in languages/<language>.settings.json by its variable; in English it is
what `poeflask.settings` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from poeflask.core import json_text

NAMES: Mapping[str, str] = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}
"""The languages, each as those who read it call it; the first is the one that is complete."""

_FIRST = next(iter(NAMES))
_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")
_PLACE = re.compile(r"\{(\w+)\}")


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of a language by their names; those that it lacks are missing."""
    folder = resources.files("poeflask.admin") / "languages" / language
    return {
        f"{file.name.removesuffix('.json')}.{key}": text
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        for key, text in json_text.read(file.read_bytes()).items()
    }


@cache
def setting_docs(language: str) -> Mapping[str, str]:
    """What settings mean, by their variables; those that the language lacks are missing."""
    if language == _FIRST:
        return {}
    file = resources.files("poeflask.admin") / "languages" / f"{language}.settings.json"
    docs: dict[str, str] = json_text.read(file.read_bytes())
    return docs


def text(language: str, name: str, /, **places: object) -> str:
    """A text with its places filled in.

    Raises:
        KeyError: no language has a text of that name.
    """
    found = texts(language).get(name)
    if found is None:
        found = texts(_FIRST)[name]
    return _PLACE.sub(lambda place: str(places.get(place[1], place[0])), found)


def begins(language: str, prefix: str) -> dict[str, str]:
    """All texts whose names begin so, by what follows."""
    names = (name for name in texts(_FIRST) if name.startswith(prefix))
    return {name.removeprefix(prefix): text(language, name) for name in names}


def chosen(cookie: str, accepted: list[str]) -> str:
    """The language to show.

    Args:
        cookie: what the reader chose before; may be anything.
        accepted: what the browser asks for, the best first, as in Accept-Language.
    """
    if cookie in NAMES:
        return cookie
    return next(filter(None, map(_of_browser, accepted)), _FIRST)


def _of_browser(tag: str) -> str:
    lowered = tag.lower().replace("_", "-")
    if lowered.startswith("zh"):
        return "zh-Hant" if lowered.startswith(_TRADITIONAL) else "zh-Hans"
    return lowered.split("-")[0] if lowered.split("-")[0] in NAMES else ""
