"""Runs all tests, in two parts at once, and tells at the end what became of both.

Tests that watch the clock or wait for other programs leave the processors idle for much of their
time, and come too late where others hold those up. So tests that only compute run beside them at a
lower priority: they get what is left over.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from tests import ports

ROOT = Path(__file__).parents[1]

COMPUTING = (
    *("tests/admin", "tests/core", "tests/endpoints", "tests/filters", "tests/fuzz"),
    *("tests/golden", "tests/vocabulary"),
)
"""What neither waits nor cares how long it takes."""

MOST_WORKERS = ports.WORKERS // 2
PROCESSORS = min(os.cpu_count() or 1, MOST_WORKERS - 1)

LAST_LINE = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)
COUNT = re.compile(r"(\d+) ([a-z]+?)s?\b")
OUTCOMES = ("failed", "error", "passed", "skipped", "xfailed", "xpassed", "deselected")


def command(workers: int, *arguments: str) -> list[str]:
    """How pytest is started with so many workers, none of which shares a file with another."""
    beside = ("--numprocesses", str(workers), "--dist", "loadfile", "--no-loadscope-reorder")
    return [sys.executable, "-m", "pytest", *beside, *arguments]


def environment(first_worker: int) -> Mapping[str, str]:
    """That of this process, but that what is imported is compiled once and not by every server.

    Args:
        first_worker: the number of the part's first worker among those of both parts.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, ports.FIRST_WORKER: str(first_worker)}


def shown(process: subprocess.Popen[bytes]) -> str:
    """Show what a process says while it says it; all of that."""
    assert process.stdout is not None
    said = b""
    while piece := os.read(process.stdout.fileno(), 4096):
        said += piece
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    return said.decode(errors="replace")


def total(reports: Sequence[str], took_s: float) -> str:
    """What failed in all the reports of pytest, and how many tests ended how.

    A report that ends before it says how many they were counts as an error.
    """
    lines = "\n".join(reports).splitlines()
    told = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    counts: Counter[str] = Counter()
    for report in reports:
        (last,) = LAST_LINE.findall(report)[-1:] or ["1 error"]
        counts.update({name: int(number) for number, name in COUNT.findall(last)})
    ends = ", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name])
    return "\n".join([*told, f"{ends} in {took_s:.2f}s"])


def main() -> int:
    """Run both parts; the exit code says whether both went well."""
    began_s = time.monotonic()
    others = [f"--ignore={folder}" for folder in COMPUTING]
    with TemporaryFile() as kept:
        lowered = ["nice", "-n", "10", *command(PROCESSORS, *COMPUTING)]
        with (
            started(lowered, first_worker=MOST_WORKERS, out=kept.fileno()) as computing,
            started(command(PROCESSORS + 1, *others), first_worker=0) as waiting,
        ):
            told = shown(waiting)
        kept.seek(0)
        reckoned = kept.read().decode(errors="replace")
    sys.stdout.write(f"\n{reckoned}\n{total([told, reckoned], time.monotonic() - began_s)}\n")
    return computing.returncode or waiting.returncode


def started(
    line: Sequence[str], *, first_worker: int, out: int = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """A running pytest; all that it says goes to `out`."""
    return subprocess.Popen(
        line, env=environment(first_worker), cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
    )


if __name__ == "__main__":
    sys.exit(main())
