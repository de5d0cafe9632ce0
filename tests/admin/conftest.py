"""An app with an admin page, and those who visit it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from poeflask.admin.parts import Parts
from poeflask.app import create_app
from poeflask.settings import Settings

AWAY = "http://127.0.0.1:1"
ORIGIN = "http://localhost"
PASSWORD = "correct horse battery"
PAGE = {"Accept": "text/html,*/*;q=0.8"}


def app_with(**chosen: Any) -> Flask:
    """An app that remembers nothing and whose Poe is away, with these settings besides."""
    quiet = {
        "store_url": "memory",
        "poe_base_url": AWAY,
        "log_level": "error",
        "admin_password": PASSWORD,
    }
    return create_app(Settings(**{**quiet, **chosen}))


def parts_of(app: Flask) -> Parts:
    """What the app's admin pages work with."""
    made: Parts = app.extensions["poeflask.admin"]
    return made


class Visitor:
    """Somebody with a browser, which says where its requests come from."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.csrf = ""

    def log_in(self) -> Visitor:
        """Be the one who runs poeflask."""
        here = parts_of(self.app)
        secret = here.sessions.begin(here.passwords.id())
        found = here.sessions.find(secret, here.passwords.id())
        assert found is not None
        self.client.set_cookie("poeflask", secret)
        self.csrf = found.csrf
        return self

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page."""
        headers = {**PAGE, **more.pop("headers", {})}
        return self.client.get(f"/admin/{path}", headers=headers, **more)

    def post(self, path: str, **form: str) -> TestResponse:
        """Send a form of the site's own."""
        headers = {**PAGE, "Origin": ORIGIN}
        return self.client.post(f"/admin/{path}", data={"csrf": self.csrf, **form}, headers=headers)


@pytest.fixture
def visitor() -> Visitor:
    """Somebody who is not logged in."""
    return Visitor(app_with())


@pytest.fixture
def admin() -> Visitor:
    """The one who runs poeflask, logged in."""
    return Visitor(app_with(simulator="on")).log_in()
