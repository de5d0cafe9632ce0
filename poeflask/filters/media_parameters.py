"""What clients ask of pictures, sounds and films, in the words of the bot that makes them.

Clients say "1536x1024", "hd", "alloy"; each bot declares parameters of its own: `aspect` with a
list of ratios, `size` with an asterisk, `duration` in texts such as "8s". For every wish there is a
list of parameters that may carry it; the first one that the bot declares and that can hold
something near enough carries it. What no parameter can carry is named, so that the client is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import log
from typing import Any, NamedTuple

from poeflask.core.picture_size import Size, read_size
from poeflask.core.profile import Parameter, Profile


class Fitted(NamedTuple):
    """Wishes as the bot's parameters, and the names of those that it cannot honour."""

    parameters: dict[str, Any]
    ignored: tuple[str, ...]


def fitted(wishes: Mapping[str, Any], profile: Profile) -> Fitted:
    """The bot's parameters that come nearest to the wishes.

    Args:
        wishes: by the names that `_CARRIERS` knows and "size"; any other name is carried by a
            parameter of that very name. None and "auto" wish for nothing.
        profile: the bot, with the parameters that it declares.
    """
    parameters: dict[str, Any] = {}
    ignored: list[str] = []
    for name, wish in wishes.items():
        if wish is None or wish == "auto":
            continue
        found = _carried(name, wish, profile.parameters)
        parameters.update(found)
        if not found:
            ignored.append(name)
    return Fitted(parameters, tuple(ignored))


def _carried(name: str, wish: Any, declared: Mapping[str, Parameter]) -> dict[str, Any]:
    if name == "size":
        return _carried_size(str(wish), declared)
    for parameter_name, fit in _CARRIERS.get(name, ((name, None),)):
        parameter = declared.get(parameter_name)
        value = None if parameter is None else (fit or _allowed)(wish, parameter)
        if value is not None:
            return {parameter_name: value}
    return {}


# A wish as one value that a parameter allows; None if none is near enough.

_Fit = Callable[[Any, Parameter], Any]


def _allowed(wish: Any, parameter: Parameter) -> Any:
    """The allowed value that is the wish, in whichever spelling, or the nearest number."""
    members = _members(parameter)
    if members:
        return _same(wish, members) if _number(wish) is None else _nearest(wish, members)
    match parameter.schema.get("type"):
        case "boolean":
            return wish if isinstance(wish, bool) else None
        case "number" | "integer":
            return _bounded(wish, parameter.schema)
        case "string":
            return _as_text(wish)
    return None


def _members(parameter: Parameter) -> list[Any]:
    members = parameter.schema.get("enum")
    return members if isinstance(members, list) else []


def _letters(value: Any) -> str:
    return re.sub(r"[\W_]+", "", str(value).lower())


def _same(wish: Any, members: list[Any]) -> Any:
    """The member that is spelled the same but for case and punctuation, or begins so."""
    spelled = _letters(wish)
    if not spelled:
        return None
    for member in members:
        if _letters(member) == spelled or _OTHER_SPELLINGS.get(spelled) == _letters(member):
            return member
    for member in members:
        first_word = re.split(r"\s+[-–]\s+|[-_/\s]", str(member).strip(), maxsplit=1)[0]
        if _letters(first_word) == spelled:
            return member
    return None


_OTHER_SPELLINGS = {"jpeg": "jpg", "jpg": "jpeg", "opus": "ogg"}

_NUMBER = re.compile(r"\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*(?:s|sec|secs|seconds|p)?\s*", re.IGNORECASE)


