"""The servers of the soak, and what they hold at a moment."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Server, get

SIMULATOR, POEFLASK = 9611, 9612
"""Ports."""

SOON_S = 2.0
"""How soon after the last client nothing of any answer may be left."""

_LIMIT_S = 90.0
_GAUGE = re.compile(rb"^poeflask_answers_open(?:\{[^}]*\})? ([0-9.]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Look:
    """What poeflask holds at one moment.

    Attributes:
        at_s: seconds since the beginning.
        memory_kb: of all its processes, what they share counted once.
        descriptors: open files of all its processes.
        at_poe: answers that the simulator is giving.
        in_flight: answers that poeflask says it is giving; None if it does not say.
    """

    at_s: float
    memory_kb: int
    descriptors: int
    at_poe: int
    in_flight: float | None


@dataclass(frozen=True, slots=True)
class House:
    """The servers under test."""

    poeflask: Server
    began_s: float

    def look(self) -> Look:
        """How things stand."""
        return Look(
            at_s=round(time.monotonic() - self.began_s, 1),
            memory_kb=self.poeflask.memory_kb(),
            descriptors=sum(map(_descriptors, self.poeflask.processes())),
            at_poe=at_poe(),
            in_flight=_in_flight(),
        )


def _descriptors(process: int) -> int:
    with suppress(OSError):
        return len(os.listdir(f"/proc/{process}/fd"))
    return 0


def at_poe() -> int:
    """How many answers the simulator is giving."""
    return int(json.loads(get(SIMULATOR, "/simulator/connections", _LIMIT_S))["open"])


def _in_flight() -> float | None:
    """What /metrics says, where there is one."""
    try:
        found = _GAUGE.findall(get(POEFLASK, "/metrics", _LIMIT_S))
    except urllib.error.HTTPError:
        return None
    return sum(map(float, found)) if found else None


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A simulator and a poeflask with two workers."""
    python = [sys.executable, "-m"]
    simulator = Server(SIMULATOR, [*python, "poeflask", "simulator", f"--port={SIMULATOR}"], {})
    environ = {
        "PORT": str(POEFLASK),
        "CONFIG_DIR": str(folder),
        "POEFLASK_WORKERS": "2",
        "POEFLASK_SIMULATOR": "off",
        "POE_BASE_URL": f"http://127.0.0.1:{SIMULATOR}",
        "POE_FILE_UPLOAD_URL": f"http://127.0.0.1:{SIMULATOR}/poe_api/file_upload_3RD_PARTY_POST",
        "POEFLASK_IDLE_TIMEOUT_S": "20",
        # One key asks more often than Poe would let it, and most bots fail on purpose.
        "POEFLASK_POE_REQUESTS_PER_MINUTE": "0",
        "POEFLASK_BREAKER_FAILURES": "0",
        "LOG_LEVEL": "error",
    }
    poeflask = Server(POEFLASK, [*python, "poeflask", "serve"], environ)
    simulator.start()
    try:
        simulator.wait()
        poeflask.start()
        try:
            poeflask.wait()
            yield House(poeflask, time.monotonic())
        finally:
            poeflask.stop()
    finally:
        simulator.stop()
