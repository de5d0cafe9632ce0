"""Commands in a folder of their own, with a Poe that runs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from poeflask import cli
from poeflask.settings import Settings
from poeflask.simulator.server import SimulatorServer

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def poe() -> Iterator[SimulatorServer]:
    """A Poe that runs here."""
    server = SimulatorServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of state."""
    return tmp_path / "state"


@pytest.fixture
def run(state: Path, monkeypatch: pytest.MonkeyPatch, poe: SimulatorServer) -> Run:
    """Run the command; what it gives is the result."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.setenv("CONFIG_DIR", str(state))
    monkeypatch.setenv("POE_BASE_URL", poe.base_url)

    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(cli.main, arguments, env=environ)

    return run
