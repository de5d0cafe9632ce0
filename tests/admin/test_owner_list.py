"""The owner's list of models, for programs with a login of the admin page."""

from __future__ import annotations

from pathlib import Path

from tests.admin.conftest import Visitor, app_with

MODELS = "models: {Echo: {disabled: true}, My-Bot: {custom: true, hidden: true, owner: me}}"


def test_without_login_it_is_refused_as_openai_does(visitor: Visitor) -> None:
    """Also with a key, which is a client's; nothing of the list is told."""
    for headers in ({}, {"Authorization": "Bearer demo"}, {"Cookie": "poeflask=guessed"}):
        response = visitor.client.get("/api/models", headers=headers)

        assert 401 == response.status_code
        assert {"message", "type", "param", "code"} == set(response.json["error"])
        assert "log in under /admin" in response.json["error"]["message"]


def test_it_holds_what_clients_do_not_see(tmp_path: Path) -> None:
    """Disabled, hidden and own bots, and where each value comes from."""
    (tmp_path / "models.yaml").write_text(MODELS)
    admin = Visitor(app_with(simulator="on", state_dir=tmp_path)).log_in()
    response = admin.client.get("/api/models")
    found = {model["id"]: model for model in response.json["data"]}

    assert ("list", "no-store") == (response.json["object"], response.headers["Cache-Control"])
    assert (True, False) == (found["Echo"]["disabled"], found["Echo"]["shown"])
    assert "models.yaml" == found["Echo"]["sources"]["disabled"]
    assert (True, False) == (found["My-Bot"]["custom"], found["My-Bot"]["listed_by_poe"])
    assert len(found) > 20


def test_it_ends_with_the_login(admin: Visitor) -> None:
    """As everything that a login opens."""
    assert 200 == admin.client.get("/api/models").status_code
    admin.post("logout")

    assert 401 == admin.client.get("/api/models").status_code


def test_without_an_admin_page_it_is_nowhere() -> None:
    """Since nobody could log in."""
    client = app_with(admin="off").test_client()

    assert 404 == client.get("/api/models").status_code
