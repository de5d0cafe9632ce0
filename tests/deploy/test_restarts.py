"""New code and new settings under load: not one request fails."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest
import requests

from tests.live.conftest import Live, serving, simulator

__all__ = ["simulator"]

CLIENTS = 12
LIMIT_S = 60.0
"""How long anything may take where much else runs."""
BODY = {
    "model": "Slow-Talker",
    "stream": True,
    "messages": [{"role": "user", "content": "Hello"}],
    "poe": {"words": 10, "interval_ms": 20},
}
AS_SYSTEMD_DOES = 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3<&'


def ask(url: str) -> str:
    """How one answer went, on a connection of its own: "ok", or what was wrong."""
    try:
        answer = requests.post(
            f"{url}/v1/chat/completions",
            headers={"Authorization": "Bearer k", "Connection": "close"},
            json=BODY,
            timeout=LIMIT_S,
        )
    except requests.RequestException as error:
        return repr(error)
    if answer.status_code == 200 and answer.text.endswith("data: [DONE]\n\n"):
        return "ok" if '"finish_reason":"stop"' in answer.text else answer.text
    return f"{answer.status_code} {answer.text}"


def under_load(url: str, disturb: Callable[[], None]) -> list[str]:
    """How all answers went that clients without a pause asked for during the disturbance.

    It begins when as many were heard as there are clients, and ends when twice as many were heard
    after it.
    """
    heard: list[str] = []
    is_over = gevent.event.Event()

    def hear(rounds: int) -> None:
        enough = len(heard) + rounds * CLIENTS
        with gevent.Timeout(LIMIT_S):
            while len(heard) < enough:
                gevent.sleep(0.02)

    def client() -> None:
        while not is_over.is_set():
            heard.append(ask(url))

    clients = [gevent.spawn(client) for _ in range(CLIENTS)]
    hear(1)
    disturb()
    hear(2)
    is_over.set()
    gevent.joinall(clients, timeout=LIMIT_S, raise_error=True)
    return heard


@pytest.fixture(scope="module")
def reloading(simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask with two workers, to be reloaded."""
    folder = tmp_path_factory.mktemp("reloading")
    with serving(simulator, folder, drain_s=10, workers=2) as live:
        yield live


def workers(live: Live) -> set[str]:
    """The processes that serve."""
    return set(Path(f"/proc/{live.pid}/task/{live.pid}/children").read_text().split())


def test_a_reload_under_load_fails_nobody(reloading: Live) -> None:
    """Twice HUP, until none of the first workers is left."""

    def reload() -> None:
        for _ in range(2):
            before = workers(reloading)
            os.kill(reloading.pid, signal.SIGHUP)
            with gevent.Timeout(LIMIT_S):
                while before & workers(reloading):
                    gevent.sleep(0.1)

    heard = under_load(reloading.url, reload)

    assert {"ok"} == set(heard)


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A socket that stays open, as systemd holds it, whoever serves it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        yield listener


def start(listener: socket.socket, simulator_url: str, folder: Path) -> subprocess.Popen[bytes]:
    """The service as its unit starts it, on a socket that it is handed."""
    settings = {
        "POE_BASE_URL": simulator_url,
        "POEFLASK_SIMULATOR": "off",
        "POEFLASK_WORKERS": "2",
        "POEFLASK_DRAIN_S": "10",
        "CONFIG_DIR": str(folder),
    }
    number = str(listener.fileno())
    serve = [sys.executable, "-m", "poeflask", "serve"]
    with (folder / "poeflask.log").open("ab") as log:
        return subprocess.Popen(
            ["bash", "-c", AS_SYSTEMD_DOES + number, "bash", *serve],
            env={**os.environ, **settings},
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )


def test_a_restart_behind_a_socket_fails_nobody(simulator, tmp_path: Path) -> None:
    """Who comes while nobody serves waits in the socket, and is served by the next."""
    with listening() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        running = [start(listener, simulator.url, tmp_path)]

        def restart() -> None:
            running[-1].send_signal(signal.SIGTERM)
            running[-1].wait(20)
            running.append(start(listener, simulator.url, tmp_path))

        try:
            assert "ok" == ask(url)
            began = time.monotonic()
            heard = under_load(url, restart)
            took_s = time.monotonic() - began
        finally:
            for process in running:
                process.terminate()
                process.wait(20)

    assert {"ok"} == set(heard)
    assert took_s < 25
