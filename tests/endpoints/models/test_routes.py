"""GET /v1/models and /v1/models/{id}."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient


def test_all_bots_are_listed(client: FlaskClient) -> None:
    """Also for clients that leave the version out of the path."""
    listed = client.get("/v1/models").json

    assert "Echo" in {bot["id"] for bot in listed["data"]}
    assert listed == client.get("/models").json


@pytest.mark.parametrize("name", ["Echo", "ECHO", "echo"])
def test_one_bot_is_found_in_any_case(client: FlaskClient, name: str) -> None:
    """It is told under its own name."""
    assert "Echo" == client.get(f"/v1/models/{name}").json["id"]


@pytest.mark.parametrize("name", ["none", "a/b", "..%2f..%2fetc", "{x}"])
def test_a_bot_that_is_not_listed_is_not_found(client: FlaskClient, name: str) -> None:
    """The answer says that it may exist all the same."""
    response = client.get(f"/v1/models/{name}")

    assert (404, "model_not_found") == (response.status_code, response.json["error"]["code"])


def test_a_key_is_needed(client: FlaskClient) -> None:
    """As for everything that is Poe's."""
    client.environ_base.pop("HTTP_AUTHORIZATION")

    assert [401, 401] == [client.get(f"/v1/models{name}").status_code for name in ("", "/Echo")]


def test_without_poe_there_is_no_list(lonely: FlaskClient) -> None:
    """An error that says so, not an empty list."""
    got = [lonely.get(f"/v1/models{name}") for name in ("", "/Echo")]

    assert [(502, "poe_unreachable")] * 2 == [
        (response.status_code, response.json["error"]["code"]) for response in got
    ]


def test_head_is_an_answer_without_its_body(client: FlaskClient) -> None:
    """Whoever looks whether it is there is told."""
    response = client.head("/v1/models")

    assert (200, "") == (response.status_code, response.text)
