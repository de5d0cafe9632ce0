"""What the owner knows better than Poe's list: the text of `models.yaml`, read into values. Pure.

    models:
      Claude-Sonnet-4.5:
        alias: [sonnet, claude-best]
        tools: prompted
      My-Private-Bot:
        custom: true
    groups:
      cheap: [GPT-4o-Mini, sonnet]

All fields are told in docs/models.md. Names are compared in any case. A file of poe2openai's is
read as it is (`poe.poe2openai`).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from poeflask.core.override import Override
from poeflask.poe import poe2openai, yaml_text

MAX_MODELS = 2000
MAX_GROUPS = 200
MAX_ALIASES = 50
MAX_FALLBACKS = 8
"""How many there may be: of bots and groups in the file, of the others for each bot."""

_MAX_NAME_CHARS = 128
_MAX_TEXT_CHARS = 20_000
_MAX_PARAMETERS = 100
_MAX_TOLD = 5
_MAX_TOKENS = 10**9
_LAST_SECOND = 253_402_300_799
_GROUP_NAME = re.compile(r"[\w][\w.-]{0,63}", re.ASCII)
_MODALITIES = ("text", "image", "audio", "video")
_PRICED = ("prompt", "completion", "request", "image", "input_cache_read", "input_cache_write")
_MOST_DOLLARS = 10_000


class OverridesError(ValueError):
    """The file cannot be used; the message says where, why, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """All that the file says.

    Attributes:
        bots: by the bots' names as the owner wrote them, in the file's order.
        groups: the names of their models, by the groups' names; also as they were written.
        names: the owner's spelling, by the bots' names in lower case.
        aliases: the bots' names in the owner's spelling, by aliases in lower case.
        is_foreign: the file is poe2openai's.
    """

    bots: Mapping[str, Override] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    is_foreign: bool = False

    def of(self, *names: str) -> Override:
        """What is said of the bot that goes by these names, its aliases not among them."""
        for name in names:
            written = self.names.get(name.lower())
            if written is not None:
                return self.bots[written]
        return _NOTHING

    def named(self, name: str) -> str:
        """The bot's name for an alias or a name in any case; the name itself if none is known."""
        return self.aliases.get(name.lower()) or self.names.get(name.lower()) or name


_NOTHING = Override()


def read(text: str) -> Overrides:
    """What a file's text says.

    Raises:
        OverridesError: it is no YAML, or says something that nothing understands.
    """
    value = _value(text)
    foreign = poe2openai.is_foreign(value)
    said = _in_own_fields(value)
    try:
        known = _FILE.load(said)
    except ValidationError as error:
        raise OverridesError(_faults(error.messages)) from error
    bots = {
        name: Override(**(fields or {})) for name, fields in (known.get("models") or {}).items()
    }
    groups = {name: tuple(models) for name, models in (known.get("groups") or {}).items()}
    made = Overrides(
        bots=bots,
        groups=groups,
        names={name.lower(): name for name in bots},
        aliases={alias.lower(): name for name, said in bots.items() for alias in said.aliases},
        is_foreign=foreign,
    )
    faults = list(_collisions(made))
    if faults:
        raise OverridesError(_joined(faults))
    return made


def plain(text: str) -> dict[str, Any]:
    """What the text says in poeflask's own fields, not yet checked.

    Raises:
        OverridesError: it is no YAML, or poe2openai's and wrong.
    """
    return _in_own_fields(_value(text))


def _in_own_fields(value: dict[str, Any]) -> dict[str, Any]:
    try:
        return poe2openai.translated(value) if poe2openai.is_foreign(value) else value
    except ValidationError as error:
        raise OverridesError(_faults(error.messages)) from error


def is_foreign(text: str) -> bool:
    """Whether the text is in poe2openai's form."""
    return poe2openai.is_foreign(_value(text))


