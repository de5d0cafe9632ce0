"""What commands find around them."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from poeflask.commands.surroundings import surroundings
from tests.commands.conftest import Run


@pytest.mark.usefixtures("run")
def test_commands_find_what_the_server_has(state: Path) -> None:
    """Poe's list with the owner's word over it, from the folder of state."""
    state.mkdir()
    (state / "models.yaml").write_text("models: {Echo: {alias: e}}")
    with surroundings() as found:
        meant = found.catalogue.resolve("e")

    assert meant is not None
    assert "Echo" == meant.handle
    assert state / "models.yaml" == found.models_file.path


def test_a_wrong_setting_is_told(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """As a fault of the command, without a traceback."""
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(click.ClickException, match="PORT holds 'many'"), surroundings():
        pass

    assert 1 == run("models", "list").exit_code
