"""GET /."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

ASSETS = ["home.css", "home.js", "icon.svg"]


def test_the_page_needs_no_key(client: FlaskClient) -> None:
    """It shows the address under which it was reached."""
    client.environ_base.pop("HTTP_AUTHORIZATION")
    page = client.get("/", base_url="https://bridge.example:8443")

    assert "https://bridge.example:8443/v1/chat/completions" in page.text
    assert "demo" not in page.text


def test_nothing_is_loaded_from_elsewhere(client: FlaskClient) -> None:
    """The policy forbids it, and everything that the page loads is here."""
    page = client.get("/")
    loaded = re.findall(r'(?:src|rel="(?:stylesheet|icon)" href)="([^"]+)"', page.text)

    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert sorted(f"/home/{name}" for name in ASSETS) == sorted(loaded)
    assert "style=" not in page.text
    assert [200] * 3 == [client.get(path, buffered=True).status_code for path in loaded]


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_says_what_it_is_and_when_it_changed(client: FlaskClient, name: str) -> None:
    """A browser asks for it again only if it did."""
    response = client.get(f"/home/{name}", buffered=True)
    known = {"If-None-Match": response.headers["ETag"]}
    again = client.get(f"/home/{name}", headers=known, buffered=True)

    assert "nosniff" == response.headers["X-Content-Type-Options"]
    assert (200, 304) == (response.status_code, again.status_code)


@pytest.mark.parametrize(
    "path",
    [
        "/home/../routes.py",
        "/home/..%2froutes.py",
        "/home/%2e%2e/routes.py",
        "/home/..%5croutes.py",
        "/home//etc/passwd",
        "/home/%2fetc%2fpasswd",
        "/home/home.css%00.svg",
        "/home/",
        "/home/home/home.html",
    ],
)
def test_no_other_file_is_given_away(client: FlaskClient, path: str) -> None:
    """Whatever the path tries."""
    assert 404 == client.get(path).status_code


@pytest.mark.parametrize("host", ['x"><script>alert(1)</script>', "x'onload=y", "{{7*7}}", "a b"])
def test_a_hostile_host_is_text_or_refused(client: FlaskClient, host: str) -> None:
    """Nothing of it is markup or a template."""
    page = client.get("/", environ_overrides={"HTTP_HOST": host})

    assert page.status_code in (200, 400)
    assert "<script>alert" not in page.text
    assert "49" not in page.text
