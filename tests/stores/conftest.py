"""A real Redis on a socket of its own, once for all tests of a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

START_S = 10.0


class Server:
    """A Redis that can be stopped and started again; `url` is where it is, with its password."""

    password = "se/cr#et"

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://:se%2Fcr%23et@{self.socket}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it answers afterwards."""
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.socket)]
        options = ["--requirepass", self.password, "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < deadline, "the Redis never answered"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, as a failing machine would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self.socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Let it hang: it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A plain client of it."""
        return redis.Redis(unix_socket_path=str(self.socket), password=self.password)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def redis_or_skip() -> None:
    """Skip the test if there is no redis-server here; where all is checked, it must be there."""
    if shutil.which("redis-server") is None and "CI" not in os.environ:
        pytest.skip("redis-server is not installed")


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis that runs all the time."""
    redis_or_skip()
    server = Server(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def empty_redis(running_redis: Server) -> Server:
    """The same, with nothing in it and no bound."""
    with running_redis.client() as client:
        client.flushall()
        client.config_set("maxmemory", 0)
    return running_redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Server]:
    """A Redis that a test may kill and start."""
    redis_or_skip()
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()
