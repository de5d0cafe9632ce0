"""Which bot answered in place of another is told in every API."""

from __future__ import annotations

from typing import Any

import pytest
from flask import g
from flask.testing import FlaskClient

from poeflask.app import create_app
from poeflask.core.caller import Caller
from poeflask.settings import Settings
from poeflask.upstreams import DEMO_KEY
from poeflask.web.fallback import HEADER
from poeflask.web.services import Services

HELLO = [{"role": "user", "content": "Hello"}]
DOWN = "Http-503"
GOOGLE = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}

ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("Echo", "/v1/chat/completions", {"messages": HELLO}),
    ("Echo", "/v1/completions", {"prompt": "Hello"}),
    ("Echo", "/v1/responses", {"input": "Hello"}),
    ("Echo", "/v1/messages", {"messages": HELLO, "max_tokens": 99}),
    ("Echo", "/api/chat", {"messages": HELLO}),
    ("Link-Painter", "/v1/images/generations", {"prompt": "Hello"}),
    ("Speaker", "/v1/audio/speech", {"input": "Hello", "voice": "alloy"}),
]


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """A client of an app that is asked with the simulator's key."""
    app = create_app(
        Settings(
            store_url="memory",
            poe_base_url="http://127.0.0.1:1",
            log_level="error",
            tries=1,
            simulator="on",
            local_key=DEMO_KEY,
        )
    )
    made = app.test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {DEMO_KEY}"
    return made


def falls_back(client: FlaskClient, *bots: str) -> None:
    """Let these bots stand in for every other."""
    here: Services = client.application.extensions["poeflask"]
    demo = here.upstream_for(Caller(owner="anybody", poe_key=DEMO_KEY))
    demo.bridge.fallbacks = lambda bot, caller: bots


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("bot", "path", "body"), ASKED)
def test_every_api_tells_who_answered(
    client: FlaskClient, bot: str, path: str, body: dict[str, Any], stream: bool
) -> None:
    """In a header; the model that the client reads is still the one it asked for."""
    falls_back(client, bot)
    got = client.post(path, json={"model": DOWN, "stream": stream, **body})

    assert (200, bot) == (got.status_code, got.headers.get(HEADER)), got.text
    if b'"model"' in got.data:
        assert DOWN.encode() in got.data
        assert b'"model":"%b"' % bot.encode() not in got.data.replace(b" ", b"")


@pytest.mark.parametrize("call", ["generateContent", "streamGenerateContent?alt=sse"])
def test_googles_api_tells_it_too(client: FlaskClient, call: str) -> None:
    """There the model stands in the path."""
    falls_back(client, "Echo")
    got = client.post(f"/v1beta/models/{DOWN}:{call}", json=GOOGLE)

    assert (200, "Echo") == (got.status_code, got.headers.get(HEADER)), got.text


def test_nothing_is_told_where_the_bot_itself_answered(client: FlaskClient) -> None:
    """Nor where nobody did."""
    falls_back(client, "Http-500")
    body = {"messages": HELLO}
    answered = client.post("/v1/chat/completions", json={"model": "Echo", **body})
    failed = client.post("/v1/chat/completions", json={"model": DOWN, **body})

    assert (200, None) == (answered.status_code, answered.headers.get(HEADER))
    assert (500, None) == (failed.status_code, failed.headers.get(HEADER))


def test_any_name_can_stand_in_the_header(client: FlaskClient) -> None:
    """What is no plain letter is written as in a URL."""
    app = client.application
    with app.test_request_context():
        app.preprocess_request()
        g.fallback = "Bö t\r\nx: y"
        marked = app.process_response(app.response_class("{}"))

    assert "B%C3%B6 t%0D%0Ax: y" == marked.headers[HEADER]
