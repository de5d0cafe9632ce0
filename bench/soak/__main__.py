"""Run the soak as the command line says: `python -m bench.soak --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import soak as package
from bench.soak.clients import AT_ONCE, Tally, aborted, paced, soak
from bench.soak.house import House, Look, house
from bench.soak.report import faults_of, growth_kb_per_minute, table


async def measure(arguments: argparse.Namespace, here: House) -> tuple[dict[str, Any], list[Look]]:
    """Run all; give the report and what was seen."""
    tallies = [Tally() for _ in range(3)]
    first = here.look()
    pace = await paced(arguments.streams, tallies[0])
    left = await aborted(arguments.aborts, tallies[1])
    looks = await soak(arguments.minutes, tallies[2], here, arguments.seed)
    report = {
        "minutes": arguments.minutes,
        "clients": AT_ONCE,
        "paced": pace,
        "aborted": left,
        "counts": dict(tallies[2].counts),
        "wrong": [what for tally in tallies for what in tally.wrong],
        "memory MiB": {
            "before": first.memory_kb // 1024,
            "most": max(look.memory_kb for look in looks) // 1024,
            "after": looks[-1].memory_kb // 1024,
        },
        "growth KiB per minute": growth_kb_per_minute(looks),
        "descriptors": {
            "before": first.descriptors,
            "after the streams": looks[0].descriptors,
            "after": looks[-1].descriptors,
        },
        "left at Poe": looks[-1].at_poe,
        "left in flight": looks[-1].in_flight,
    }
    return report, looks


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=str(package.__doc__).split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--aborts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the report and all looks there")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as here:
        report, looks = asyncio.run(measure(arguments, here))
    if arguments.json:
        seen = [asdict(look) for look in looks]
        arguments.json.write_text(json.dumps({**report, "looks": seen}, indent=1), encoding="utf-8")
    print(table(report))
    faults = [*report["wrong"], *faults_of(report, looks)]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
