"""`poeflask models`: what this server offers, and `models.yaml` changed without an editor."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from poeflask.commands.surroundings import Surroundings, surroundings
from poeflask.commands.tables import show_table
from poeflask.core.errors import PoeflaskError
from poeflask.core.override import KnownBot
from poeflask.endpoints.models.encode import known_list, known_model
from poeflask.poe import changes, yaml_text
from poeflask.poe.changes import Change
from poeflask.poe.models_file import EditError, ModelsFile
from poeflask.poe.overrides import OverridesError, plain, read, remarks

_KINDS = ("text", "image", "audio", "video")
_SEEN = "Running workers see it within a second."

_NAMES = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@click.group()
def models() -> None:
    """What models are offered, and how: reads and changes models.yaml.

    A NAME is a bot's name or an alias in any case, or a group: @cheap.
    """


@models.command("list")
@click.option("--all", "everything", is_flag=True, help="Hidden and disabled ones too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all that is known.")
@click.option("--kind", type=click.Choice(_KINDS), help="Those that give this.")
@click.option("--search", default="", help="Those whose name or description has this in it.")
def list_models(everything: bool, as_json: bool, kind: str | None, search: str) -> None:
    """List the models, in the order in which clients see them."""
    with surroundings() as found:
        known = _known(found)
    chosen = [
        one
        for one in known
        if (everything or one.shows_its_name or _listed_aliases(one))
        and (kind is None or kind in one.bot.output_modalities)
        and search.casefold() in _searched(one)
    ]
    if as_json:
        click.echo(json.dumps(known_list(chosen), ensure_ascii=False, indent=2))
        return
    show_table(("MODEL", "GIVES", "OWNER", "CONTEXT", "ALIASES", "STATE"), map(_row, chosen))


@models.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(name: str, as_json: bool) -> None:
    """Tell all that is known of one model, and where each value comes from."""
    with surroundings() as found:
        known = _known(found)
        bot = found.models_file.overrides().named(name).lower()
    one = next((one for one in known if bot in (one.bot.id, one.bot.handle.lower())), None)
    if one is None:
        spelled = {one.bot.handle.lower(): one.bot.handle for one in known}
        raise click.ClickException(f"No model {name!r} is known{_perhaps(name, spelled)}")
    told = known_model(one)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    sources = told.pop("sources")
    show_table(
        ("FIELD", "VALUE", "FROM"),
        [(field, _cell(value), sources.get(field, "")) for field, value in told.items()],
    )


@models.command("set")
@click.argument("name")
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
def set_fields(name: str, fields: Sequence[str]) -> None:
    """Say something of a model: tools=native, 'alias=[a, b]', parameters.effort=high.

    Values are YAML; docs/models.md tells the fields.
    """
    said = dict(map(_assignment, fields))
    with surroundings() as found:
        names = _bots(found, [name])
        _edit(found.models_file, changes.set_fields(names, said))
    click.echo(f"Set {', '.join(said)} of {_listing(names)}. {_SEEN}")


@models.command()
@click.argument("name")
@click.argument("fields", metavar="FIELD...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is said of it.")
def unset(name: str, fields: Sequence[str], everything: bool) -> None:
    """Leave a field of a model to Poe's list again."""
    if bool(fields) == everything:
        raise click.UsageError("Name the fields, or give --all for all of them.")
    with surroundings() as found:
        names = _bots(found, [name])
        change = changes.forget(names) if everything else _unsetting(names, fields)
        _edit(found.models_file, change)
    click.echo(f"Unset {', '.join(fields) or 'all'} of {_listing(names)}. {_SEEN}")


def _unsetting(names: Sequence[str], fields: Sequence[str]) -> Change:
    def change(plain: changes.Plain) -> changes.Plain:
        for field in fields:
            if all(changes.unsaid(plain, name, [field]) for name in names):
                raise OverridesError(f"it says nothing of {field!r} for {_listing(names)}.")
        return changes.set_fields(names, dict.fromkeys(fields))(plain)

    return change


