"""Runs all tests, in two parts at once, and tells at the end what became of both.

Tests that watch the clock or wait for other programs leave the processors idle for much of their
time, and come too late where others hold those up. So tests that only compute run beside them at a
lower priority: they get what is left over.

A few tests that failed are asked once more, one after the other on a machine that does nothing
else, as CPython's regrtest does with `--rerun`. Who fails again fails the run; who does not is
named, for it is a test or a program that minds a busy machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from tests import ports

ROOT = Path(__file__).parents[1]

COMPUTED = (
    *("tests/admin", "tests/core", "tests/endpoints", "tests/filters", "tests/fuzz"),
    *("tests/golden", "tests/vocabulary"),
)
"""What neither waits nor cares how long it takes."""

MOST_WORKERS = ports.WORKERS // 2
PROCESSORS = min(os.cpu_count() or 1, MOST_WORKERS - 1)

MOST_ASKED_AGAIN = 5
"""More that fail in one part are no chance."""

TESTS_FAILED = 1
"""The exit code of a pytest that ran to its end."""

LAST_LINE = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)
COUNT = re.compile(r"(\d+) ([a-z]+?)s?\b")
OUTCOMES = ("failed", "error", "passed", "skipped", "xfailed", "xpassed", "deselected")
BAD = ("failed", "error")
FAILURES = ("FAILED ", "ERROR ")
"""How the lines begin that name what did not end well."""


@dataclass(frozen=True)
class Part:
    """One of the runs of pytest that are the whole.

    Attributes:
        name: tells what it remembers of failures from what the other does.
        selected: the arguments that say which tests it has.
        workers: how many run them side by side; none shares a file with another.
        first_worker: the number of the first one among the workers of both parts.
    """

    name: str
    selected: tuple[str, ...]
    workers: int
    first_worker: int

    @property
    def first(self) -> list[str]:
        """How it is started."""
        beside = ("--dist", "loadfile", "--no-loadscope-reorder")
        return [*self._pytest, "--numprocesses", str(self.workers), *beside, "--cache-clear"]

    @property
    def again(self) -> list[str]:
        """How those that failed are started once more."""
        return [*self._pytest, "--last-failed", "--last-failed-no-failures", "none"]

    @property
    def _pytest(self) -> list[str]:
        cache = f"cache_dir=.pytest_cache/{self.name}"
        return [sys.executable, "-m", "pytest", "--override-ini", cache, *self.selected]


WAITING = Part("waiting", tuple(f"--ignore={folder}" for folder in COMPUTED), PROCESSORS + 1, 0)
COMPUTING = Part("computing", COMPUTED, PROCESSORS, MOST_WORKERS)


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


@dataclass(frozen=True)
class End:
    """What became of a part.

    Attributes:
        code: its exit code, 0 if all went well.
        counts: how many tests ended how.
        told: the lines that name those that failed, be it only at first.
    """

    code: int
    counts: Counter[str]
    told: tuple[str, ...] = ()

    @property
    def bad(self) -> int:
        """How many did not end well."""
        return self.counts["failed"] + self.counts["error"]

    @property
    def may_be_chance(self) -> bool:
        """Whether all were run, and so few failed that it is worth asking those again."""
        return self.code == TESTS_FAILED and self.bad <= MOST_ASKED_AGAIN

    def amended(self, again: End) -> End:
        """What became of the part once those that failed had been asked again, with this end."""
        if again.code or again.counts["passed"] != self.bad:
            return self
        well = {name: number for name, number in self.counts.items() if name not in BAD}
        told = tuple(f"PASSED WHEN ALONE: {line}" for line in self.told)
        return End(0, Counter(well) + Counter(passed=self.bad), told)


def read(code: int, report: str) -> End:
    """What a report of pytest says; one that ends before it counts the tests counts as an error."""
    (last,) = LAST_LINE.findall(report)[-1:] or ["1 error"]
    counts = Counter({name: int(number) for number, name in COUNT.findall(last)})
    lines = report.splitlines()
    return End(code, counts, tuple(line for line in lines if line.startswith(FAILURES)))


def total(ends: Sequence[End], took_s: float) -> str:
    """What failed in all parts, and how many tests ended how, in so many seconds."""
    counts = sum((end.counts for end in ends), Counter[str]())
    summary = ", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name])
    return "\n".join([*(line for end in ends for line in end.told), f"{summary} in {took_s:.2f}s"])


def main() -> int:
    """Run both parts; the exit code says whether both went well."""
    began_s = time.monotonic()
    with TemporaryFile() as kept:
        lowered = ["nice", "-n", "10", *COMPUTING.first]
        with (
            started(lowered, COMPUTING, out=kept.fileno()) as computing,
            started(WAITING.first, WAITING) as waiting,
        ):
            told = shown(waiting)
        kept.seek(0)
        computed = kept.read().decode(errors="replace")
    sys.stdout.write(f"\n{computed}\n")
    sys.stdout.flush()
    ends = [
        asked_again(WAITING, read(waiting.returncode, told)),
        asked_again(COMPUTING, read(computing.returncode, computed)),
    ]
    sys.stdout.write(f"\n{total(ends, time.monotonic() - began_s)}\n")
    return max(end.code for end in ends)


def asked_again(part: Part, end: End) -> End:
    """What became of the part in the end, now that nothing else runs."""
    if not end.may_be_chance:
        return end
    with started(part.again, part) as anew:
        report = shown(anew)
    return end.amended(read(anew.returncode, report))


def started(line: Sequence[str], part: Part, out: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """A running pytest of this part; all that it says goes to `out`."""
    return subprocess.Popen(
        line,
        env=environment(part.first_worker),
        cwd=ROOT,
        stdout=out,
        stderr=subprocess.STDOUT,
    )


if __name__ == "__main__":
    sys.exit(main())
