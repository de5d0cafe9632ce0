"""The ledger, live answers and metrics of real workers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from poeflask.core.ledger_row import LedgerRow, RowFilter
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.recordings import Recordings
from poeflask.stores.sqlite import SqliteStore
from poeflask.web.doorkeeper import owner_of
from poeflask.web.live import Live as LiveAnswers
from poeflask.web.metering import own_id
from tests.live.conftest import Live, Simulator, serving

KEY = "canary-live-key"
SAID = "canary words of a prompt"
LIMIT_S = 8.0
WORKERS = 2


@pytest.fixture(scope="module")
def served(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Two workers with a ledger of their own."""
    folder = tmp_path_factory.mktemp("ledger")
    settings = {"POEFLASK_HEARTBEAT_S": "0.5", "POEFLASK_FIRST_EVENT_WAIT_S": "0.5"}
    with serving(simulator, folder, workers=WORKERS, **settings) as live:
        yield live


@pytest.fixture
def store(served: Live) -> Iterator[SqliteStore]:
    """The store of the two workers."""
    made = SqliteStore(served.log.parent / "store.db")
    yield made
    made.close()


def ledger_in(store: SqliteStore) -> Ledger:
    """The ledger, to be read."""
    return Ledger(store, worker="reader", bounds=LedgerBounds(), clock=time.time)


def wait_for(look: Callable[[], Any]) -> Any:
    """What is seen as soon as there is something to see; fails after LIMIT_S."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.05)
    pytest.fail("It did not come in time.")


def post(live: Live, path: str, body: dict[str, Any], **more: Any) -> requests.Response:
    """An answer; every request has an id of its own."""
    headers = {"Authorization": f"Bearer {KEY}", "x-api-key": KEY, "User-Agent": "curl/8"}
    return requests.post(f"{live.url}{path}", headers=headers, json=body, timeout=20, **more)


def row_of(store: SqliteStore, answer: requests.Response) -> LedgerRow:
    """The row of a request, once it is there; there is only one."""
    request_id = answer.headers["x-request-id"]

    def rows() -> list[LedgerRow]:
        found = ledger_in(store).rows(limit=200).rows
        return [row for row in found if row.request_id == request_id]

    (row,) = wait_for(rows)
    return row  # type: ignore[no-any-return]


def messages(text: str = SAID) -> list[dict[str, str]]:
    """One question."""
    return [{"role": "user", "content": text}]


DIALECTS: list[tuple[str, str, dict[str, Any]]] = [
    ("chat", "/v1/chat/completions", {"messages": messages()}),
    ("chat", "/v1/chat/completions", {"messages": messages(), "stream": True}),
    (
        "chat",
        "/v1/chat/completions",
        {"messages": messages(), "stream": True, "stream_options": {"include_usage": True}},
    ),
    ("completions", "/v1/completions", {"prompt": SAID}),
    ("completions", "/v1/completions", {"prompt": SAID, "stream": True}),
    ("responses", "/v1/responses", {"input": SAID}),
    ("responses", "/v1/responses", {"input": SAID, "stream": True}),
    ("messages", "/v1/messages", {"messages": messages(), "max_tokens": 99}),
    ("messages", "/v1/messages", {"messages": messages(), "max_tokens": 99, "stream": True}),
    ("ollama", "/api/chat", {"messages": messages(), "stream": False}),
    ("ollama", "/api/chat", {"messages": messages()}),
    ("ollama", "/api/generate", {"prompt": SAID}),
    (
        "gemini",
        "/v1beta/models/Echo:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": SAID}]}]},
    ),
    (
        "gemini",
        "/v1beta/models/Echo:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": SAID}]}]},
    ),
]


@pytest.mark.parametrize(("dialect", "path", "body"), DIALECTS)
def test_every_dialect_has_rows(
    served: Live, store: SqliteStore, dialect: str, path: str, body: dict[str, Any]
) -> None:
    """With the tokens of what was asked and answered, whether the client wants to know or not."""
    body = body if dialect == "gemini" else {"model": "Echo", **body}
    answer = post(served, path, body)
    row = row_of(store, answer)

    assert 200 == answer.status_code
    assert (dialect, "Echo", "ok", "curl", own_id(owner_of(KEY))) == (
        row.dialect,
        row.bot,
        row.outcome,
        row.client,
        row.key_id,
    )
    # Echo says what it was asked, and the prompt has a few tokens around it.
    assert 4 <= row.completion_tokens < row.prompt_tokens < 25
    assert row.first_token_s is not None
    assert 0 < row.first_token_s <= row.total_s < LIMIT_S
    shown = re.findall(r'"(?:completion_tokens|output_tokens)":\s?(\d+)', answer.text)
    assert not shown or row.completion_tokens == int(shown[-1])
    wants_none = body.get("stream") and dialect in ("chat", "completions")
    assert not (wants_none and "stream_options" not in body and "usage" in answer.text)


MAKERS = [
    ("images", "/v1/images/generations", {"model": "Painter", "prompt": "a cat"}),
    ("audio", "/v1/audio/speech", {"model": "Speaker", "input": "hello", "voice": "alloy"}),
]


@pytest.mark.parametrize(("dialect", "path", "body"), MAKERS)
def test_what_makes_files_has_rows(
    served: Live, store: SqliteStore, dialect: str, path: str, body: dict[str, Any]
) -> None:
    """They say how many files came."""
    row = row_of(store, post(served, path, body))

    assert (dialect, "ok", 1) == (row.dialect, row.outcome, row.files_out)


def test_exact_tokens_are_told_as_exact(served: Live, store: SqliteStore) -> None:
    """The simulator's tool user counts its tokens as a provider does."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    body = {"model": "Tool-User", "messages": messages(), "tools": [tool]}
    answer = post(served, "/v1/chat/completions", body)
    row, usage = row_of(store, answer), answer.json()["usage"]

    assert (usage["prompt_tokens"], usage["completion_tokens"], 1) == (
        row.prompt_tokens,
        row.completion_tokens,
        row.tool_calls,
    )
    assert row.tools == 1


