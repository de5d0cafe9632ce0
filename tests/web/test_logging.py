"""Log lines and request ids."""

from __future__ import annotations

import gc
import json
import os
import weakref

import pytest
import structlog
from flask import Flask, Response, g, send_file

from poeflask.web import logging
from tests.web.conftest import Log


def test_each_request_has_one_line(app: Flask, log: Log) -> None:
    """It says what was asked, how it went, and how long it took."""
    app.add_url_rule("/a", view_func=lambda: "hi")
    app.test_client().get("/a?key=canary").close()

    expected = {
        "event": "request",
        "log_level": "info",
        "request_id": "req_new",
        "method": "GET",
        "path": "/a",
        "status": 200,
        "dialect": None,
        "model": None,
        "outcome": "ok",
        "seconds": 0.0,
    }
    assert [expected] == log


def test_the_line_comes_when_the_answer_is_over(app: Flask, log: Log) -> None:
    """A stream's line is written after its last byte, with the outcome that it had by then."""

    def view() -> Response:
        line = logging.line()

        def body() -> object:
            yield "a"
            line.outcome = "poe_timeout"
            yield "b"

        g.model = "Bot"
        return Response(body())

    app.add_url_rule("/a", view_func=view)
    response = app.test_client().get("/a")

    assert [] == log
    assert "ab" == response.text
    response.close()
    assert [("Bot", "poe_timeout")] == [(entry["model"], entry["outcome"]) for entry in log]


def test_a_written_line_keeps_nobody(app: Flask, log: Log) -> None:
    """Who told its facts may hold all that was asked, and know the line."""

    class Teller:
        line: logging.Line

        def facts(self) -> dict[str, object]:
            return {"asked": "Bot"}

    told: list[weakref.ref[Teller]] = []

    def view() -> str:
        teller = Teller()
        teller.line = logging.line()
        teller.line.facts = teller.facts
        told.append(weakref.ref(teller))
        return "hi"

    app.add_url_rule("/a", view_func=view)
    gc.disable()
    try:
        app.test_client().get("/a").close()
        left = told[0]()
    finally:
        gc.enable()

    assert ["Bot"] == [entry["asked"] for entry in log]
    assert left is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_answers_without_a_body_and_files_have_a_line(app: Flask, log: Log, method: str) -> None:
    """Neither a file that is passed through nor an empty answer is forgotten."""
    app.add_url_rule("/file", view_func=lambda: send_file(__file__))
    app.test_client().open("/file", method=method).close()

    assert [(method, 200)] == [(entry["method"], entry["status"]) for entry in log]


@pytest.mark.parametrize("given", ["mine-1234", "a" * 128])
def test_a_clients_own_id_is_kept(app: Flask, given: str) -> None:
    """So that what stands in front can tell of the same request."""
    response = app.test_client().get("/", headers={"x-request-id": given})

    assert given == response.headers["x-request-id"]


@pytest.mark.parametrize("given", ["", "short", "a b c d e f", "a" * 129, "é" * 10])
def test_what_is_no_id_is_not_taken_for_one(app: Flask, given: str) -> None:
    """The request gets one of ours."""
    response = app.test_client().get("/", headers={"x-request-id": given})

    assert "req_new" == response.headers["x-request-id"]


def test_a_clients_words_stay_on_one_short_line(app: Flask, log: Log) -> None:
    """A path can forge no second line and sends a terminal no orders."""
    app.test_client().get("/a%0ab%1b[31m" + "c" * 500).close()

    (entry,) = log
    assert entry["path"].startswith("/a\\nb\\x1b[31mccc")
    assert len(entry["path"]) < 220


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_values(capfd: pytest.CaptureFixture[str], form: str) -> None:
    """Where a fault of ours is told whole, the keys among the local variables are not."""
    before = structlog.get_config()
    logging.configure("info", form)  # type: ignore[arg-type]
    try:
        _fail("canary" + "-4711")
    except ZeroDivisionError as error:
        structlog.get_logger("poeflask").error("bug", exc_info=error)
    finally:
        structlog.configure(**before)
    told = capfd.readouterr().err

    assert "ZeroDivisionError" in told
    assert "_fail" in told
    assert "canary-4711" not in told


def test_what_a_line_would_say_is_not_asked_where_none_is_written(app: Flask) -> None:
    """And the request is counted all the same."""
    asked: list[str] = []
    counted: list[tuple[str, str]] = []
    logging.install(app, clock=lambda: 5.0, new_id=str, count=lambda *one: counted.append(one))

    def view() -> str:
        logging.line().facts = lambda: asked.append("asked") or {}
        return "hi"

    app.add_url_rule("/a", view_func=view)
    before = structlog.get_config()
    logging.configure("warning", "json")
    try:
        app.test_client().get("/a").close()
    finally:
        structlog.configure(**before)

    assert ([], [("none", "ok")]) == (asked, counted)


def _fail(key: str) -> float:
    return len(key) / 0


def test_machines_read_one_json_object_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    """And what is below the level is left out."""
    before = structlog.get_config()
    logging.configure("warning", "json")
    structlog.get_logger("poeflask").info("quiet")
    structlog.get_logger("poeflask").warning("loud", path="/ü\n")
    structlog.configure(**before)
    (line,) = capfd.readouterr().err.splitlines()

    assert ("loud", "warning", "/ü\n") == tuple(
        json.loads(line)[name] for name in ("event", "level", "path")
    )


@pytest.mark.parametrize("form", ["console", "json"])
def test_the_journal_is_told_levels(
    form: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only if standard error leads there; each line of a traceback has its own."""
    about = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{about.st_dev}:{about.st_ino}")
    before = structlog.get_config()
    logging.configure("info", form)  # type: ignore[arg-type]
    structlog.get_logger("poeflask").info("quiet")
    structlog.get_logger("poeflask").error("loud", path="\n")
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    logging.configure("info", form)  # type: ignore[arg-type]
    structlog.get_logger("poeflask").error("elsewhere")
    structlog.configure(**before)
    first, *others, last = capfd.readouterr().err.splitlines()

    assert first.startswith("<6>")
    assert all(line.startswith("<3>") for line in others)
    assert not last.startswith("<")
