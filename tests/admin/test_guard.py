"""No path under /admin answers without login, from elsewhere, or without the session's token."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from poeflask.admin import assets, guard
from poeflask.admin.throttle import TRIES_OF_ONE
from tests.admin.conftest import ORIGIN, PAGE, PASSWORD, Visitor, app_with, parts_of

APP = app_with()
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def rules(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path) of every rule under /admin, for all methods."""
    for rule in app.url_map.iter_rules():
        if rule.rule == "/admin" or rule.rule.startswith("/admin/"):
            values = dict.fromkeys(rule.arguments, "x")
            for method in METHODS:
                _, path = rule.build(values) or ("", "")
                yield rule.endpoint, method, path


CLOSED = [(method, path) for endpoint, method, path in rules(APP) if endpoint not in guard.OPEN]
PAGES = ["login", "setup", "playground", "settings", "nowhere", ""]


def test_the_walk_meets_every_page() -> None:
    """The tables below are not empty by mistake."""
    paths = {path for _, path in CLOSED}

    assert {"/admin", "/admin/", "/admin/settings", "/admin/playground", "/admin/x"} <= paths


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("cookie", ["", "guessed"])
def test_without_login_nothing_answers(method: str, path: str, cookie: str) -> None:
    """Whatever the method: who opens a page is led to the login, all else is refused."""
    client = APP.test_client()
    client.set_cookie("poeflask", cookie)
    response = client.open(path, method=method, headers={**PAGE, "Origin": ORIGIN})
    is_page = method in guard.SAFE

    assert (303 if is_page else 401) == response.status_code
    if is_page:
        assert response.headers["Location"].startswith("/admin/login?next=/admin")


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_script_without_login_is_told_so(method: str, path: str) -> None:
    """With a status, not with a page that it would take for the answer."""
    headers = {"Accept": "application/json", "Origin": ORIGIN}
    response = APP.test_client().open(path, method=method, headers=headers)

    assert 401 == response.status_code


@pytest.mark.parametrize("path", sorted({path for method, path in CLOSED if method == "POST"}))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_without_the_token_nothing_changes(method: str, path: str) -> None:
    """Logged in and from this site, but not by a form of this session."""
    visitor = Visitor(APP).log_in()
    headers = {**PAGE, "Origin": ORIGIN}
    for data in ({}, {"csrf": ""}, {"csrf": "wrong"}):
        response = visitor.client.open(path, method=method, headers=headers, data=data)

        assert 403 == response.status_code
    assert 1 <= parts_of(APP).sessions.count()


@pytest.mark.parametrize(
    "said",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "https://localhost"},
        {"Origin": "http://localhost:81"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["login", "setup", "logout", "settings/password", "nowhere"])
def test_from_elsewhere_nothing_changes(path: str, said: dict[str, str]) -> None:
    """Not even with the token, and nobody is logged in by another's form."""
    visitor = Visitor(APP).log_in()
    form = {"csrf": visitor.csrf, "username": "admin", "password": PASSWORD}
    response = visitor.client.post(f"/admin/{path}", data=form, headers={**PAGE, **said})

    assert 403 == response.status_code
    assert "Set-Cookie" not in response.headers
    assert "POEFLASK_TRUSTED_PROXIES" in response.text


@pytest.mark.parametrize("origin", [{}, {"Origin": "null"}])
def test_a_browser_that_leaves_the_origin_out_says_it_otherwise(origin: dict[str, str]) -> None:
    """Some do for forms of the same site, or when a proxy forbids to tell."""
    visitor = Visitor(APP).log_in()
    headers = {**PAGE, **origin, "Sec-Fetch-Site": "same-origin"}
    response = visitor.client.post("/admin/logout", data={"csrf": visitor.csrf}, headers=headers)

    assert 303 == response.status_code


def test_the_token_may_come_as_a_header() -> None:
    """As htmx sends it."""
    visitor = Visitor(APP).log_in()
    headers = {"Origin": ORIGIN, "X-CSRF-Token": visitor.csrf, "HX-Request": "true"}
    response = visitor.client.post("/admin/settings/sessions/end", headers=headers)

    assert 200 == response.status_code
    assert "<html" not in response.text


