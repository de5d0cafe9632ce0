"""GET /healthz and /readyz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from poeflask.stores.base import StoreUnavailable
from poeflask.stores.memory import MemoryStore
from poeflask.web.services import install, services


class Unreachable(MemoryStore):
    """A store that is away."""

    def get(self, key: str) -> bytes | None:
        raise StoreUnavailable("it is away")


@pytest.fixture
def storeless(client: FlaskClient) -> Iterator[FlaskClient]:
    """A client of an app whose store is away."""
    with client.application.app_context():
        install(replace(services(), store=Unreachable()))
        yield client


def test_it_is_ready_when_store_and_list_are_there(client: FlaskClient) -> None:
    """Asking is enough to fetch the list; no key is needed."""
    client.environ_base.pop("HTTP_AUTHORIZATION")
    response = client.get("/readyz")

    expected = {"status": "ready", "store": "ok", "catalogue": "fresh"}
    assert (200, expected) == (response.status_code, response.json)


def test_without_a_store_it_is_not_ready(storeless: FlaskClient) -> None:
    """It says what is missing."""
    response = storeless.get("/readyz")

    expected = {"status": "not ready", "store": "unreachable", "catalogue": "fresh"}
    assert (503, expected) == (response.status_code, response.json)


def test_without_any_list_it_is_not_ready(lonely: FlaskClient) -> None:
    """No bot could be named."""
    response = lonely.get("/readyz")

    expected = {"status": "not ready", "store": "ok", "catalogue": "missing"}
    assert (503, expected) == (response.status_code, response.json)


def test_it_lives_whatever_is_away(storeless: FlaskClient, lonely: FlaskClient) -> None:
    """A restart would mend neither store nor Poe."""
    got = [client.get("/healthz") for client in (storeless, lonely)]

    assert [(200, "ok\n")] * 2 == [(response.status_code, response.text) for response in got]
