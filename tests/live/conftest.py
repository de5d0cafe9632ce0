"""A real gunicorn with gevent workers in front of a real simulator, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from openai import OpenAI

from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
START_S = 60.0
"""So long a start may take where much else runs; it takes two seconds where nothing does."""


@dataclass(frozen=True)
class Simulator:
    """A running simulator; `url` is its base address."""

    url: str

    def queries(self) -> list[dict[str, object]]:
        """What it was asked, oldest first."""
        answer: list[dict[str, object]] = requests.get(
            f"{self.url}/simulator/queries", timeout=10
        ).json()
        return answer

    def connections(self) -> dict[str, dict[str, int]]:
        """How its answers went, for each bot."""
        answer: dict[str, dict[str, int]] = requests.get(
            f"{self.url}/simulator/connections", timeout=10
        ).json()["bots"]
        return answer

    def reset(self) -> None:
        """Forget all that was asked."""
        requests.post(f"{self.url}/simulator/reset", timeout=10)


@dataclass(frozen=True)
class Live:
    """A running poeflask; `url` is its base address, `log` the file of its standard error."""

    url: str
    port: int
    simulator: Simulator
    log: Path
    pid: int


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an address answers; fail with the process's own words if it never does."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=2)
        except requests.RequestException:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    process.kill()
    pytest.fail(f"{url} never answered.\n{log.read_text()}")


@contextmanager
def running(
    command: list[str], url: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers at `url`, ended on the way out."""
    env = {**os.environ, **(environment or {})}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=ROOT)
    try:
        wait_until_up(url, process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def gunicorn(
    port: int, drain_s: int = 2, *, workers: int = 1, binds: Sequence[str] = ()
) -> list[str]:
    """The command that serves poeflask, whose workers may go on so long when they must stop.

    Args:
        port: where it listens on 127.0.0.1.
        drain_s: how long running answers may go on.
        workers: how many processes serve.
        binds: where else it listens, as gunicorn says it.
    """
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:poeflask.gunicorn_conf",
        "-b",
        f"127.0.0.1:{port}",
        *(argument for bind in binds for argument in ("-b", bind)),
        "-w",
        str(workers),
        "--graceful-timeout",
        str(drain_s),
        "wsgi:app",
    ]


@contextmanager
def serving(
    simulator: Simulator,
    folder: Path,
    *,
    drain_s: int = 2,
    workers: int = 1,
    binds: Sequence[str] = (),
    **settings: str,
) -> Iterator[Live]:
    """A poeflask whose Poe is the simulator, with these environment variables besides."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "POE_BASE_URL": simulator.url,
        "POE_FILE_UPLOAD_URL": f"{simulator.url}/poe_api/file_upload_3RD_PARTY_POST",
        "POEFLASK_SIMULATOR": "off",
        "CONFIG_DIR": str(folder),
        "LOG_LEVEL": "debug",
        # Tests let the same bots fail on purpose, all with the same key.
        "POEFLASK_BREAKER_FAILURES": "0",
        **settings,
    }
    log = folder / "poeflask.log"
    command = gunicorn(port, drain_s, workers=workers, binds=binds)
    with running(command, f"{url}/healthz", log, environment) as process:
        yield Live(url, port, simulator, log, process.pid)


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The simulator, once for all tests."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("simulator") / "simulator.log"
    command = [sys.executable, "-m", "poeflask", "simulator", "--port", str(port)]
    with running(command, f"{url}/v1/models", log):
        yield Simulator(url)


@pytest.fixture(scope="session")
def live(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A poeflask with quick time-outs, once for all tests that need no settings of their own."""
    with serving(
        simulator,
        tmp_path_factory.mktemp("poeflask"),
        POEFLASK_HEARTBEAT_S="0.5",
        POEFLASK_FIRST_EVENT_WAIT_S="2",
        POEFLASK_IDLE_TIMEOUT_S="3",
    ) as served:
        yield served


@pytest.fixture
def client(live: Live) -> Iterator[OpenAI]:
    """The official SDK, with no retries of its own."""
    with OpenAI(base_url=f"{live.url}/v1", api_key="any-key", max_retries=0, timeout=20) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one without a window, for all tests of a module."""
    # It stands on this module, and few tests need one.
    from tests.live.browser import launched

    with launched() as made:
        yield made
