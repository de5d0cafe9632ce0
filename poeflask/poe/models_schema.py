"""The fields of `models.yaml`, and what each of them takes. Pure.

What they mean is told in docs/models.md.
"""

from __future__ import annotations

import difflib
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields, pre_load, validate

MAX_MODELS = 2000
MAX_GROUPS = 200
MAX_ALIASES = 50
MAX_FALLBACKS = 8
"""How many there may be: of bots and groups in the file, of the others for each bot."""

_MAX_NAME_CHARS = 128
_MAX_TEXT_CHARS = 20_000
_MAX_PARAMETERS = 100
_MAX_TOKENS = 10**9
_LAST_SECOND = 253_402_300_799
_GROUP_NAME = re.compile(r"[\w][\w.-]{0,63}", re.ASCII)
_MODALITIES = ("text", "image", "audio", "video")
_PRICED = ("prompt", "completion", "request", "image", "input_cache_read", "input_cache_write")
_MOST_DOLLARS = 10_000

T = TypeVar("T")


_EMPTY: dict[str, str | list[Any] | dict[Any, Any]] = {
    "null": "says nothing: give it a value or leave it out."
}
_NO_TABLE = {"type": "must be a table of fields."}


class _Field(fields.Field[T]):
    """A field that is left out where it says nothing."""

    default_error_messages = _EMPTY


class _Switch(_Field[bool]):
    """true or false, and nothing that looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValidationError("must be true or false.")


class _Count(_Field[int]):
    """A whole number above zero."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= self._most:
            return value
        raise ValidationError(f"must be a whole number from 1 to {self._most}.")


class _Moment(_Field[int]):
    """A day, or seconds since 1970."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, date):
            midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
            value = int(midnight.timestamp())
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND:
            return value
        raise ValidationError("must be a day such as 2026-11-22, or seconds since 1970.")


class _Name(_Field[str]):
    """The name of a bot, as clients can write it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        return _name(value)


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError(
            "must be a name; one that reads as a number or a switch needs quotes."
        )
    if not 0 < len(value) <= _MAX_NAME_CHARS:
        raise ValidationError(f"must be a name of 1 to {_MAX_NAME_CHARS} letters.")
    if value != value.strip() or not value.isprintable() or value.startswith("@"):
        raise ValidationError(
            "must be a name without '@' before it, blanks around it, or invisible letters."
        )
    return value


class _Names(_Field[tuple[str, ...]]):
    """One name, or a list of names that differ."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        given = value if isinstance(value, list) else [value]
        if not 0 < len(given) <= self._most:
            raise ValidationError(f"must be a name, or a list of 1 to {self._most} names.")
        names = tuple(_name(name) for name in given)
        if len({name.lower() for name in names}) < len(names):
            raise ValidationError("names the same twice; leave one out.")
        return names


class _Members(_Names):
    """The models of a group, which may have none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        return () if value == [] else super()._deserialize(value, attr, data)


class _Modalities(_Field[tuple[str, ...]]):
    """What a bot takes or gives."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        given = value if isinstance(value, list) else [value]
        if given and all(isinstance(one, str) and one in _MODALITIES for one in given):
            return tuple(dict.fromkeys(given))
        raise ValidationError(f"must be a list of some of: {', '.join(_MODALITIES)}.")


class _Words(_Field[str]):
    """Text for people."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, str) and len(value) <= self._most:
            return value
        raise ValidationError(f"must be a text of at most {self._most} letters.")


class _Parameters(_Field[dict[str, Any]]):
    """A bot's parameters, with values as JSON has them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > _MAX_PARAMETERS or not _is_json(value):
            raise ValidationError(
                f"must be a table of at most {_MAX_PARAMETERS} parameters, with texts, numbers, "
                "true and false, or lists and tables of them."
            )
        return value


def _is_json(value: Any) -> bool:
    match value:
        case dict():
            return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
        case list():
            return all(map(_is_json, value))
        case float():
            return math.isfinite(value)
        case _:
            return value is None or isinstance(value, str | int)


class _Price(_Field[dict[str, str]]):
    """US dollars, by what they are for."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not value.keys() <= set(_PRICED):
            raise ValidationError(f"must be a table of some of: {', '.join(_PRICED)}.")
        return {name: _dollars(name, amount) for name, amount in value.items()}


