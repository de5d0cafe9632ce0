"""The whole app with a simulator in the same process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from poeflask.app import create_app
from poeflask.settings import Settings
from poeflask.simulator.server import SimulatorServer

AWAY = "http://127.0.0.1:1"


@pytest.fixture(scope="session")
def poe() -> Iterator[SimulatorServer]:
    """A Poe that runs here."""
    server = SimulatorServer()
    server.start()
    yield server
    server.stop()


def settings(base_url: str, upload_url: str = AWAY) -> Settings:
    """Settings for an app that remembers nothing and asks this Poe."""
    return Settings(
        store_url="memory",
        poe_base_url=base_url,
        poe_file_upload_url=upload_url,
        simulator="off",
        log_level="error",
        tries=1,
    )


@pytest.fixture
def client(poe: SimulatorServer) -> FlaskClient:
    """A client of the app in front of that Poe."""
    made = create_app(settings(poe.base_url, poe.upload_url)).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = "Bearer any-key"
    return made


@pytest.fixture
def lonely() -> FlaskClient:
    """A client of an app whose Poe is away."""
    made = create_app(settings(AWAY)).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = "Bearer any-key"
    return made
