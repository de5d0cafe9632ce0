"""Browser clients of other origins."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.web import cors, errors, logging

A = "https://a.example"
ASKS = {
    "Origin": A,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, x-stainless-lang",
}


def answered(
    origins: list[str], method: str, sent: dict[str, str], path: str = "/a"
) -> tuple[int, Headers]:
    """Status and headers of an answer of an app that admits these origins."""
    app = Flask("small", static_folder=None)
    logging.install(app, clock=lambda: 5.0, new_id=lambda prefix: f"{prefix}new")
    cors.install(app, origins)
    errors.install(app, {})
    app.add_url_rule("/a", "a", view_func=lambda: "a", methods=["GET", "POST"])
    app.add_url_rule("/bad", view_func=_refuse)
    app.add_url_rule("/bug", "bug", view_func=lambda: 1 / 0)
    response = app.test_client().open(path, method=method, headers=sent)
    response.close()
    return response.status_code, response.headers


def _refuse() -> str:
    raise ClientError(ErrorKind.INVALID_REQUEST, "No.")


def test_a_preflight_is_granted_what_it_asks_for() -> None:
    """Every header, every method that a route takes, never credentials."""
    status, headers = answered(["*"], "OPTIONS", ASKS)

    assert 204 == status
    assert "*" == headers["Access-Control-Allow-Origin"]
    assert ASKS["Access-Control-Request-Headers"] == headers["Access-Control-Allow-Headers"]
    assert {"GET", "POST", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_of_another_origin_is_granted_nothing() -> None:
    """Its browser stops there."""
    status, headers = answered([A], "OPTIONS", ASKS | {"Origin": "https://b.example"})

    assert 204 == status
    assert "Access-Control" not in str(headers)


@pytest.mark.parametrize("wanted", ["", "a\x01b", 'a"b', "ä"])
def test_odd_names_of_headers_are_not_sent_back(wanted: str) -> None:
    """What is no list of names is no reason to fail either."""
    sent = ASKS | {"Access-Control-Request-Headers": wanted}
    status, headers = answered(["*"], "OPTIONS", sent)

    assert 204 == status
    assert "Access-Control-Allow-Headers" not in headers


def test_options_of_no_browser_is_an_ordinary_request() -> None:
    """It learns what the route takes."""
    status, headers = answered(["*"], "OPTIONS", {})

    assert 200 == status
    assert "POST" in headers["Allow"]


@pytest.mark.parametrize(
    ("path", "status"), [("/a", 200), ("/bad", 400), ("/no", 404), ("/bug", 500)]
)
def test_errors_can_be_read_too(path: str, status: int) -> None:
    """A page that may call may also read why it was refused, and under which id."""
    got, headers = answered([A], "GET", {"Origin": A}, path)

    assert (status, A, "*") == (
        got,
        headers["Access-Control-Allow-Origin"],
        headers["Access-Control-Expose-Headers"],
    )
    assert "req_new" == headers["x-request-id"]


@pytest.mark.parametrize("sent", [{}, {"Origin": A}, {"Origin": "https://b.example"}])
def test_a_cache_is_told_that_answers_differ(sent: dict[str, str]) -> None:
    """Also by those answers that no page may read; not where all origins are alike."""
    assert "Origin" in answered([A], "GET", sent)[1]["Vary"]
    assert "Vary" not in answered(["*"], "GET", sent)[1]


@pytest.mark.parametrize("origin", ["null", A + ".evil.example", A + "/", "HTTPS://A.EXAMPLE"])
def test_what_only_resembles_an_origin_is_none(origin: str) -> None:
    """Origins are compared whole."""
    assert "Access-Control-Allow-Origin" not in answered([A], "GET", {"Origin": origin})[1]


def test_no_origin_may_be_admitted() -> None:
    """Then no answer says anything of origins."""
    headers = answered([], "GET", {"Origin": A})[1]

    assert "Access-Control-Allow-Origin" not in headers
    assert "Vary" not in headers


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_what_is_closed_is_for_its_own_origin(method: str) -> None:
    """Whoever is admitted elsewhere."""
    app = Flask("small", static_folder=None)
    cors.install(app, ["*"], closed=("inner",))
    app.add_url_rule("/inner/a", "inner", view_func=lambda: "a")
    app.add_url_rule("/innermost", "innermost", view_func=lambda: "a")
    client = app.test_client()
    inner = client.open("/inner/a", method=method, headers=ASKS).headers
    other = client.open("/innermost", method=method, headers=ASKS).headers

    assert [] == [name for name, _ in inner if name.startswith("Access-Control")]
    assert "*" == other["Access-Control-Allow-Origin"]
