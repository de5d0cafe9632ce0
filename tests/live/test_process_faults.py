"""What happens to processes and disks while answers are running: nothing gets stuck."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
from gevent.pool import Pool

from poeflask.simulator.server import SimulatorServer
from tests.live.conftest import Live, Simulator, serving

KEY = {"Authorization": "Bearer k"}
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def alone(simulator: Simulator, tmp_path: Path) -> Iterator[Live]:
    """A poeflask of its own, with a folder of its own."""
    with serving(simulator, tmp_path) as live:
        yield live


def chat(live: Live, bot: str = "Echo", **poe: float) -> requests.Response:
    """A streamed answer, of which nothing has been read."""
    return requests.post(
        f"{live.url}/v1/chat/completions",
        headers=KEY,
        json={"model": bot, "stream": True, "messages": HELLO, "poe": poe},
        stream=True,
        timeout=20,
    )


def is_whole(answer: requests.Response) -> bool:
    """Whether the stream came to its proper end; false if it broke off."""
    try:
        return answer.status_code == 200 and answer.text.endswith("data: [DONE]\n\n")
    except requests.exceptions.ChunkedEncodingError:
        return False


def respond(live: Live, text: str = "Hello") -> requests.Response:
    """An answer of the API that remembers."""
    return requests.post(
        f"{live.url}/v1/responses",
        headers=KEY,
        json={"model": "Echo", "input": text},
        timeout=20,
    )


def upload(live: Live, size: int) -> requests.Response:
    """A file to be kept."""
    return requests.post(
        f"{live.url}/v1/files",
        headers=KEY,
        files={"file": ("a.txt", b"a" * size)},
        data={"purpose": "user_data"},
        timeout=20,
    )


def workers(live: Live) -> list[int]:
    """The processes that serve."""
    return list(map(int, Path(f"/proc/{live.pid}/task/{live.pid}/children").read_text().split()))


def sockets(pid: int) -> int:
    """How many connections a process holds."""
    names = Path(f"/proc/{pid}/fd").iterdir()
    return sum(os.readlink(name).startswith("socket:") for name in names if name.is_symlink())


def is_internal(answer: requests.Response) -> bool:
    """Whether poeflask itself had a fault."""
    return answer.status_code == 500 or '"internal_error"' in answer.text


def test_a_worker_that_is_killed_takes_nobody_with_it(simulator: Simulator, tmp_path: Path) -> None:
    """Its own streams break off and do not seem whole; the others end well; a new one serves."""
    with serving(simulator, tmp_path, workers=2) as live:
        one, other = workers(live)
        before = {pid: sockets(pid) for pid in (one, other)}
        streams = []
        while not all(sockets(pid) > before[pid] for pid in before) and len(streams) < 60:
            streams.append(chat(live, "Slow-Talker", words=20, interval_ms=100))
        reading = [gevent.spawn(is_whole, stream) for stream in streams]
        os.kill(one, signal.SIGKILL)
        whole = [reader.get(timeout=20) for reader in reading]
        after = [chat(live).status_code for _ in range(10)]
        is_new = one not in workers(live) and len(workers(live)) == 2
        open_at_poe = simulator.connections()["Slow-Talker"]["open"]

    assert {True, False} == set(whole)
    assert [200] * 10 == after
    assert is_new
    assert 0 == open_at_poe


def test_a_locked_store_holds_up_only_who_must_write(alone: Live) -> None:
    """Answers go on, also to those who wanted theirs kept; a file is refused, and taken later."""
    assert 200 == upload(alone, 10).status_code
    with closing(sqlite3.connect(alone.log.with_name("store.db"))) as holder:
        holder.execute("BEGIN IMMEDIATE")
        talk = gevent.spawn(moments, chat(alone, "Slow-Talker", words=40, interval_ms=100))
        remembered = gevent.spawn(respond, alone)
        began_s = time.monotonic()
        refused = upload(alone, 10)
        refused_s = time.monotonic()
        meanwhile = [at_s for at_s in talk.get(timeout=30) if began_s < at_s < refused_s]
        holder.rollback()

    assert 200 == remembered.get(timeout=20).status_code
    assert (503, "busy") == (refused.status_code, refused.json()["error"]["code"])
    # Ten a second, where nothing else runs.
    assert len(meanwhile) > 8
    assert 200 == upload(alone, 10).status_code


def moments(answer: requests.Response) -> list[float]:
    """When each event of a stream came."""
    return [time.monotonic() for line in answer.iter_lines() if line.startswith(b"data:")]


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"garbage" * 1000)])
def test_a_store_that_is_gone_or_broken_is_no_fault_of_ours(alone: Live, harm: Any) -> None:
    """Chats go on, and what needs the store is refused at most."""
    respond(alone)
    assert alone.log.with_name("store.db").exists()
    for path in list(alone.log.parent.glob("store.db*")):
        harm(path)
    spoken = [chat(alone).status_code for _ in range(3)]
    others = [respond(alone), upload(alone, 10), requests.get(f"{alone.url}/readyz", timeout=20)]

    assert [200] * 3 == spoken
    assert [] == [answer.text for answer in others if is_internal(answer)]


def test_a_full_disk_refuses_files_and_nothing_else(alone: Live) -> None:
    """What cannot be kept is said or forgotten; nobody's answer is lost."""
    assert 200 == respond(alone).status_code
    for pid in (alone.pid, *workers(alone)):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
    refused = upload(alone, 2_000_000)
    answers = [respond(alone, "a" * 100_000) for _ in range(8)]
    leftovers = [path for path in (alone.log.parent / "files").rglob("*") if path.is_file()]

    assert (503, "busy") == (refused.status_code, refused.json()["error"]["code"])
    assert [] == leftovers
    assert [200] * 8 == [answer.status_code for answer in answers]
    assert 200 == chat(alone).status_code


def test_poe_goes_away_and_comes_back(tmp_path: Path) -> None:
    """While it is away each request hears so soon; the first one after it is served."""
    first = SimulatorServer()
    url = first.start()
    with serving(Simulator(url), tmp_path) as live:
        assert is_whole(chat(live))
        first.stop()
        began = time.monotonic()
        away = Pool().map(lambda _: chat(live), range(5))
        took_s = time.monotonic() - began
        second = SimulatorServer(int(url.rpartition(":")[2]))
        second.start()
        after = is_whole(chat(live))
        second.stop()

    assert [(502, "poe_unreachable")] * 5 == [
        (answer.status_code, json.loads(answer.text)["error"]["code"]) for answer in away
    ]
    assert took_s < 5
    assert after