def test_htmx_is_led_to_the_login_as_a_whole() -> None:
    """A login form would not fit into the middle of a page."""
    response = APP.test_client().get("/admin/settings", headers={"HX-Request": "true"})

    assert (401, "/admin/login") == (response.status_code, response.headers["HX-Redirect"])


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("is_logged_in", [True, False])
def test_every_answer_is_protected(path: str, is_logged_in: bool) -> None:
    """No code or style in pages, no frame around them, nobody keeps them, no other origin reads."""
    visitor = Visitor(APP)
    if is_logged_in:
        visitor.log_in()
    headers = visitor.get(path, headers={"Origin": "https://evil.example"}).headers

    assert guard.POLICY == headers["Content-Security-Policy"]
    assert "unsafe" not in guard.POLICY
    assert "frame-ancestors 'none'" in guard.POLICY
    assert "no-store" == headers["Cache-Control"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert [] == [name for name, _ in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["settings", f"static/{assets.version()}/admin.css", "login"])
def test_no_other_origin_is_let_in(path: str) -> None:
    """A pre-flight is not granted here."""
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    headers = APP.test_client().options(f"/admin/{path}", headers=asks).headers

    assert [] == [name for name, _ in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["login", "setup", "playground", "settings", "nowhere"])
def test_pages_hold_no_code_and_load_only_ours(path: str) -> None:
    """What the policy forbids is not even tried."""
    text = Visitor(APP).log_in().get(path).text if path != "login" else Visitor(APP).get(path).text
    scripts = text.split("<script")[1:]

    assert scripts
    assert all(
        ' src="/admin/static/' in script or "application/json" in script for script in scripts
    )
    assert "style=" not in text
    assert " on" + "click" not in text
    assert [] == re.findall(r'(?:src|href|action|hx-(?:get|post))="(?![/?#]|\{)[^"]*"', text)


def test_the_cookie_is_for_this_site_alone() -> None:
    """Over TLS it has a name that no other host can set."""
    plain = log_in(Visitor(APP), "http://localhost")
    secure = log_in(Visitor(APP), "https://localhost")

    assert plain.startswith("poeflask=")
    assert secure.startswith("__Host-poeflask=")
    assert "Secure" not in plain
    assert all("HttpOnly; Path=/; SameSite=Strict" in cookie for cookie in (plain, secure))
    assert "; Secure; HttpOnly" in secure
    assert "Domain" not in secure


def log_in(visitor: Visitor, base_url: str) -> str:
    """The cookie that the login gives."""
    response = visitor.client.post(
        "/admin/login",
        data={"username": "admin", "password": PASSWORD},
        headers={**PAGE, "Origin": base_url},
        base_url=base_url,
    )
    return response.headers["Set-Cookie"]


def test_a_trusted_proxy_says_how_the_browser_came() -> None:
    """Then the origin fits, and the cookie is for TLS."""
    client = app_with(trusted_proxies=1).test_client()
    response = client.post(
        "/admin/login",
        data={"username": "admin", "password": PASSWORD},
        headers={
            **PAGE,
            "Origin": "https://a.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "a.example",
        },
    )

    assert 303 == response.status_code
    assert response.headers["Set-Cookie"].startswith("__Host-poeflask=")


def test_guessing_is_throttled_for_one_address_only() -> None:
    """Also the right password waits then, elsewhere it does not."""
    visitor = Visitor(app_with())
    for _ in range(TRIES_OF_ONE - 1):
        parts_of(visitor.app).throttle.wait_s("127.0.0.1")
    last = visitor.post("login", username="admin", password="wrong")
    late = visitor.post("login", username="admin", password=PASSWORD)
    visitor.client.environ_base["REMOTE_ADDR"] = "192.0.2.9"
    elsewhere = visitor.post("login", username="admin", password=PASSWORD)

    assert [403, 429, 303] == [last.status_code, late.status_code, elsewhere.status_code]
    assert 0 < int(late.headers["Retry-After"]) <= 901


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ("/admin/settings", "/admin/settings"),
        ("/admin/settings?note=x", "/admin/settings?note=x"),
        ("https://evil.example/admin/", "/admin/"),
        ("//evil.example/admin/", "/admin/"),
        ("/admin/\\evil", "/admin/"),
        ("/admin/\r\nSet-Cookie: a=b", "/admin/"),
        ("/admin", "/admin/"),
        ("/v1/models", "/admin/"),
        ("/admin/" + "x" * 600, "/admin/"),
        ("javascript:alert(1)", "/admin/"),
    ],
)
def test_the_login_leads_back_to_our_own_pages_alone(wanted: str, where: str) -> None:
    """Whatever a link says."""
    with APP.test_request_context("/admin/login", query_string={"next": wanted}):
        assert where == guard.wanted_next()


def test_without_an_admin_page_there_is_nothing() -> None:
    """It is as any other path that is not there."""
    client = app_with(admin="off").test_client()

    assert {404} == {client.get(path).status_code for path in ("/admin", "/admin/login")}
