"""The API's reference, as programs and people get it."""

import re

import pytest
from flask.testing import FlaskClient

from poeflask.app import create_app
from poeflask.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """A client of the whole app."""
    return create_app(Settings(store_url="memory")).test_client()


def test_the_document_is_given_to_anyone(client: FlaskClient) -> None:
    """No key is needed to learn what there is; the second time is the first time's document."""
    answer, again = client.get("/openapi.json"), client.get("/openapi.json")

    assert (200, "3.1.0") == (answer.status_code, answer.json["openapi"])
    assert answer.data == again.data


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    """All that the page names lies here, and its policy allows nothing else."""
    page = client.get("/docs")
    named = re.findall(r'(?:src|href|data-document)="([^"]*)"', page.text)
    policy = page.headers["Content-Security-Policy"]

    assert len(named) >= 5
    assert {200} == {client.get(path, buffered=True).status_code for path in named}
    assert ("default-src 'none'" in policy, "unsafe" in policy) == (True, False)
