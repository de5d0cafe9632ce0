"""Measures poeflask beside others: `python -m bench [ROUNDS] [SCENARIO ...]` prints tables.

The measure is the processor time of all processes of a server, divided by requests or events. nginx
and the floor pass the same text through unchanged, on the same machine and seconds apart, so that
the ratio holds where a figure alone does not: a busy neighbour makes all of them dearer. With
POE_API_BRIDGE naming a checkout, that program answers the scenarios that have a goal beside it.

A run over all scenarios also writes what it found into docs/performance.md.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import report
from bench.processes import Server, get
from bench.report import PEER, Figures, Found, StartUp
from bench.scenarios import SCENARIOS, Scenario
from bench.servers import (
    CHECKOUT,
    OVER_TLS,
    UPSTREAM,
    handshakes,
    load,
    open_many_files,
    peer_versions,
    running,
    servers,
)

_ROUNDS = 3
_PEER_ASKS = 5
"""The peer is asked by so much less often, or a round would take minutes."""


def main(arguments: Sequence[str]) -> None:
    """Measure all scenarios, or those named, and print the tables."""
    rounds = int(arguments[0]) if arguments else _ROUNDS
    chosen = [one for one in SCENARIOS if one.name in arguments[1:]] or SCENARIOS
    open_many_files()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        prepared = servers(Path(folder))
        started = {name: held.enter_context(running(prepared[name])) for name in _needed(chosen)}
        for name in started.keys() - {"upstream", "front", "floor"}:
            # What is loaded at the first request is no part of what a request costs.
            load(started[name].port, SCENARIOS[0], _requests(name, SCENARIOS[0]))
        found: Found = {}
        for number in range(rounds):
            for scenario in chosen:
                print(f"{number + 1} of {rounds}: {scenario.name}", file=sys.stderr)
                for name in turned(compared(scenario), number):
                    figures = _measure(started, name, scenario, Path(folder))
                    found.setdefault((scenario.name, name), []).append(figures)
    print("Starting poeflask anew.", file=sys.stderr)
    weighed = [one for one in chosen if one.weighed] or SCENARIOS[:1]
    beginning = [_start_up(one) for _ in range(rounds) for one in weighed]
    made_of = peer_versions() if any(name == PEER for _, name in found) else ""
    tables = report.tables(chosen, found, beginning, rounds, made_of)
    print("\n\n".join(tables.values()))
    if chosen is SCENARIOS:
        report.write(tables, found)


def compared(scenario: Scenario) -> tuple[str, ...]:
    """The servers that a scenario is measured with, by name."""
    return (*scenario.servers, PEER) if CHECKOUT and scenario.goal else scenario.servers


def turned(names: Sequence[str], number: int) -> Sequence[str]:
    """Their order in a round: each begins in its turn."""
    at = number % len(names)
    return (*names[at:], *names[:at])


def _requests(name: str, scenario: Scenario) -> int:
    if name == PEER:
        return max(scenario.clients, scenario.requests // _PEER_ASKS)
    return scenario.requests


def _place(name: str, scenario: Scenario) -> str:
    return name + OVER_TLS if scenario.over_tls else name


def _needed(chosen: Iterable[Scenario]) -> list[str]:
    """What must run for these scenarios, the upstream first."""
    asked = {_place(name, one): None for one in chosen for name in compared(one)}
    front = ["front"] if any(one.over_tls for one in chosen) else []
    return ["upstream", *front, *asked]


def _measure(started: dict[str, Server], name: str, scenario: Scenario, folder: Path) -> Figures:
    server = started[_place(name, scenario)]
    requests = _requests(name, scenario)
    left_before = len(json.loads(get(UPSTREAM, "/left")))
    asked, opened = handshakes(folder)
    server.settle()
    cpu_ns = server.cpu_ns()
    seen = load(server.port, scenario, requests)
    server.settle()
    asked_after, opened_after = handshakes(folder)
    return Figures(
        cost_us=(server.cpu_ns() - cpu_ns) / 1000 / scenario.units(requests),
        first_ms=seen["first_s"] * 1000,
        late_ms=seen["late_s"] * 1000,
        errors=seen["errors"],
        left=_noticed(seen["left_at"], left_before) if scenario.leaves else None,
        handshakes=(opened_after - opened) / max(1, asked_after - asked),
    )


@contextmanager
def _highest_kb(server: Server) -> Iterator[list[int]]:
    """Look at the memory from time to time; a look takes milliseconds."""
    seen = [server.memory_kb()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            seen.append(server.memory_kb())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def _noticed(left_at: Sequence[float], known: int) -> tuple[int, float]:
    """How many leaves the upstream saw, and how late it saw the middle one, in milliseconds."""
    time.sleep(0.5)
    noticed = sorted(json.loads(get(UPSTREAM, "/left"))[known:])
    late = [seen - left for seen, left in zip(noticed, sorted(left_at), strict=False)]
    return len(noticed), statistics.median(late or [0.0]) * 1000


def _start_up(scenario: Scenario) -> StartUp:
    """Start poeflask anew, and weigh one scenario: what came before leaves memory behind."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = servers(Path(folder))
        with running(prepared["upstream"]):
            began_s = time.monotonic()
            with running(prepared["poeflask"]) as server:
                ready_s = time.monotonic() - began_s
                server.settle()
                idle_kb = server.memory_kb()
                load(server.port, SCENARIOS[0])
                server.settle()
                counted_kb = server.memory_kb()
                with _highest_kb(server) as highest_kb:
                    load(server.port, scenario)
                return StartUp(
                    ready_s=ready_s,
                    idle_mb=idle_kb / 1024,
                    counted_mb=counted_kb / 1024,
                    scenario=scenario.name,
                    kb=max(0, max(highest_kb) - counted_kb) / scenario.clients,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