def _dollars(name: str, amount: Any) -> str:
    try:
        if isinstance(amount, int | float | str) and not isinstance(amount, bool):
            dollars = Decimal(str(amount))
            if dollars.is_finite() and 0 <= dollars <= _MOST_DOLLARS:
                return format(dollars.quantize(Decimal("1e-15")).normalize(), "f")
    except InvalidOperation:
        pass
    raise ValidationError(
        f"{name} must be US dollars for one token, request or picture, such as 0.000003."
    )


class _Table(Schema):
    """A table whose unknown fields are told with what may have been meant."""

    error_messages = _NO_TABLE

    @pre_load
    def _knows_all(self, data: Any, **_: Any) -> Any:
        strange = [name for name in data if name not in self.fields] if _is_table(data) else []
        if strange:
            raise ValidationError({str(name)[:100]: [self._unknown(name)] for name in strange})
        return data

    def _unknown(self, name: object) -> str:
        near = difflib.get_close_matches(str(name), self.fields, n=1, cutoff=0.6)
        meant = f"perhaps {near[0]!r} is meant" if near else f"there are {', '.join(self.fields)}"
        return f"there is no such field; {meant}."


def _is_table(data: object) -> bool:
    return isinstance(data, dict)


def _one_of(*names: str, **kwargs: Any) -> fields.String:
    told = f"must be one of: {', '.join(names)}."
    messages: dict[str, Any] = {"invalid": told, "null": told}
    return fields.String(
        validate=validate.OneOf(names, error=told), error_messages=messages, **kwargs
    )


class _Override(_Table):
    alias = _Names(MAX_ALIASES, attribute="aliases")
    hidden = _Switch()
    disabled = _Switch()
    custom = _Switch()
    owner = _Words(_MAX_NAME_CHARS)
    description = _Words(_MAX_TEXT_CHARS)
    created = _Moment(attribute="created_s")
    parameters = _Parameters()
    tools = _one_of("auto", "native", "prompted")
    reasoning = _one_of("quote", "tags", "any", "none")
    buffered = _Switch()
    flags = _Switch()
    fallback = _Names(MAX_FALLBACKS, attribute="fallbacks")
    price = _Price()
    input = _Modalities(attribute="input_modalities")
    output = _Modalities(attribute="output_modalities")
    context_tokens = _Count(_MAX_TOKENS)
    max_output_tokens = _Count(_MAX_TOKENS)


FIELDS = tuple(_Override().fields)
"""The names of a bot's fields, as the file spells them."""


class _GroupName(_Field[str]):
    """A word that '@' can stand before."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if isinstance(value, str) and _GROUP_NAME.fullmatch(value):
            return value
        raise ValidationError("must be a name of at most 64 letters, digits, '.', '_' and '-'.")


class _File(_Table):
    models = fields.Dict(
        keys=_Name(),
        values=fields.Nested(_Override, allow_none=True),
        allow_none=True,
        validate=validate.Length(max=MAX_MODELS, error=f"must be {MAX_MODELS} bots at most."),
        error_messages={"invalid": "must be a table of bots, each with a table of fields."},
    )
    groups = fields.Dict(
        keys=_GroupName(),
        values=_Members(MAX_MODELS),
        allow_none=True,
        validate=validate.Length(max=MAX_GROUPS, error=f"must be {MAX_GROUPS} groups at most."),
        error_messages={"invalid": "must be a table of groups, each with a list of models."},
    )


FILE = _File()
"""The whole file, as a table."""
