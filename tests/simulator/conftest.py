"""Queries as values, and a simulator that answers on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from poeflask.simulator.server import SimulatorServer

Asking = Callable[..., requests.Response]


@pytest.fixture(scope="package")
def server() -> Iterator[SimulatorServer]:
    """One simulator for all tests of this folder."""
    running = SimulatorServer()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def base_url(server: SimulatorServer) -> str:
    """The address of a simulator that remembers nothing."""
    requests.post(f"{server.base_url}/simulator/reset", timeout=5).raise_for_status()
    return server.base_url


@pytest.fixture
def ask(base_url: str) -> Asking:
    """Asks a bot; further arguments are fields of the query's last message."""

    def post(bot: str, said: str = "Hello there", **options: Any) -> requests.Response:
        key = options.pop("key", "some-key")
        return requests.post(
            f"{base_url}/bot/{bot}",
            json=body(said, **options.pop("fields", {}), message=options.pop("message", {})),
            headers={"Authorization": f"Bearer {key}"},
            **{"timeout": 5, **options},
        )

    return post


def body(said: str, message: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The smallest query that is seen in the wild."""
    return {
        "version": "1.2",
        "type": "query",
        "query": [{"role": "user", "content": said, **(message or {})}],
        "user_id": "",
        "conversation_id": "",
        "message_id": "",
        **fields,
    }
