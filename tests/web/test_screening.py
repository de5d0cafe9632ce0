"""Requests with odd hosts and codings, before an app that would answer them all."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from poeflask.web import screening


@pytest.fixture(autouse=True)
def route(app: Flask) -> None:
    """POST /a is there, for whoever is let in."""
    screening.install(app)
    app.add_url_rule("/a", view_func=lambda: "in", methods=["POST"])


def answer(app: Flask, version: str = "HTTP/1.1", **variables: str) -> tuple[str, bytes]:
    """(status, body) of a request that has these variables and no others of their kind."""
    environ = EnvironBuilder("/a", method="POST").get_environ()
    del environ["HTTP_HOST"]
    environ |= {"SERVER_PROTOCOL": version, **variables}
    body, status, _ = run_wsgi_app(app.wsgi_app, environ)
    return status, b"".join(body)


@pytest.mark.parametrize(
    "host",
    [
        *("x", "localhost:8080", "poe.example.org.", "my_container:80", "xn--tda.example"),
        *("127.0.0.1", "[::1]:8080", "[::ffff:127.0.0.1]", ("a" * 60 + ".") * 4),
    ],
)
def test_a_host_is_a_name_or_an_address(app: Flask, host: str) -> None:
    """With a port or without, in any case."""
    assert ("200 OK", b"in") == answer(app, HTTP_HOST=host)


@pytest.mark.parametrize(
    "host",
    [
        *("", " ", "a b", "a/b", "x?y", "x#y", "a@b", "a,b", 'x"><b>', "-x", ".x", "x:", "x:y"),
        *("x:123456", "[::1", "::1", "[x]", "\xe4", "a\\b", "x\n", "X" * 254),
    ],
)
def test_what_is_no_host_is_refused(app: Flask, host: str) -> None:
    """Before any page or link is made of it; and it is not shown back."""
    status, body = answer(app, HTTP_HOST=host)

    assert "400 BAD REQUEST" == status
    assert b"'Host'" in body
    assert b"<b>" not in body


def test_only_old_clients_may_name_no_host(app: Flask) -> None:
    """HTTP/1.1 demands the header, HTTP/1.0 does not know it."""
    assert "400 BAD REQUEST" == answer(app)[0]
    assert "200 OK" == answer(app, version="HTTP/1.0")[0]


@pytest.mark.parametrize("coding", ["gzip, chunked", "identity, chunked", "gzip", ""])
def test_a_body_is_chunked_and_nothing_else(app: Flask, coding: str) -> None:
    """Nobody here would uncompress it."""
    status, body = answer(app, HTTP_HOST="x", HTTP_TRANSFER_ENCODING=coding)

    assert "400 BAD REQUEST" == status
    assert b"Transfer-Encoding" in body


def test_a_chunked_body_passes(app: Flask) -> None:
    """In any case of letters."""
    assert "200 OK" == answer(app, HTTP_HOST="x", HTTP_TRANSFER_ENCODING="Chunked")[0]