def _switch(command: str, done: str, field: str, value: bool | None, told: str) -> None:
    """Add a command that gives many models the same value."""

    @models.command(command, help=told)
    @_NAMES
    def switch(names: Sequence[str]) -> None:
        with surroundings() as found:
            bots = _bots(found, names)
            _edit(found.models_file, changes.set_fields(bots, {field: value}))
        click.echo(f"{done} {_listing(bots)}. {_SEEN}")


_switch("enable", "Enabled", "disabled", None, "Let clients ask models again.")
_switch("disable", "Disabled", "disabled", True, "Refuse models by whatever name.")
_switch("hide", "Hid", "hidden", True, "List models no more under their own names.")
_switch("unhide", "Unhid", "hidden", None, "List models again.")


@models.command()
@click.argument("name")
@click.argument("aliases", metavar="ALIAS...", nargs=-1, required=True)
def alias(name: str, aliases: Sequence[str]) -> None:
    """Give a model further names."""
    with surroundings() as found:
        bot = _bot(found, name)
        _edit(found.models_file, changes.add_aliases(bot, aliases))
        for taken in _taken(found, aliases, bot):
            click.echo(f"remark: Poe's bot {taken} cannot be asked any more.", err=True)
    click.echo(f"{_listing(aliases)} now means {bot}. {_SEEN}")


@models.command()
@click.argument("aliases", metavar="ALIAS...", nargs=-1, required=True)
def unalias(aliases: Sequence[str]) -> None:
    """Take such names away."""
    with surroundings() as found:
        known = found.models_file.overrides().aliases
        unknown = [one for one in aliases if one.lower() not in known]
        if unknown:
            raise click.ClickException(
                f"{_listing(unknown)} is no alias{_perhaps(unknown[0], {a: a for a in known})}"
            )
        _edit(found.models_file, changes.remove_aliases(aliases))
    click.echo(f"{_listing(aliases)} means nothing of its own any more. {_SEEN}")


@models.command()
@click.argument("group")
@_NAMES
def group(group: str, names: Sequence[str]) -> None:
    """Make a group of models, or give it other ones."""
    with surroundings() as found:
        bots = _bots(found, names)
        _edit(found.models_file, changes.set_group(group.removeprefix("@"), bots))
    click.echo(f"@{group.removeprefix('@')} is now {_listing(bots)}. {_SEEN}")


@models.command()
@click.argument("group")
def ungroup(group: str) -> None:
    """Take a group away; its models stay."""
    name = group.removeprefix("@")
    with surroundings() as found:
        if found.catalogue.group(name) is None:
            raise click.ClickException(_no_group(found.models_file, name))
        _edit(found.models_file, changes.set_group(name, None))
    click.echo(f"There is no group @{name} any more. {_SEEN}")


@models.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Take over what another models.yaml says, such as poe2openai's."""
    try:
        text = file.read_text("utf-8-sig")
        count = len(read(text).bots)
        other = plain(text)
    except (OSError, UnicodeDecodeError, OverridesError) as error:
        raise click.ClickException(f"{file} cannot be used: {error}") from error
    with surroundings() as found:
        _edit(found.models_file, changes.taken_over(other))
    click.echo(f"Took over what {file} says of {count} models. {_SEEN}")


@models.command()
def check() -> None:
    """Look for what is wrong in models.yaml, and for what may not be meant."""
    with surroundings() as found:
        path, fault = found.models_file.path, found.models_file.fault()
        if fault:
            raise click.ClickException(f"{path} cannot be used: {fault}")
        if found.models_file.overrides().is_foreign:
            click.echo("remark: It is poe2openai's, and read as such; a change rewrites it.")
        listed = found.listed.at_hand()
        told = remarks(found.models_file.overrides(), ((bot.id, bot.handle) for bot in listed))
    if not listed:
        told = ("Poe's list of bots cannot be had now; names were not compared with it.",)
    for remark in told:
        click.echo(f"remark: {remark}")
    click.echo(f"{path} can be used." if path.exists() else f"There is no {path}; none is needed.")


