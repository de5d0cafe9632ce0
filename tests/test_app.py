"""The whole, put together."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from socket import socket

import gevent
import pytest
from flask.testing import FlaskClient
from gevent.server import StreamServer
from werkzeug.test import TestResponse

from poeflask.app import create_app
from poeflask.settings import Settings, SettingsError
from poeflask.upstreams import DEMO_KEY

CHAT = {"model": "Echo", "messages": [{"role": "user", "content": "hi there"}]}
AWAY = "http://127.0.0.1:1"


def client(key: str = DEMO_KEY, **chosen: object) -> FlaskClient:
    """A client of an app whose real Poe is away and that remembers nothing."""
    quiet = {"store_url": "memory", "poe_base_url": AWAY, "log_level": "error", "tries": 1}
    made = create_app(Settings(**{**quiet, **chosen})).test_client()  # type: ignore[arg-type]
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return made


def test_the_demo_key_is_answered_here() -> None:
    """Whole, streamed and listed, without any Poe."""
    demo = client(simulator="on")
    whole = demo.post("/v1/chat/completions", json=CHAT)
    streamed = demo.post("/v1/chat/completions", json={**CHAT, "stream": True})
    pieces = [
        json.loads(line)["choices"][0]["delta"].get("content", "")
        for line in re.findall(r"^data: (\{.*)$", streamed.text, re.MULTILINE)
    ]

    assert "hi there" == whole.json["choices"][0]["message"]["content"] == "".join(pieces)
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert "Echo" in {bot["id"] for bot in demo.get("/v1/models").json["data"]}
    assert "simulated" == demo.get("/readyz").json["catalogue"]


def test_any_other_key_is_poes() -> None:
    """The simulator answers none but its own."""
    assert 502 == client("other", simulator="on").get("/v1/models").status_code


@pytest.mark.parametrize("chosen", [{"simulator": "off"}, {"trusted_proxies": 1}, {"host": "::"}])
def test_the_demo_key_is_nothing_special_where_strangers_are(chosen: dict[str, object]) -> None:
    """It is handed to Poe like any other."""
    page = client(**chosen)

    assert 502 == page.get("/v1/models").status_code
    assert "demo" not in page.get("/").text


def test_without_settings_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what is wrong with it."""
    monkeypatch.setenv("PORT", "many")

    with pytest.raises(SettingsError, match="PORT"):
        create_app()


def test_no_forwarded_header_is_believed_by_itself() -> None:
    """A client could write them too."""
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}

    assert "evil.example" not in client().get("/", headers=forged).text


def test_trusted_proxies_say_how_the_client_came() -> None:
    """Only the last of what they hand on: the rest a client may have written."""
    sent = {"X-Forwarded-Host": "evil.example, good.example", "X-Forwarded-Proto": "http, https"}
    page = client(trusted_proxies=1).get("/", headers=sent).text

    assert "https://good.example/v1" in page
    assert "evil.example" not in page


def test_bodies_have_a_limit() -> None:
    """The one that is set."""
    small = client(max_request_bytes=10)

    assert 413 == small.post("/v1/chat/completions", json=CHAT).status_code


def test_other_origins_are_those_of_the_settings() -> None:
    """And errors of the whole app are readable there."""
    headers = (
        client(cors_origins=("https://a.example",))
        .get("/no", headers={"Origin": "https://a.example"})
        .headers
    )

    assert "https://a.example" == headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize("path", ["/v1/v1/models", "/v1//models", "/models", "///models"])
def test_paths_as_clients_spell_them(path: str) -> None:
    """Doubled slashes and versions, or none, mean the same route."""
    listed = client(simulator="on").get("/", environ_overrides={"PATH_INFO": path})

    assert 200 == listed.status_code
    assert "list" == listed.json["object"]


@pytest.mark.parametrize(
    "place",
    [
        lambda deep: {**CHAT, "metadata": {"a": deep}},
        lambda deep: {**CHAT, "poe": {"a": deep}},
        lambda deep: {**CHAT, "strange": deep},
        lambda deep: {**CHAT, "messages": deep},
        lambda deep: {**CHAT, "messages": [{"role": "user", "content": deep}]},
        lambda deep: {
            **CHAT,
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": deep}}}],
        },
        lambda deep: {
            **CHAT,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "f", "schema": {"not": deep}},
            },
        },
    ],
)
@pytest.mark.parametrize("depth", [100, 400, 900])
def test_deep_values_are_no_fault_of_ours(place: Callable[[object], object], depth: int) -> None:
    """What can be read can be handled, or is refused as a wrong request."""
    deep: object = {}
    for _ in range(depth):
        deep = {"a": deep}
    sent = json.dumps(place(deep))
    response = client(simulator="on").post("/v1/chat/completions", data=sent)

    assert response.status_code in (200, 400)


