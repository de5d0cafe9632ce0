"""Small scenarios, and the clients that play them: `python -m tests.bench.scenes PORT NAME`.

A process of its own, because the tests run under gevent, which has no epoll.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

from bench.load import load
from bench.scenarios import SCENARIOS, Answer, Scenario


def _small(scenario: Scenario) -> Scenario:
    answer = replace(scenario.answer, events=20, gap_ms=min(1, scenario.answer.gap_ms))
    return replace(scenario, answer=answer, clients=2, requests=4, ramp_s=0.0)


def _expecting_more(scenario: Scenario) -> Scenario:
    """Asks for the answer, and holds one with an event more for the right one."""
    asked, prompt = scenario.answer, scenario.prompt

    def same() -> dict[str, Any]:
        return {**(prompt() if prompt is not None else {}), "model": asked.name}

    return replace(scenario, answer=replace(asked, events=21), prompt=same)


RIGHT = {scenario.name: _small(scenario) for scenario in SCENARIOS}
SCENES = {
    **RIGHT,
    **{f"not {name}": _expecting_more(scenario) for name, scenario in RIGHT.items()},
    "behind": replace(RIGHT["flat out"], answer=Answer(events=30_000)),
    "leave by the clock": replace(
        RIGHT["leave while whole"], answer=Answer(events=600, gap_ms=100), leave_after_s=0.02
    ),
}


def play(port: int, name: str) -> dict[str, Any]:
    """What the clients of a scene saw."""
    command = [sys.executable, "-m", "tests.bench.scenes", str(port), name]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


if __name__ == "__main__":
    print(json.dumps(load(int(sys.argv[1]), SCENES[sys.argv[2]])))  # noqa: T201 - told so
