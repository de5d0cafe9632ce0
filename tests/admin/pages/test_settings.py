"""Settings are shown with their source, secrets never; the password can be changed."""

from __future__ import annotations

import re

import pytest

from poeflask.settings import Settings
from tests.admin.conftest import Visitor, app_with, parts_of

OLD = "the first password"
NEW = "the second password"
SECRETS = {
    "local_key": "poe-key-canary",
    "admin_password": "password-canary",
    "proxy_url": "http://user:proxy-canary@proxy.example:3128",
    "poe_base_url": "https://user:url-canary@poe.example",
}


@pytest.fixture
def owner() -> Visitor:
    """The one who set a password and is logged in."""
    app = app_with(admin_password="")
    parts_of(app).passwords.change(OLD)
    return Visitor(app).log_in()


def test_every_setting_is_shown(admin: Visitor) -> None:
    """With the variable to change it by."""
    text = admin.get("settings").text

    assert all(f"<code>{row.variable}</code>" in text for row in Settings.describe())


def test_no_secret_is_shown() -> None:
    """Nor a password within a URL; only that it is set."""
    visitor = Visitor(app_with(**SECRETS)).log_in()
    text = visitor.get("settings").text
    made = parts_of(visitor.app).settings
    secrets = [row.name for row in Settings.describe() if row.secret and getattr(made, row.name)]

    assert "canary" not in text
    assert "https://…@poe.example" in text
    assert set(SECRETS) - {"poe_base_url"} <= set(secrets)
    assert len(secrets) == text.count("set, not shown")


def test_hostile_values_are_text() -> None:
    """Also what turns the direction of writing."""
    hostile = "<script>alert(1)</script>\"'\u202e{{7*7}}"
    text = Visitor(app_with(moderation_bot=hostile)).log_in().get("settings").text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;\u202e{{7*7}}" in text


def test_a_setting_is_explained_in_the_readers_language(admin: Visitor) -> None:
    """Where there is a sentence in it."""
    text = admin.get("settings", headers={"Accept-Language": "zh-TW"}).text

    assert '<span class="hint" lang="zh-Hant">監聽的 TCP 連接埠。</span>' in text


def change(visitor: Visitor, current: str, new: str, again: str) -> tuple[int, str]:
    """The status, and what the page says of it."""
    response = visitor.post("settings/password", current=current, new=new, again=again)
    (said,) = re.findall(r'class="note \w+" role="\w+">(.*?)</p>', response.text) or [""]
    return response.status_code, said


def test_changing_the_password_ends_all_other_sessions(owner: Visitor) -> None:
    """The one who changes it stays in, under a new session."""
    other = Visitor(owner.app).log_in()

    assert 303 == change(owner, OLD, NEW, NEW)[0]
    assert 200 == owner.get("settings").status_code
    assert 303 == other.get("settings").status_code
    assert "is changed" in owner.get("settings?note=changed").text
    assert parts_of(owner.app).passwords.fits("admin", NEW)


@pytest.mark.parametrize(
    ("current", "new", "again", "said"),
    [
        ("a wrong one", NEW, NEW, "present password is wrong"),
        (OLD, "short", "short", "at least 8"),
        (OLD, "x" * 257, "x" * 257, "256 characters"),
        (OLD, NEW, NEW + "!", "not the same"),
    ],
)
def test_a_wrong_change_changes_nothing(
    owner: Visitor, current: str, new: str, again: str, said: str
) -> None:
    """And says what was wrong."""
    status, sentence = change(owner, current, new, again)

    assert 422 == status
    assert said in sentence
    assert parts_of(owner.app).passwords.fits("admin", OLD)


def test_a_password_that_a_setting_decides_cannot_be_changed(admin: Visitor) -> None:
    """There is no form, and nothing takes one."""
    assert "ADMIN_PASSWORD decides" in admin.get("settings").text
    assert 'name="current"' not in admin.get("settings").text
    assert 422 == admin.post("settings/password", current="x", new=NEW, again=NEW).status_code


def test_all_other_sessions_can_be_ended(owner: Visitor) -> None:
    """With and without a script."""
    other = Visitor(owner.app).log_in()
    plain = owner.post("settings/sessions/end")

    assert (303, "/admin/settings") == (plain.status_code, plain.headers["Location"])
    assert 303 == other.get("settings").status_code
    assert 200 == owner.get("settings").status_code


def test_the_present_password_cannot_be_guessed_here_either(owner: Visitor) -> None:
    """A session left open is no way to it."""
    for _ in range(10):
        parts_of(owner.app).throttle.wait_s("127.0.0.1")

    assert 429 == change(owner, OLD, NEW, NEW)[0]