@pytest.mark.parametrize(
    ("bot", "outcome", "output"),
    [
        ("Rate-Limited", "rate_limited", False),
        ("No-Points", "no_points", False),
        ("Cut-Between", "poe_broken", True),
        ("Error-Late", "poe_failed", True),
    ],
)
def test_failed_answers_have_rows(
    served: Live, store: SqliteStore, bot: str, outcome: str, output: bool
) -> None:
    """With an estimate of what they cost, if something had come."""
    body = {"model": bot, "messages": messages(), "stream": True}
    row = row_of(store, post(served, "/v1/chat/completions", body))

    assert (outcome, output, output, False) == (
        row.outcome,
        row.prompt_tokens > 0,
        row.completion_tokens > 0,
        row.exact and output,
    )


def test_aborted_answers_have_rows(served: Live, store: SqliteStore) -> None:
    """A client that leaves has cost what came until then."""
    body = {"model": "Silent-Middle", "messages": messages(), "stream": True}
    answer = post(served, "/v1/chat/completions", body, stream=True)
    next(answer.iter_content(1))
    answer.close()
    row = row_of(store, answer)

    assert ("client_gone", True) == (row.outcome, row.streamed)
    assert row.prompt_tokens > row.completion_tokens > 0


def test_a_wrong_key_leaves_no_row(served: Live, store: SqliteStore) -> None:
    """Anybody could fill the ledger with them."""
    refused = requests.post(
        f"{served.url}/v1/chat/completions",
        headers={"Authorization": "Bearer bad-key"},
        json={"model": "Echo", "messages": messages()},
        timeout=10,
    )
    row_of(store, post(served, "/v1/completions", {"model": "Echo", "prompt": "after"}))

    assert 401 == refused.status_code
    assert [] == [row for row in ledger_in(store).all_rows(RowFilter()) if row.outcome == "bad_key"]


def test_an_answer_is_seen_and_stopped_from_outside(served: Live, store: SqliteStore) -> None:
    """Whichever worker gives it; the client reads who ended it, in its own dialect."""
    live = LiveAnswers(store, worker="admin")
    body = {"model": "Silent-Middle", "messages": messages(), "stream": True}
    answer = post(served, "/v1/chat/completions", body, stream=True)
    request_id = answer.headers["x-request-id"]
    seen = wait_for(lambda: [one for one in live.answers() if one.request_id == request_id])
    live.stop(seen[0].id)
    began_s = time.monotonic()
    text = answer.text

    assert time.monotonic() - began_s < 4.0
    assert "The owner of this service stopped this answer." in text
    assert '"code":"stopped"' in text
    assert "stopped" == row_of(store, answer).outcome
    wait_for(lambda: request_id not in str(live.answers()))


def test_a_message_is_stopped_too(served: Live, store: SqliteStore) -> None:
    """A whole one, as an error with a status that says that asking again is no use."""
    live = LiveAnswers(store, worker="admin")
    body = {"model": "Silent-Start", "messages": messages(), "max_tokens": 9}
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        sent = json.dumps(body).encode()
        client.sendall(
            b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: k\r\n"
            b"Content-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(sent), sent)
        )
        seen = wait_for(lambda: [one for one in live.answers() if one.bot == "Silent-Start"])
        live.stop(seen[0].id)
        said = b"".join(iter(lambda: client.recv(65536), b"")).decode()

    assert said.startswith("HTTP/1.1 503")
    assert "x-should-retry: false" in said
    assert '"type":"api_error"' in said