def _known(found: Surroundings) -> tuple[KnownBot, ...]:
    try:
        return found.catalogue.known()
    except PoeflaskError as error:
        raise click.ClickException(error.message) from error


def _edit(models_file: ModelsFile, change: Change) -> None:
    try:
        models_file.edit(change)
    except OverridesError as error:
        raise click.ClickException(f"{models_file.path} is as it was: {error}") from error
    except EditError as error:
        raise click.ClickException(str(error)) from error


def _bots(found: Surroundings, names: Iterable[str]) -> list[str]:
    """The bots that are meant, each once, as Poe or the file spells them."""
    meant: list[str] = []
    for name in names:
        if name.startswith("@"):
            members = found.catalogue.group(name[1:])
            if members is None:
                raise click.ClickException(_no_group(found.models_file, name[1:]))
            meant += members
        else:
            meant.append(_bot(found, name))
    return list(dict.fromkeys(meant))


def _bot(found: Surroundings, name: str) -> str:
    """The bot that is meant; one that nobody knows is taken at its word, with a remark."""
    overrides = found.models_file.overrides()
    written = overrides.named(name)
    if written.lower() in overrides.names:
        return written
    listed = found.listed.find(name)
    if listed is not None:
        return listed.handle
    spelled = {bot.handle.lower(): bot.handle for bot in found.listed.at_hand()}
    if spelled:
        click.echo(f"remark: Poe lists no bot {name!r}{_perhaps(name, spelled)}", err=True)
    return name


def _taken(found: Surroundings, aliases: Iterable[str], bot: str) -> list[str]:
    """Poe's bots that have an alias of another bot as their name."""
    listed = (found.listed.find(alias) for alias in aliases)
    return [one.handle for one in listed if one and one.handle.lower() != bot.lower()]


def _no_group(models_file: ModelsFile, name: str) -> str:
    groups = {group.lower(): f"@{group}" for group in models_file.overrides().groups}
    return f"There is no group @{name}{_perhaps(name, groups)}"


def _perhaps(name: str, spelled: dict[str, str]) -> str:
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    return f"; perhaps {spelled[near[0]]!r} is meant." if near else "."


def _assignment(text: str) -> tuple[str, Any]:
    field, is_given, value = text.partition("=")
    if not is_given or not field:
        raise click.UsageError(f"{text!r} sets nothing; write FIELD=VALUE, such as tools=native.")
    try:
        read_value = yaml_text.read(value)
    except yaml_text.YamlError as error:
        raise click.UsageError(f"The value of {field}: {error}") from error
    if read_value is None:
        raise click.UsageError(f"{field} is given no value; to take it away: unset NAME {field}.")
    return field, read_value


def _listed_aliases(one: KnownBot) -> tuple[str, ...]:
    override = one.override
    there = (one.is_listed or bool(override.custom)) and not override.disabled
    return override.aliases if there else ()


def _searched(one: KnownBot) -> str:
    bot = one.bot
    return " ".join((bot.handle, *one.override.aliases, bot.owned_by, bot.description)).casefold()


_STATES: tuple[tuple[str, Callable[[KnownBot], bool]], ...] = (
    ("disabled", lambda one: bool(one.override.disabled)),
    ("hidden", lambda one: bool(one.override.hidden)),
    ("custom", lambda one: bool(one.override.custom)),
    ("not listed by Poe", lambda one: not one.is_listed),
    ("its name is another's alias", lambda one: bool(one.shadowed_by)),
)


def _row(one: KnownBot) -> tuple[str, ...]:
    bot = one.bot
    states = [word for word, holds in _STATES if holds(one)]
    return (
        bot.handle,
        ",".join(bot.output_modalities),
        bot.owned_by,
        str(bot.context_tokens or ""),
        ", ".join(one.override.aliases),
        ", ".join(states),
    )


def _cell(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _listing(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "no model"