def _number(value: Any) -> float | None:
    """The number that a value is or says, also as "8s" or "720p"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else float(found[1])


def _nearest(wish: Any, members: list[Any]) -> Any:
    wanted = _number(wish)
    numbers = [(_number(member), member) for member in members]
    near = [
        (abs(number - (wanted or 0)), member) for number, member in numbers if number is not None
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _bounded(wish: Any, schema: Mapping[str, Any]) -> int | float | None:
    number = _number(wish)
    if number is None:
        return None
    low, high = _number(schema.get("minimum")), _number(schema.get("maximum"))
    number = number if low is None else max(number, low)
    number = number if high is None else min(number, high)
    whole = schema.get("type") == "integer" or number.is_integer()
    return round(number) if whole else number


def _as_text(wish: Any) -> str | None:
    if isinstance(wish, bool):
        return None
    return f"{wish:g}" if isinstance(wish, float) else str(wish)


_RANKS = {
    "draft": 0,
    "low": 1,
    "fast": 1,
    "standard": 2,
    "medium": 2,
    "balanced": 2,
    "high": 3,
    "hd": 3,
    "premium": 3,
    "xhigh": 4,
    "ultra": 4,
    "max": 5,
}


def _quality(wish: Any, parameter: Parameter) -> Any:
    """The nearest of low, medium, high and their kin; a name that has no rank must be the same."""
    rank = _RANKS.get(str(wish).lower())
    members = _members(parameter)
    ranked = [(_RANKS[str(one).lower()], one) for one in members if str(one).lower() in _RANKS]
    if rank is None or not ranked:
        return _allowed(wish, parameter)
    return min(ranked, key=lambda pair: (abs(pair[0] - rank), -pair[0]))[1]


def _if(wanted: str) -> _Fit:
    """A parameter that is true exactly if the wish is this word."""

    def fit(wish: Any, parameter: Parameter) -> Any:
        return wish == wanted if parameter.schema.get("type") == "boolean" else None

    return fit


def _language(wish: Any, parameter: Parameter) -> Any:
    """A language by its code, with or without a country, or by its English name."""
    members = _members(parameter)
    if not members:
        return _allowed(wish, parameter)
    code = str(wish).lower().replace("_", "-").partition("-")[0]
    return _same(wish, members) or _same(code, members) or _same(_LANGUAGES.get(code, ""), members)


_LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}

_CARRIERS: Mapping[str, tuple[tuple[str, _Fit], ...]] = {
    "quality": (("quality", _quality), ("image_quality", _quality)),
    "style": (("style", _allowed),),
    "background": (("background", _allowed), ("transparent_background", _if("transparent"))),
    "output_format": (("output_format", _allowed), ("format", _allowed)),
    "input_fidelity": (("input_fidelity", _allowed), ("use_high_fidelity", _if("high"))),
    "mask": (("use_mask", _allowed),),
    "response_format": (("output_format", _allowed), ("format", _allowed)),
    "voice": (("voice", _allowed), ("voice_id", _allowed)),
    "speed": (("speed", _allowed), ("speaking_rate", _allowed)),
    "instructions": (("style_prompt", _allowed), ("instructions", _allowed)),
    "language": (("language", _language), ("language_code", _language)),
    "seconds": (("duration", _allowed), ("seconds", _allowed), ("length", _allowed)),
    "negative_prompt": (("negative_prompt", _allowed), ("no", _allowed)),
}
"""By wish: the parameters that may carry it, the best first. Names and values from Poe's own list
of bots, as it was in November 2026."""


# Size: the one wish that several parameters may carry together.


def _carried_size(text: str, declared: Mapping[str, Parameter]) -> dict[str, Any]:
    """A size as shape (one of `_SHAPES`, or width and height) and as grade (one of `_GRADES`)."""
    size = read_size(text)
    if size is None:
        return {}
    found = _sides(size, declared)
    shapes = ((name, _shape) for name in _SHAPES) if not found else ()
    grades = ((name, _grade) for name in _GRADES)
    for group in (shapes, grades):
        for name, fit in group:
            value = fit(size, declared[name]) if name in declared else None
            if value is not None:
                found[name] = value
                break
    return found


_SHAPES = ("size", "aspect", "aspect_ratio", "resolution")
_GRADES = ("image_size", "resolution")


def _sides(size: Size, declared: Mapping[str, Parameter]) -> dict[str, Any]:
    if not size.width or "width" not in declared or "height" not in declared:
        return {}
    width = _allowed(size.width, declared["width"])
    height = _allowed(size.height, declared["height"])
    return {} if width is None or height is None else {"width": width, "height": height}


def _shape(size: Size, parameter: Parameter) -> Any:
    """The member whose shape is nearest, among those the one whose pixels are nearest."""
    if size.ratio is None:
        return None
    members = _members(parameter)
    if not members and parameter.name == "size":
        return f"{size.width}x{size.height}" if size.width else None
    shaped = [(read_size(member), member) for member in members]
    near = [
        (round(abs(log(one.ratio / size.ratio)), 3), abs(one.longer - size.longer), place)
        for place, (one, _) in enumerate(shaped)
        if one is not None and one.ratio is not None
    ]
    return members[min(near)[2]] if near else None


def _grade(size: Size, parameter: Parameter) -> Any:
    """The member, such as "2K" or "720p", whose longer side is nearest."""
    graded = [(read_size(member), member) for member in _members(parameter)]
    near = [
        (abs(log(one.longer / size.longer)), place)
        for place, (one, _) in enumerate(graded)
        if size.longer and one is not None and one.longer and one.ratio is None
    ]
    return graded[min(near)[1]][1] if near else None
