"""Login, logout and setup."""

from __future__ import annotations

import pytest

from tests.admin.conftest import PASSWORD, Visitor, app_with, parts_of

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def stranger() -> Visitor:
    """Somebody at an app that has no password yet."""
    return Visitor(app_with(admin_password=""))


def token_of(visitor: Visitor) -> str:
    """The token of a new setup link."""
    return parts_of(visitor.app).setup_links.make()


def test_the_right_password_opens_the_page_that_was_wanted(visitor: Visitor) -> None:
    """By way of the login form, whose address says where to."""
    asked = visitor.get("settings?note=x")
    login = asked.headers["Location"].removeprefix("/admin/")
    entered = visitor.post(login, username="admin", password=PASSWORD)

    assert "login?next=/admin/settings%3Fnote%3Dx" == login
    assert (303, "/admin/settings?note=x") == (entered.status_code, entered.headers["Location"])
    assert 200 == visitor.get("settings").status_code
    assert 303 == visitor.get("login").status_code


def test_a_wrong_password_opens_nothing_and_says_not_what_was_wrong(visitor: Visitor) -> None:
    """The name that was typed stays in its field, as text; the password does not."""
    wrong = visitor.post("login", username=HOSTILE, password="a wrong password")

    assert 403 == wrong.status_code
    assert "The name or the password is wrong." in wrong.text
    assert HOSTILE not in wrong.text
    assert "a wrong password" not in wrong.text
    assert "Set-Cookie" not in wrong.headers
    assert 303 == visitor.get("settings").status_code


def test_logging_out_ends_the_session_itself(admin: Visitor) -> None:
    """Whoever kept the cookie has nothing."""
    cookie = admin.client.get_cookie("poeflask")
    assert cookie is not None
    left = admin.post("logout")
    admin.client.set_cookie("poeflask", cookie.value)

    assert (303, "/admin/login") == (left.status_code, left.headers["Location"])
    assert "poeflask=;" in left.headers["Set-Cookie"]
    assert 303 == admin.get("settings").status_code


def test_without_a_password_the_login_tells_how_to_set_one(stranger: Visitor) -> None:
    """There is no form, and nothing gets in."""
    page = stranger.get("login")

    assert "poeflask admin reset" in page.text
    assert '<form method="post">' not in page.text
    assert 403 == stranger.post("login", username="admin", password="").status_code
    assert 403 == stranger.post("login", username="admin", password="admin").status_code


def test_a_setup_link_sets_the_first_password(stranger: Visitor) -> None:
    """And logs in; it works once."""
    token = token_of(stranger)
    done = stranger.post("setup", token=token, password=PASSWORD, again=PASSWORD)

    assert (303, "/admin/") == (done.status_code, done.headers["Location"])
    assert 200 == stranger.get("settings").status_code
    other = Visitor(stranger.app)
    assert 403 == other.post("setup", token=token, password=PASSWORD, again=PASSWORD).status_code
    assert 303 == other.post("login", username="admin", password=PASSWORD).status_code


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", "short", "at least 8 characters"),
        ("x" * 257, "x" * 257, "256 characters at most"),
        (PASSWORD, PASSWORD + "!", "not the same"),
    ],
)
def test_a_bad_password_does_not_use_the_link_up(
    stranger: Visitor, password: str, again: str, said: str
) -> None:
    """The token stays in the form for another try."""
    token = token_of(stranger)
    refused = stranger.post("setup", token=token, password=password, again=again)

    assert 422 == refused.status_code
    assert said in refused.text
    assert f'value="{token}"' in refused.text
    assert 303 == stranger.post("setup", token=token, password=PASSWORD, again=PASSWORD).status_code


@pytest.mark.parametrize("token", ["", "guessed", HOSTILE])
def test_without_the_link_nothing_is_set(stranger: Visitor, token: str) -> None:
    """Nor is what was guessed shown as anything but text."""
    token_of(stranger)
    refused = stranger.post("setup", token=token, password=PASSWORD, again=PASSWORD)

    assert 403 == refused.status_code
    assert HOSTILE not in refused.text
    assert not parts_of(stranger.app).passwords.is_set()


def test_a_link_in_place_of_a_lost_password_ends_all_sessions(stranger: Visitor) -> None:
    """Whoever knew the old one is out."""
    for name in ("first password", "second password"):
        token = token_of(stranger)
        other = Visitor(stranger.app)
        other.post("setup", token=token, password=name, again=name)

    old = Visitor(stranger.app)
    assert 403 == old.post("login", username="admin", password="first password").status_code
    assert 200 == other.get("settings").status_code


def test_where_a_setting_decides_no_link_does(visitor: Visitor) -> None:
    """The page says where to change it."""
    token = token_of(visitor)
    refused = visitor.post("setup", token=token, password="another one", again="another one")

    assert 409 == refused.status_code
    assert "ADMIN_PASSWORD" in refused.text
    assert parts_of(visitor.app).passwords.fits("admin", PASSWORD)


@pytest.mark.parametrize(
    ("base_url", "is_warned"),
    [
        ("http://localhost:8080", False),
        ("http://127.0.0.1", False),
        ("http://[::1]:8080", False),
        ("https://a.example", False),
        ("http://192.168.1.5:8080", True),
        ("http://a.example", True),
    ],
)
def test_a_bare_connection_is_warned_of(visitor: Visitor, base_url: str, is_warned: bool) -> None:
    """Others on the way can read the password."""
    text = visitor.get("login", base_url=base_url).text

    assert is_warned == ("not encrypted" in text)
