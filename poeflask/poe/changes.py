"""Changes of what `models.yaml` says, as functions from plain values to plain values. Pure.

They take what `overrides.plain` gives and leave no empty table behind, so that
`yaml_text.edited` can write what they give. Whether it makes sense is found when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Plain = dict[str, Any]
Change = Callable[[Plain], Plain]


def set_fields(names: Iterable[str], said: Mapping[str, Any]) -> Change:
    """Give the fields to each bot of these names; None takes a field away.

    A dot leads into a table: "parameters.effort".
    """
    wanted = tuple(names)

    def change(plain: Plain) -> Plain:
        models = dict(_table(plain, "models"))
        for name in wanted:
            key = _spelled(models, name)
            models[key] = _with_fields(models.get(key) or {}, said)
            if not models[key]:
                del models[key]
        return _with(plain, "models", models)

    return change


def unsaid(plain: Plain, name: str, fields: Iterable[str]) -> list[str]:
    """Those of the fields, dots as in `set_fields`, of which nothing is said of the bot."""
    models = _table(plain, "models")
    said = models.get(_spelled(models, name)) or {}
    return [field for field in fields if not _holds(said, field)]


def add_aliases(name: str, aliases: Iterable[str]) -> Change:
    """Give the bot further aliases; those that it has already are no fault."""
    added = tuple(aliases)

    def change(plain: Plain) -> Plain:
        had = aliases_of(plain, name)
        known = {alias.lower() for alias in had}
        new = [alias for alias in added if alias.lower() not in known]
        return set_fields([name], {"alias": [*had, *new]})(plain)

    return change


def remove_aliases(aliases: Iterable[str]) -> Change:
    """Take these aliases from whichever bots have them."""
    gone = {alias.lower() for alias in aliases}

    def change(plain: Plain) -> Plain:
        for name in _table(plain, "models"):
            had = aliases_of(plain, name)
            kept = [alias for alias in had if alias.lower() not in gone]
            if len(kept) < len(had):
                plain = set_fields([name], {"alias": kept or None})(plain)
        return plain

    return change


def rename_alias(alias: str, new: str) -> Change:
    """Call the bot by another alias, at the same place in its list."""

    def change(plain: Plain) -> Plain:
        for name in _table(plain, "models"):
            had = aliases_of(plain, name)
            kept = [new if one.lower() == alias.lower() else one for one in had]
            if kept != had:
                plain = set_fields([name], {"alias": kept})(plain)
        return plain

    return change


def add_custom(name: str, said: Mapping[str, Any]) -> Change:
    """List a bot that Poe does not list."""
    return set_fields([name], {"custom": True, **said})


def forget(names: Iterable[str]) -> Change:
    """Take away all that is said of these bots."""
    gone = {name.lower() for name in names}

    def change(plain: Plain) -> Plain:
        models = {
            name: said for name, said in _table(plain, "models").items() if name.lower() not in gone
        }
        return _with(plain, "models", models)

    return change


def set_group(name: str, models: Iterable[str] | None) -> Change:
    """Make these the models of a group; None takes the group away."""
    members = None if models is None else list(models)

    def change(plain: Plain) -> Plain:
        groups = dict(_table(plain, "groups"))
        key = _spelled(groups, name)
        groups.pop(key, None) if members is None else groups.update({key: members})
        return _with(plain, "groups", groups)

    return change


def taken_over(other: Plain) -> Change:
    """Say all that another file says too; where both speak of a field, the other one wins."""

    def change(plain: Plain) -> Plain:
        for name, said in _table(other, "models").items():
            plain = set_fields([name], said or {})(plain)
        for name, members in _table(other, "groups").items():
            plain = set_group(name, members)(plain)
        return plain

    return change


def aliases_of(plain: Plain, name: str) -> list[str]:
    """The aliases that the bot has."""
    models = _table(plain, "models")
    said = (models.get(_spelled(models, name)) or {}).get("alias", [])
    return list(said) if isinstance(said, list) else [said]


def _table(plain: Plain, section: str) -> Plain:
    return plain.get(section) or {}


def _holds(table: Any, field: str) -> bool:
    outer, _, inner = field.partition(".")
    if not isinstance(table, dict) or outer not in table:
        return False
    return _holds(table[outer], inner) if inner else True


def _spelled(table: Plain, name: str) -> str:
    """The key of that name, as it is written already."""
    return next((key for key in table if key.lower() == name.lower()), name)


def _with(plain: Plain, section: str, table: Plain) -> Plain:
    """The whole with this section, or without it if it is empty."""
    if table:
        return {**plain, section: table}
    return {name: value for name, value in plain.items() if name != section}


def _with_fields(before: Plain, said: Mapping[str, Any]) -> Plain:
    made = dict(before)
    for name, value in said.items():
        field, _, inner = name.partition(".")
        if inner:
            table = made.get(field)
            value = _with_fields(table if isinstance(table, dict) else {}, {inner: value}) or None
        made.pop(field, None) if value is None else made.update({field: value})
    return made
