"""The frame shows where one is, in the reader's language and colours."""

from __future__ import annotations

import json
import re

import pytest

from poeflask.admin import assets
from poeflask.admin.routes import PAGES
from tests.admin.conftest import Visitor


def test_the_navigation_leads_to_every_page(admin: Visitor) -> None:
    """And says which one is open."""
    text = admin.get("settings").text
    here = re.findall(r'<a href="/admin/(\w+)" aria-current="page">', text)

    assert ["settings"] == here
    assert all(f'href="/admin/{page.name}"' in text for page in PAGES)
    assert all(200 == admin.get(page.name).status_code for page in PAGES)


def test_who_is_not_logged_in_sees_no_navigation(visitor: Visitor) -> None:
    """Nor a button to log out."""
    text = visitor.get("login").text

    assert "/admin/settings" not in text
    assert "/admin/logout" not in text


def test_admin_leads_to_the_first_page(admin: Visitor) -> None:
    """With and without the slash."""
    places = [admin.client.get(path).headers["Location"] for path in ("/admin", "/admin/")]

    assert [f"/admin/{PAGES[0].name}"] * 2 == places


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Log in"), ("zh-Hant", "登入"), ("zh-Hans", "登录")]
)
def test_the_reader_chooses_a_language(visitor: Visitor, language: str, title: str) -> None:
    """Also before the login; the browser keeps the choice."""
    chosen = visitor.get(f"login?lang={language}")
    page = visitor.get("login")

    assert (303, "/admin/login") == (chosen.status_code, chosen.headers["Location"])
    assert f'<html lang="{language}">' in page.text
    assert f"<h1>{title}</h1>" in page.text


def test_a_language_that_is_none_is_not_kept(visitor: Visitor) -> None:
    """The page opens as if nothing was asked."""
    response = visitor.get("login?lang=../../etc/passwd")

    assert 200 == response.status_code
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("cookie", "begins"),
    [
        ("dark", '<html lang="en" data-theme="dark">'),
        ("light", '<html lang="en" data-theme="light">'),
        ("", '<html lang="en">'),
        ('"><script>alert(1)</script>', '<html lang="en">'),
    ],
)
def test_the_reader_chooses_colours(visitor: Visitor, cookie: str, begins: str) -> None:
    """Without a choice the browser's own hold."""
    visitor.client.set_cookie("poeflask-theme", cookie)

    assert begins in visitor.get("login").text


def test_scripts_get_their_texts_in_the_readers_language(admin: Visitor) -> None:
    """As data, which no browser runs."""
    text = admin.get("playground", headers={"Accept-Language": "zh-TW"}).text
    (data,) = re.findall(r'<script type="application/json" id="texts">(.*?)</script>', text)

    assert {"copied": "已複製", "again": "再試一次"}.items() <= json.loads(data).items()


def test_assets_stand_under_their_version(visitor: Visitor) -> None:
    """All that a page loads is there."""
    text = visitor.get("login").text
    loaded = re.findall(r'(?:src|href)="/(admin/static/[^"]+)"', text)

    assert 4 <= len(loaded)
    assert all(f"static/{assets.version()}/" in path for path in loaded)
    assert {200} == {visitor.client.get(f"/{path}").status_code for path in loaded}