def test_metrics_are_those_of_all_workers(served: Live) -> None:
    """To the last request, whoever is asked; and no label is a client's invention."""
    answers = 'poeflask_answers_total{model="Echo",outcome="ok"}'
    seconds = 'poeflask_answer_seconds_count{dialect="chat"}'
    asked = 'poeflask_requests_total{dialect="chat",outcome="ok"}'
    unknown = 'poeflask_errors_total{fault="poe",kind="unknown_model"}'
    wait_for(lambda: 0 == number(served, "poeflask_answers_open"))
    before = {name: number(served, name) for name in (answers, seconds, asked, unknown)}
    for _ in range(20):
        post(served, "/v1/chat/completions", {"model": "Echo", "messages": messages()})
    post(served, "/v1/chat/completions", {"model": "invented\n{x}", "messages": messages()})
    wait_for(lambda: 20 == number(served, asked) - before[asked])
    after = {name: number(served, name) for name in before}
    text = requests.get(f"{served.url}/metrics", timeout=10).text

    assert [20, 21, 20, 1] == [after[name] - before[name] for name in before]
    assert 0 == number(served, "poeflask_answers_open")
    assert "invented" not in text
    assert KEY not in text


def test_killed_workers_lose_a_second_at_most(simulator: Simulator, tmp_path: Path) -> None:
    """What was over before is there, and counted; what they had open is open no more.

    And what a worker that ends properly knew is there, all of it.
    """
    echo = {"model": "Echo", "messages": messages()}
    answers = 'poeflask_answers_total{model="Echo",outcome="ok"}'
    with serving(simulator, tmp_path) as live:
        first = post(live, "/v1/chat/completions", echo)
        silent = {"model": "Silent-Middle", "messages": messages(), "stream": True}
        held = post(live, "/v1/chat/completions", silent, stream=True)
        time.sleep(1.0)
        assert 1 == number(live, "poeflask_answers_open")
        for worker in workers_of(live):
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: 0 == number(live, "poeflask_answers_open"))
        assert 1 == number(live, answers)
        last = post(live, "/v1/chat/completions", echo)
        held.close()
    store = SqliteStore(tmp_path / "store.db")
    ids = [row.request_id for row in ledger_in(store).all_rows()]
    store.close()

    assert [last.headers["x-request-id"], first.headers["x-request-id"]] == ids


def test_nothing_that_was_said_is_kept_unless_it_is_wanted(
    served: Live, store: SqliteStore
) -> None:
    """Neither in the store nor in the log; a recorded key's words are, for its recordings alone."""
    recordings = Recordings(store, ttl_s=600, most=10, clock=time.time)
    body = {"model": "Echo", "messages": messages(f"{SAID} unheard")}
    row_of(store, post(served, "/v1/chat/completions", body))
    assert [] == kept(store, "unheard")
    recordings.switch(own_id(owner_of(KEY)), on=True)
    time.sleep(2.1)
    body = {"model": "Echo", "messages": messages(f"{SAID} heard"), "stream": True}
    row = row_of(store, post(served, "/v1/chat/completions", body))
    recordings.switch(own_id(owner_of(KEY)), on=False)
    found = wait_for(lambda: recordings.find(row.id))

    assert (f"user: {SAID} heard", f"{SAID} heard") == (found.prompt, found.answer)
    assert [f"recordings:1/record/{row.id}"] == kept(store, f"{SAID} heard")
    assert [] == kept(store, KEY)
    log = served.log.read_text()
    assert SAID not in log
    assert KEY not in log


def test_the_log_has_one_line_for_each_answer(served: Live) -> None:
    """With who, what, how much and how soon."""
    body = {"model": "echo", "messages": messages(), "stream": True}
    request_id = post(served, "/v1/chat/completions", body).headers["x-request-id"]
    plain = wait_for(
        lambda: [
            line
            for line in re.sub(r"\x1b\[[\d;]*m", "", served.log.read_text()).splitlines()
            if request_id in line
        ]
    )

    (line,) = plain
    for said in ("dialect=chat", "asked=echo", "bot=Echo", "client=curl", "outcome=ok"):
        assert said in line
    assert re.search(r"completion_tokens=\d+.*first_token_ms=\d+.*prompt_tokens=\d+", line)


def kept(store: SqliteStore, text: str) -> list[str]:
    """The keys of what the store keeps with this text in it."""
    return [key for key, value in store.items("", limit=10_000) if text.encode() in value]


def number(live: Live, sample: str) -> float:
    """A sample of the metrics; -1 if nobody answers."""
    try:
        text = requests.get(f"{live.url}/metrics", timeout=2).text
    except requests.RequestException:
        return -1.0
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def workers_of(live: Live) -> list[int]:
    """The process ids of the workers."""
    path = Path(f"/proc/{live.pid}/task/{live.pid}/children")
    return [int(pid) for pid in path.read_text("ascii").split()]
