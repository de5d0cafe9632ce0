"""Errors as answers."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask, redirect, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, abort

from poeflask.core.dialect import anthropic_error
from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.web import errors
from poeflask.web.logging import Line
from tests.web.conftest import Log


def raises(app: Flask, error: Exception) -> None:
    """Let GET /a raise this."""

    def view() -> str:
        raise error

    app.add_url_rule("/a", view_func=view)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ClientError(ErrorKind.UNAUTHENTICATED, "No."), 401, "invalid_api_key"),
        (ClientError(ErrorKind.CLIENT_GONE, "No."), 499, "client_closed_request"),
        (PoeError(ErrorKind.RATE_LIMITED, "No.", retry_after_s=3), 429, "rate_limit_exceeded"),
        (OwnError(ErrorKind.DRAINING, "No."), 503, "restarting"),
    ],
)
def test_each_error_has_its_own_status_and_outcome(
    app: Flask, log: Log, error: PoeflaskError, status: int, code: str
) -> None:
    """The client reads OpenAI's shape, the log the kind; neither is a bug."""
    raises(app, error)
    response = app.test_client().get("/a")
    response.close()

    assert (status, code) == (response.status_code, response.json["error"]["code"])
    assert [("request", error.kind.value)] == [(line["event"], line["outcome"]) for line in log]


def test_another_dialect_has_its_own_shape(app: Flask) -> None:
    """The blueprint of the route decides."""
    errors.install(app, {"other": anthropic_error})
    other = Blueprint("other", __name__)
    other.add_url_rule("/other", view_func=lambda: abort(415))
    app.register_blueprint(other)
    body = app.test_client().get("/other").json

    assert ("error", "req_new") == (body["type"], body["request_id"])


def test_a_bug_is_told_in_the_log_alone(app: Flask, log: Log) -> None:
    """The client gets the id under which the log tells it."""
    raises(app, ZeroDivisionError("canary"))
    response = app.test_client().get("/a")
    response.close()
    told, line = log

    assert (500, "internal_error") == (response.status_code, response.json["error"]["code"])
    assert "req_new" in response.json["error"]["message"]
    assert "canary" not in response.text
    assert ("bug", "req_new") == (told["event"], told["request_id"])
    assert isinstance(told["exc_info"], ZeroDivisionError)
    assert "internal" == line["outcome"]


def test_only_what_has_a_cause_is_told_as_a_bug(log: Log) -> None:
    """An error that explains itself needs no traceback."""
    line = Line("req_new")
    errors.note(OwnError(ErrorKind.INTERNAL, "No."), line)

    assert ("internal", []) == (line.outcome, log)


def test_an_unknown_route_and_a_wrong_method(app: Flask) -> None:
    """404 says where to look, 405 what is taken."""
    app.add_url_rule("/a", view_func=lambda: "a", methods=["POST"])
    client = app.test_client()
    unknown, wrong = client.get("/b"), client.get("/a")

    assert (404, "unknown_url") == (unknown.status_code, unknown.json["error"]["code"])
    assert "GET /b" in unknown.json["error"]["message"]
    assert (405, "method_not_allowed") == (wrong.status_code, wrong.json["error"]["code"])
    assert "POST" in wrong.headers["Allow"]


def test_a_path_with_braces_is_only_text(app: Flask) -> None:
    """It is no place to be filled in."""
    body = app.test_client().get("/{limit}{0}{request.environ}").json

    assert "/{limit}{0}{request.environ}" in body["error"]["message"]


def test_a_long_path_is_not_repeated_whole(app: Flask) -> None:
    """An error stays readable."""
    assert len(app.test_client().get("/" + "a" * 5000).text) < 600


def test_a_redirect_is_no_error(app: Flask) -> None:
    """It leaves as it is."""
    app.add_url_rule("/a/", "a", view_func=lambda: "a")
    app.add_url_rule("/r", "r", view_func=lambda: redirect("/a/"))
    client = app.test_client()

    assert [308, 302] == [client.get(path).status_code for path in ("/a", "/r")]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [(400, 400, None), (403, 400, None), (408, 408, "request_timeout"), (418, 400, None)],
)
def test_what_the_framework_refuses_has_our_shape(
    app: Flask, code: int, status: int, said: str | None
) -> None:
    """Each of its errors becomes one of ours; the rest are wrong requests."""
    app.add_url_rule("/a", view_func=lambda: abort(code))
    response = app.test_client().get("/a")

    assert (status, said) == (response.status_code, response.json["error"]["code"])


@pytest.mark.parametrize("error", [500, 503])
def test_what_the_framework_fails_at_is_not_the_clients_fault(app: Flask, error: int) -> None:
    """A server error stays one, whoever raised it."""
    app.add_url_rule("/a", view_func=lambda: abort(error))
    response = app.test_client().get("/a")

    assert (500, "internal_error") == (response.status_code, response.json["error"]["code"])


def test_too_large_a_body_is_told_the_limit(app: Flask) -> None:
    """413 names the number."""
    app.add_url_rule("/a", view_func=lambda: request.get_data(), methods=["POST"])
    response = app.test_client().post("/a", data=b"x" * 1001)

    assert (413, "request_too_large") == (response.status_code, response.json["error"]["code"])
    assert "1000 bytes" in response.json["error"]["message"]
    assert issubclass(RequestEntityTooLarge, HTTPException)


@pytest.mark.parametrize(
    "host", ["", "a b", "[::1", "x:99999", "a/b", "ü", 'evil"><script>', "a@b"]
)
def test_odd_hosts_break_nothing(app: Flask, host: str) -> None:
    """A Host header that is none is refused or ignored, but no fault of ours."""
    app.add_url_rule("/a", view_func=lambda: request.host_url)
    response = app.test_client().get("/a", environ_overrides={"HTTP_HOST": host})

    assert response.status_code in (200, 400)
    assert "req_new" == response.headers["x-request-id"]
