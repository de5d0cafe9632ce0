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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from poeflask.core.override import Override
from poeflask.poe import poe2openai
from poeflask.poe.models_schema import FILE

_MAX_TOLD = 5
_MAX_STEP_CHARS = 100


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
        known = FILE.load(said)
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
    from poeflask.poe import yaml_text

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
            step = str(name)[:_MAX_STEP_CHARS]
            step = step if step.isprintable() else repr(step)
            under = path if name in ("key", "value", "_schema") else f"{path}.{step}".lstrip(".")
            yield from _sentences(inner, under)
        return
    yield f"{path}: {messages[0]}" if path else str(messages[0])
