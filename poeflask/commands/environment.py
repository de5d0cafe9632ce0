"""The settings as commands find them."""

from __future__ import annotations

import os

import click

from poeflask.settings import Settings, SettingsError


def read_settings() -> Settings:
    """The settings of the environment.

    Raises:
        ClickException: a setting makes no sense.
    """
    try:
        return Settings.from_environ(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
