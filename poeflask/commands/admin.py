"""`poeflask admin`: the password of the admin page, from the machine that poeflask runs on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import click

from poeflask.admin.passwords import LEAST_CHARS, MOST_CHARS, Passwords, fault_of
from poeflask.admin.setup_links import TTL_S, SetupLinks, link
from poeflask.commands.environment import read_settings
from poeflask.settings import Settings
from poeflask.stores import open_store
from poeflask.stores.base import Store

_HOURS = round(TTL_S / 3600)


@click.group()
def admin() -> None:
    """Set the password of the admin page."""


@admin.command()
@click.option(
    "--url",
    default="",
    help="Where the browser reaches poeflask, such as https://poeflask.example.",
)
def reset(url: str) -> None:
    """Print a link that sets a new password, for the first time or in place of a lost one."""
    settings = _settings()
    click.echo(
        f"Open this link within {_HOURS} hours to set the password of the admin page. It works "
        f"once:\n{setup_link(settings, url or settings.local_url)}"
    )


@admin.command()
def password() -> None:
    """Ask for a new password and set it; everybody who is logged in is logged out."""
    settings = _settings()
    chosen = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    if fault_of(chosen) is not None:
        raise click.ClickException(
            f"The password must have {LEAST_CHARS} to {MOST_CHARS} characters."
        )
    store = open_store(settings.store_url, settings.state_dir)
    try:
        _passwords(settings, store).change(chosen)
    finally:
        store.close()
    click.echo(f"The password is set. Log in as {settings.admin_username!r}.")


def setup_link(settings: Settings, base_url: str) -> str:
    """A new setup link; earlier ones end."""
    store = open_store(settings.store_url, settings.state_dir)
    try:
        return link(base_url, SetupLinks(store, _new_secret).make())
    finally:
        store.close()


def first_setup_link(settings: Settings, base_url: str) -> str:
    """A setup link if there is an admin page and nobody could log in there yet; else empty."""
    if settings.admin == "off" or settings.admin_password or settings.store_url == "memory":
        return ""
    store = open_store(settings.store_url, settings.state_dir)
    try:
        if _passwords(settings, store).is_set():
            return ""
    finally:
        store.close()
    return setup_link(settings, base_url)


def _settings() -> Settings:
    """The settings, if the password can be set from here."""
    settings = read_settings()
    if settings.admin == "off":
        raise click.ClickException("POEFLASK_ADMIN is off: there is no admin page.")
    if settings.admin_password:
        raise click.ClickException("ADMIN_PASSWORD decides what the password is; change it there.")
    if settings.store_url == "memory":
        raise click.ClickException(
            "POEFLASK_STORE_URL is memory, which other processes do not see; set ADMIN_PASSWORD."
        )
    return settings


def _passwords(settings: Settings, store: Store) -> Passwords:
    return Passwords(
        store,
        _at_once,
        username=settings.admin_username,
        given=settings.admin_password,
        new_id=lambda prefix: prefix + secrets.token_hex(12),
    )


def _at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


def _new_secret() -> str:
    return secrets.token_urlsafe(32)
