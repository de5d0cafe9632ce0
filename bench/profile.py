"""Where the time goes: `python -m bench.profile [SCENARIO]` looks into poeflask under one load.

Prints the functions that were at work most often (py-spy), alone and with all that they called, and
the system calls for each unit (strace). Both slow down what they look at: shares mean something,
absolute times do not.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.scenarios import SCENARIOS, Scenario
from bench.servers import load, open_many_files, running, servers

_SHOWN = 30
_LINE = re.compile(r":\d+(?=\)$)")


def main(arguments: Sequence[str]) -> None:
    """Run the scenario twice, once for each look."""
    name = arguments[0] if arguments else "500 streams"
    scenario = next(one for one in SCENARIOS if one.name == name)
    py_spy, strace = _tool("py-spy"), _tool("strace")
    open_many_files()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        started = servers(Path(folder))
        held.enter_context(running(started["upstream"]))
        server = held.enter_context(running(started["poeflask"]))
        load(server.port, SCENARIOS[0])
        stacks, calls = Path(folder) / "stacks", Path(folder) / "calls"
        pid = server.processes()[-1]
        spying = f"{py_spy} record -p {pid} -d 600 -r 200 -f raw -o {stacks}"
        _look(spying.split(), server.port, scenario)
        print("\n".join(functions(stacks.read_text())))
        _look(f"{strace} -c -f -p {pid} -o {calls}".split(), server.port, scenario)
        print("\n".join(system_calls(calls.read_text(), scenario.units(scenario.requests))))


def _tool(name: str) -> str:
    """Where a tool stands: beside this Python, or where the shell finds it."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        sys.exit(f"{name} must be installed.")
    return found


def _look(command: list[str], port: int, scenario: Scenario) -> None:
    """Run the scenario while this command looks on, and then end the command."""
    looking = subprocess.Popen(  # noqa: S603 - our own
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    load(port, scenario)
    looking.send_signal(signal.SIGINT)
    looking.wait()


def functions(stacks: str) -> Iterator[str]:
    """The shares of py-spy's stacks, a line for each: frames with their lines, how often."""
    alone: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, times = line.rpartition(" ")
        frames = [_LINE.sub("", frame) or "(no frame)" for frame in stack.split(";")]
        if any("_threading.py" in frame for frame in frames):
            # A thread of the pool that waits for work.
            continue
        alone[frames[-1]] += int(times)
        inclusive.update(dict.fromkeys(frames, int(times)))
    whole = alone.total() or 1
    for title, counted in (("alone", alone), ("with what it called", inclusive)):
        yield f"\nshare of the time, {title}"
        yield from (
            f"{100 * n / whole:5.1f} %  {frame}" for frame, n in counted.most_common(_SHOWN)
        )


def system_calls(counted: str, units: int) -> Iterator[str]:
    """How often strace saw each call, for a unit; what is rarer than one in a hundred is left."""
    yield "\nsystem calls for each unit"
    for line in counted.splitlines():
        cells = line.split()
        if len(cells) >= 5 and cells[3].isdigit() and int(cells[3]) * 100 > units:
            yield f"{int(cells[3]) / units:7.2f}  {cells[-1]}"


if __name__ == "__main__":
    main(sys.argv[1:])
