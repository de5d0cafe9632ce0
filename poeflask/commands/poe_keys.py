"""`poeflask poe-keys`: how the owner's keys of Poe's are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from poeflask.commands.environment import read_settings
from poeflask.commands.tables import show_table
from poeflask.core import json_text
from poeflask.settings import Settings
from poeflask.stores import open_store
from poeflask.stores.base import Store
from poeflask.stores.namespace import Namespace

if TYPE_CHECKING:
    from poeflask.poe.keys import KeyStatus, PoeKeys

HEAD = ("name", "state", "until (UTC)", "weight", "sent/min", "points", "fingerprint")
_STATES = {"ok": "ok", "cooling": "cooling", "no_points": "no points", "dead": "dead"}


@click.command("poe-keys")
@click.option("--revive", metavar="NAME", help="Use this key again, whatever was wrong with it.")
@click.option("--offline", is_flag=True, help="Do not ask Poe for points.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def poe_keys(revive: str | None, offline: bool, as_json: bool) -> None:
    """Show the keys of POE_API_KEYS: state, points, work. The keys themselves are never shown."""
    settings = read_settings()
    if not settings.keys_of_poe:
        raise click.ClickException(
            "There are none. Set POE_API_KEYS or POE_API_KEYS_FILE; `poeflask settings` says how."
        )
    store = open_store(settings.store_url, settings.state_dir)
    try:
        keys = _keys(settings, store)
        if revive is not None and not keys.revive(revive):
            raise click.ClickException(f"There is no key of the name {revive!r}.")
        found = keys.status(with_balance=not offline)
    finally:
        store.close()
    if as_json:
        click.echo(json_text.write(records(found)))
        return
    show_table(HEAD, map(row, found))


def records(keys: Sequence[KeyStatus]) -> list[dict[str, object]]:
    """The keys for programs; what is not known is None."""
    return [
        {
            "name": key.name,
            "state": key.state,
            "until_s": key.until_s,
            "weight": key.weight,
            "sent_last_minute": key.sent_last_minute,
            "points": None if key.balance is None else key.balance.points,
            "points_told_s": key.balance_s,
            "fingerprint": key.fingerprint,
        }
        for key in keys
    ]


def row(key: KeyStatus) -> tuple[str, ...]:
    """A key as a line of the table."""
    points = None if key.balance is None else key.balance.points
    return (
        key.name,
        _STATES[key.state],
        "" if key.until_s is None else f"{datetime.fromtimestamp(key.until_s, UTC):%m-%d %H:%M:%S}",
        str(key.weight),
        str(key.sent_last_minute),
        "unknown" if points is None else f"{points:,}",
        key.fingerprint,
    )


def _keys(settings: Settings, store: Store) -> PoeKeys:
    # What speaks to Poe needs the patch before it, and so does the simulator, another command.
    from poeflask import _patch  # noqa: F401
    from poeflask.commands.surroundings import poe_client
    from poeflask.poe.keys import PoeKey, PoeKeys
    from poeflask.poe.noticeboard import Noticeboard
    from poeflask.poe.pacing import Pacer
    from poeflask.poe.ways import FAULTS_NAMESPACE, PACE_NAMESPACE

    client = poe_client(settings)
    pacer = Pacer(
        Namespace(store, PACE_NAMESPACE, on_failure="forget"),
        per_minute=settings.poe_requests_per_minute,
        workers=settings.workers,
    )
    return PoeKeys(
        [PoeKey(one.name, one.key, one.weight) for one in settings.keys_of_poe],
        Noticeboard(Namespace(store, FAULTS_NAMESPACE, on_failure="forget")),
        client.balance,
        sent_last_minute=pacer.sent_last_minute,
    )