def test_every_setting_does_something() -> None:
    """Each is read where parts are made and joined, or by the command that starts the server."""
    source = "".join(
        (Path(__file__).parent.parent / "poeflask" / name).read_text("utf-8")
        for name in ("app.py", "upstreams.py", "cli.py")
    )
    derived = {
        "simulator": "simulator_enabled",
        "poe_api_key": "keys_of_poe",
        "poe_api_keys": "keys_of_poe",
        "local_key": "key_of_local_requests",
        "local_key_for": "key_of_local_requests",
    }
    idle = [
        made.name
        for made in fields(Settings)
        if not re.search(rf"settings\.{derived.get(made.name, made.name)}\b", source)
    ]

    assert [] == idle


def test_answers_are_traced_where_that_is_set() -> None:
    """A collector that is away is nobody's trouble."""
    demo = client(simulator="on", otlp_endpoint=AWAY)

    assert 200 == demo.post("/v1/chat/completions", json=CHAT).status_code


def test_traces_need_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to install."""
    monkeypatch.setitem(sys.modules, "poeflask.web.tracing", None)

    with pytest.raises(SettingsError, match=r"poeflask\[otel\]"):
        client(otlp_endpoint=AWAY)


def test_without_a_ledger_there_are_no_rows() -> None:
    """The metrics count all the same."""
    demo = client(simulator="on", ledger="off")
    demo.post("/v1/chat/completions", json={**CHAT, "stream": True}).close()
    metering = demo.application.extensions["poeflask.metering"]

    assert None is metering.ledger
    assert 'poeflask_requests_total{dialect="chat",outcome="ok"} 1.0' in demo.get("/metrics").text


def test_a_clock_that_jumps_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten years on, and ten years back, the same requests are answered."""
    now_s = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now_s[0])
    demo = client(simulator="on")
    statuses = []
    for jump_s in (0, 3e8, -6e8, 3e8):
        now_s[0] += jump_s
        statuses += [
            demo.post("/v1/chat/completions", json=CHAT).status_code,
            demo.post("/v1/responses", json={"model": "Echo", "input": "hi"}).status_code,
            demo.get("/v1/models").status_code,
            demo.get("/readyz").status_code,
        ]

    assert [200] * 16 == statuses


LOADED_LATER = {
    "asyncio": "structlog's loggers that are awaited",
    "rich": "what commands print with",
    "pygments": "as above",
    "json_repair": "texts that are no JSON",
    "jsonschema_rs": "answers that follow a schema",
    "yaml": "models.yaml",
    "tiktoken": "counting tokens",
    "apispec": "the description of the API",
    "redis": "a store that is shared by several machines",
    "opentelemetry": "traces, where they are sent somewhere",
    "wordllama": "embeddings",
    "numpy": "as above",
    "poeflask.simulator": "the demo key",
    "poeflask.commands": "the command line",
    "poeflask.cli": "as above",
}
"""Modules that a worker starts without, and who needs them."""


def test_a_start_loads_nothing_that_only_few_need(tmp_path: Path) -> None:
    """Each of them would cost every worker time and memory."""
    program = "import sys, poeflask._patch, poeflask.app as a; a.create_app(); print(*sys.modules)"
    environ = {**os.environ, "CONFIG_DIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, env=environ, capture_output=True, text=True).stdout
    loaded = set(told.split())

    assert "poeflask.app" in loaded
    assert [] == sorted(loaded & LOADED_LATER.keys())


def slow_to_end(sock: socket, _address: object) -> None:
    """Poe, who says one word, and long questions have to wait for the end of the answer."""
    with sock.makefile("rb") as sent:
        head = dict(line.lower().split(b":", 1) for line in list(iter(sent.readline, b"\r\n"))[1:])
        length = int(head.get(b"content-length", b"0"))
        for at in range(0, length, 1000):
            sent.read(min(length - at, 1000))
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    sock.sendall(b'event: text\r\ndata: {"text": "Hm"}\r\n\r\n')
    if length > 10_000:
        gevent.sleep(30)
    sock.sendall(b"event: done\r\ndata: {}\r\n\r\n")


def test_long_prompts_are_not_kept_while_their_answers_come() -> None:
    """Whoever listens for minutes costs far less than a question of 300,000 letters."""
    poe = StreamServer(("127.0.0.1", 0), slow_to_end)
    poe.start()
    asking = client("canary-key", poe_base_url=f"http://127.0.0.1:{poe.server_port}")

    def listen(words: str) -> TestResponse:
        said = [{"role": "user", "content": words}]
        asked = {"model": "Thinker", "messages": said, "stream": True}
        answer = asking.post("/v1/chat/completions", json=asked)
        while b"Hm" not in next(answer.response):
            pass
        # A server keeps nothing of a body that was read; this client does.
        answer.request.environ["wsgi.input"].truncate(0)
        return answer

    # What is loaded for the first answer stays.
    asking.post("/v1/chat/completions", json=CHAT)
    listen("Hello.").close()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    answers = [listen(f"{number} {'book ' * 60_000}") for number in range(3)]
    gevent.sleep(0.3)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for answer in answers:
        answer.close()
    poe.stop()

    assert (after - before) / len(answers) < 200_000
