"""The settings as commands find them."""

import click
import pytest

from poeflask.commands.environment import read_settings


def test_settings_come_from_the_environment(monkeypatch):
    """A command is told of what does not fit, as one sentence for each fault."""
    monkeypatch.setenv("PORT", "8123")

    assert 8123 == read_settings().port
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(click.ClickException, match="PORT holds 'many'; it should be a whole"):
        read_settings()
