"""`poeflask keys`: issue, list, show, change, disable, enable, rotate and revoke gateway keys."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from poeflask.commands.environment import read_settings
from poeflask.commands.tables import show_table
from poeflask.core import json_text
from poeflask.core.gateway_key import LIMITS, GatewayKey, KeyFaultError
from poeflask.core.quota import MILLIPOINTS, moment
from poeflask.stores import open_store
from poeflask.stores.base import Store
from poeflask.stores.gates import spent
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.server_secret import open_secret

_NEVER = object()
"""What "none" and "never" stand for: that there is no limit, as against saying nothing."""

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}


def _limit_of(_context: click.Context, _option: click.Parameter, text: str | None) -> object:
    """A whole number, or "none"."""
    if text is None or text == "none":
        return text and _NEVER
    if not re.fullmatch(r"[0-9]{1,13}", text):
        raise click.BadParameter(f'{text!r} is no limit; it should be a whole number or "none".')
    return int(text)


def _expiry_of(_context: click.Context, _option: click.Parameter, text: str | None) -> object:
    """A time from now, a day, or "never"."""
    if text is None or text == "never":
        return text and _NEVER
    match = re.fullmatch(r"([0-9]{1,5})([mhdw])", text)
    if match is not None:
        return time.time() + int(match[1]) * _UNITS[match[2]]
    try:
        expires_s = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise click.BadParameter(
            f'{text!r} is no time; it should be like "30d", "12h", "2027-01-31" or "never".'
        ) from error
    if expires_s <= time.time():
        raise click.BadParameter(f"{text} has begun already; a key should end on a later day.")
    return expires_s


def _models_of(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> list[str] | None:
    """Names with commas between; none stands for all models."""
    if text is None:
        return None
    named = [part.strip() for part in text.split(",")]
    if not all(named):
        raise click.BadParameter(
            f'{text!r} leaves a name empty; it should be like "Claude-*,Echo", or "all".'
        )
    return [] if named == ["all"] else named


_Command = Callable[..., None]


def _wishes(command: _Command) -> _Command:
    """The options that say what a key may do."""
    options = [
        click.option(
            "--expires",
            "expires_s",
            callback=_expiry_of,
            metavar="TIME",
            help='When it ends: in "30d", "12h", on "2027-01-31" (UTC), or "never".',
        ),
        click.option(
            "--models",
            callback=_models_of,
            help="What it may ask, with commas between: names, aliases, groups as in "
            '"@cheap", "Claude-*"; or "all".',
        ),
        *(
            click.option(*names, field, callback=_limit_of, metavar="N", help=meaning)
            for names, field, meaning in (
                (("--rpm",), "requests_per_minute", "Requests within any 60 seconds."),
                (("--tpm",), "tokens_per_minute", "Tokens within any 60 seconds."),
                (("--concurrent",), "concurrent", "Answers at a time."),
                (("--points-per-day",), "points_per_day", "Points in a day (UTC)."),
                (("--points-per-month",), "points_per_month", "Points in a month (UTC)."),
                (("--tokens-per-day",), "tokens_per_day", "Tokens in a day (UTC)."),
                (("--tokens-per-month",), "tokens_per_month", "Tokens in a month (UTC)."),
            )
        ),
        click.option(
            "--record/--no-record",
            "recorded",
            default=None,
            help="Whether its questions and answers may be kept where they are recorded.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _as_json(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Write JSON.")(command)


@click.group()
def keys() -> None:
    """Keys that you give to others: what they may ask, and how much of it."""


@keys.command()
@click.argument("name")
@_wishes
@_as_json
def issue(name: str, *, as_json: bool, **options: Any) -> None:
    """Make a key. It is shown this once: only a hash of it is kept."""
    desk = _desk()
    with _plain_faults():
        _told(*desk.keys.issue({"name": name, **_said(options)}), as_json=as_json)


@keys.command("list")
@_as_json
def list_(*, as_json: bool) -> None:
    """All keys, oldest first."""
    desk = _desk()
    with _plain_faults():
        found = desk.keys.all()
    if as_json:
        click.echo(json_text.write([key.record() for key in found]))
        return
    head = ("id", "name", "key", "state", "expires", "models", "limits")
    show_table(head, [_row(key) for key in found])


@keys.command()
@click.argument("key")
@_as_json
def show(key: str, *, as_json: bool) -> None:
    """What a key may do, and how much of it is used. KEY is its id or its name."""
    desk = _desk()
    with _plain_faults():
        found = desk.find(key)
        used = spent(desk.store, found, time.time())
    if as_json:
        told = {name: _used(name, one)[0] for name, one in used.items()}
        click.echo(json_text.write({**found.record(), "used": told}))
        return
    rows = list(zip(("id", "name", "key", "state", "expires", "models"), _row(found), strict=False))
    rows += [(name, _limit(found, name, used)) for name in LIMITS if _has(found, name)]
    rows.append(("recorded", "yes" if found.recorded else "no"))
    show_table(("", ""), rows)


@keys.command()
@click.argument("key")
@click.option("--name", help="What it is called from now on.")
@_wishes
@_as_json
def change(key: str, *, as_json: bool, **options: Any) -> None:
    """Change what a key may do; "none" takes a limit away. KEY is its id or its name."""
    said = _said(options)
    if not said:
        raise click.UsageError("Say what is to be changed; --help lists what can be.")
    _change(key, said, as_json=as_json)


@keys.command()
@click.argument("key")
@_as_json
def disable(key: str, *, as_json: bool) -> None:
    """Switch a key off, within 2 seconds for all workers. KEY is its id or its name."""
    _change(key, {"disabled": True}, as_json=as_json)


@keys.command()
@click.argument("key")
@_as_json
def enable(key: str, *, as_json: bool) -> None:
    """Switch a key on again. KEY is its id or its name."""
    _change(key, {"disabled": False}, as_json=as_json)


@keys.command()
@click.argument("key")
@_as_json
def rotate(key: str, *, as_json: bool) -> None:
    """Give a key a new text; the old one ends, everything else stays. KEY is its id or its name."""
    desk = _desk()
    with _plain_faults():
        rotated = desk.keys.rotate(desk.find(key).id)
    if rotated is None:
        raise _no_key(key)
    _told(*rotated, as_json=as_json)


@keys.command()
@click.argument("key")
def revoke(key: str) -> None:
    """End a key for good, within 2 seconds for all workers. KEY is its id or its name."""
    desk = _desk()
    with _plain_faults():
        found = desk.find(key)
        desk.keys.revoke(found.id)
    click.echo(f"The key {found.name!r} ({found.id}) is revoked.")


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where keys are handled."""

    store: Store
    keys: GatewayKeys

    def find(self, text: str) -> GatewayKey:
        """The key of this id or name.

        Raises:
            click.ClickException: there is none, or several have the name.
        """
        found = [key for key in self.keys.all() if text in (key.id, key.name)]
        if not found:
            raise _no_key(text)
        if len(found) > 1:
            ids = ", ".join(key.id for key in found)
            raise click.ClickException(
                f"Several keys are called {text!r}; name one by its id: {ids}."
            )
        return found[0]