def _value(text: str) -> dict[str, Any]:
    try:
        value = yaml_text.read(text)
    except yaml_text.YamlError as error:
        raise OverridesError(str(error)) from error
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise OverridesError('it must begin with "models:", as a table of bots.')


def remarks(overrides: Overrides, listed: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What the owner may not have meant, now that Poe's list is known.

    Args:
        overrides: what the file says.
        listed: the id and the name of each bot that Poe lists.
    """
    spelled = {name.lower(): handle for bot in listed for name in bot for handle in bot[1:]}
    known = {*spelled, *overrides.names, *overrides.aliases}
    told = [
        f"The alias {alias!r} means {bot}, so that Poe's bot {spelled[alias]} cannot be asked."
        for alias, bot in overrides.aliases.items()
        if alias in spelled and spelled[alias].lower() != bot.lower()
    ]
    told += [
        f"Poe lists no bot {name!r}{_perhaps(name, spelled)} If it is a private one, "
        "'custom: true' lists it here."
        for lower, name in overrides.names.items()
        if lower not in spelled and not overrides.bots[name].custom
    ]
    told += [
        f"{place} names {name!r}, which is no bot of Poe's list or of this file"
        f"{_perhaps(name, {one: one for one in known})}"
        for place, name in _mentioned(overrides)
        if name.lower() not in known
    ]
    return tuple(told)


def _mentioned(overrides: Overrides) -> Iterator[tuple[str, str]]:
    for group, names in overrides.groups.items():
        yield from ((f"The group {group!r}", name) for name in names)
    for bot, said in overrides.bots.items():
        yield from ((f"The fallback of {bot}", name) for name in said.fallbacks)


def _perhaps(name: str, spelled: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=0.75)
    return f"; perhaps {spelled[near[0]]!r} is meant." if near else "."


def _collisions(made: Overrides) -> Iterator[str]:
    """Names that would mean two things."""
    owners: dict[str, str] = {}
    for name in made.bots:
        other = owners.setdefault(name.lower(), name)
        if other != name:
            yield f"models.{name}: is the same bot as {other!r}; make one of both."
    taken: dict[str, str] = {}
    for name, said in made.bots.items():
        for alias in said.aliases:
            yield from _alias_faults(name, alias, owners, taken)
        if any(made.named(other).lower() == name.lower() for other in said.fallbacks):
            yield f"models.{name}.fallback: names the bot itself; name another."
    groups: dict[str, str] = {}
    for name in made.groups:
        other = groups.setdefault(name.lower(), name)
        if other != name:
            yield f"groups.{name}: is the same group as {other!r}; make one of both."


def _alias_faults(
    name: str, alias: str, owners: Mapping[str, str], taken: dict[str, str]
) -> Iterator[str]:
    place = f"models.{name}.alias"
    bot = owners.get(alias.lower())
    if bot == name:
        yield f"{place}: {alias!r} is the bot's own name, which needs no alias; leave it out."
    elif bot is not None:
        yield f"{place}: {alias!r} is the name of another bot in this file; choose another."
    other = taken.setdefault(alias.lower(), name)
    if other != name:
        yield f"{place}: {alias!r} is also an alias of {other}; only one of them can have it."


# The file's fields. What each one means is told in docs/models.md.


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


_FILE = _File()


def _faults(messages: Any) -> str:
    return _joined(list(_sentences(messages)))


def _joined(faults: list[str]) -> str:
    """The first faults in one line, and how many there are besides."""
    told = faults[:_MAX_TOLD]
    more = len(faults) - len(told)
    return " ".join([*told, f"And {more} more."] if more else told)


def _sentences(messages: Any, path: str = "") -> Iterator[str]:
    """The sentences in marshmallow's tree of faults, each behind the path that leads to it."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            under = path if name in ("key", "value", "_schema") else f"{path}.{name}".lstrip(".")
            yield from _sentences(inner, under)
        return
    yield f"{path}: {messages[0]}" if path else str(messages[0])
