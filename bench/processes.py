"""Processes: starting them, and what they cost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_START_S = 20.0
_QUIET_NS = 2_000_000


class Server:
    """A server under test, with all its processes.

    Args:
        port: where it listens on 127.0.0.1.
        command: what starts it.
        environ: what its environment holds besides ours.
    """

    def __init__(self, port: int, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.port = port
        self._command = command
        self._environ = environ

    def start(self) -> None:
        """Start it."""
        environ = {**os.environ, **self._environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            self._command, env=environ, stdout=subprocess.DEVNULL
        )

    def wait(self, path: str = "/v1/models") -> None:
        """Wait until it answers, be it with a refusal.

        Raises:
            RuntimeError: it does not.
        """
        limit = time.monotonic() + _START_S
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                get(self.port, path)
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"Nothing answers on port {self.port}.")

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGQUIT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
            return
        self._process.kill()
        self._process.wait()

    def settle(self) -> None:
        """Wait until it has nothing left to do."""
        for _ in range(60):
            before = self.cpu_ns()
            time.sleep(0.05)
            if self.cpu_ns() - before < _QUIET_NS:
                return

    def cpu_ns(self) -> int:
        """The processor time of all its processes so far."""
        return sum(map(_cpu_ns, self.processes()))

    def memory_kb(self) -> int:
        """The memory of all its processes, what they share counted once."""
        return sum(map(_memory_kb, self.processes()))

    def processes(self) -> list[int]:
        """Its first process, and all that came of it."""
        found = [self._process.pid]
        for process in found:
            with suppress(OSError):
                for task in Path(f"/proc/{process}/task").iterdir():
                    found += map(int, (task / "children").read_text().split())
        return found


def _cpu_ns(process: int) -> int:
    """By the process's own clock, which Linux numbers after it."""
    with suppress(OSError):
        return time.clock_gettime_ns((~process << 3) | 2)
    return 0


def _memory_kb(process: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def get(port: int, path: str, limit_s: float = 2) -> bytes:
    """The body at a path of a server on this host."""
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(url, timeout=limit_s) as response:
        return response.read()