def _desk() -> _Desk:
    """The keys of the service that the environment describes; closed when the command ends."""
    settings = read_settings()
    if settings.store_url == "memory":
        raise click.ClickException(
            "With POEFLASK_STORE_URL=memory keys end with the process that made them; "
            "keep state in the default file, and have the server do so too."
        )
    opened = closing(open_store(settings.store_url, settings.state_dir))
    store = click.get_current_context().with_resource(opened)
    secret = open_secret(store, settings.state_dir, shared=settings.store_url != "sqlite")
    return _Desk(store, GatewayKeys(store, secret))


class _plain_faults:  # noqa: N801 - it reads as a statement
    """What a key cannot be is told in one sentence, with exit code 1."""

    def __enter__(self) -> None:
        """Nothing begins."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, KeyFaultError):
            raise click.ClickException(str(error)) from error


def _said(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options say, as `GatewayKey.changed` takes it."""
    return {
        name: None if value is _NEVER else value
        for name, value in options.items()
        if value is not None
    }


def _change(key: str, said: Mapping[str, Any], *, as_json: bool) -> None:
    desk = _desk()
    with _plain_faults():
        changed = desk.keys.change(desk.find(key).id, said)
    if changed is None:
        raise _no_key(key)
    if as_json:
        click.echo(json_text.write(changed.record()))
        return
    click.echo(f"The key {changed.name!r} ({changed.id}) is changed; workers see it within 2 s.")


def _told(key: GatewayKey, text: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_text.write({**key.record(), "key": text}))
        return
    click.echo(text)
    click.echo(f"This is the key {key.name!r} ({key.id}). It is not shown again.", err=True)


def _no_key(text: str) -> click.ClickException:
    return click.ClickException(f"There is no key {text!r}; `poeflask keys list` shows all.")


def _row(key: GatewayKey) -> tuple[str, ...]:
    limits = ", ".join(f"{name}={getattr(key.limits, name)}" for name in LIMITS if _has(key, name))
    return (
        key.id,
        key.name,
        f"pf-...{key.last4}",
        _state(key),
        "never" if key.expires_s is None else moment(key.expires_s),
        ", ".join(key.models) or "all",
        limits or "none",
    )


def _state(key: GatewayKey) -> str:
    if key.disabled:
        return "disabled"
    return "expired" if key.has_expired(time.time()) else "good"


def _has(key: GatewayKey, name: str) -> bool:
    return getattr(key.limits, name) is not None


def _limit(key: GatewayKey, name: str, used: Mapping[str, tuple[int, int]]) -> str:
    if name not in used:
        return str(getattr(key.limits, name))
    much, limit = _used(name, used[name])
    return f"{much:g} of {limit:g} used"


def _used(name: str, used: tuple[int, int]) -> tuple[float, float]:
    scale = MILLIPOINTS if name.startswith("points") else 1
    return used[0] / scale, used[1] / scale
