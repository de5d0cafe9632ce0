"""Measures poeflask beside nginx: `python -m bench [ROUNDS] [SCENARIO ...]` prints a table.

The measure is the processor time of all processes of a server, divided by requests or events. nginx
passes the same text through unchanged, on the same machine and seconds apart, so that the ratio of
both holds where a figure alone does not: a busy neighbour makes either of them dearer.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import Server, get
from bench.scenarios import SCENARIOS, Scenario

UPSTREAM, NGINX, POEFLASK = 9601, 9602, 9603
"""Ports."""

_ROUNDS = 3
_COMPARED = ("nginx", "poeflask")
_NGINX_CONF = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 8000; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 64m; client_body_buffer_size 2m;
  upstream poe {{ server 127.0.0.1:{upstream}; keepalive 1000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://poe; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""
_MODELS = "models:\n" + "".join(
    f"  {scenario.answer.name}: {{tools: {scenario.answer.style}}}\n"
    for scenario in SCENARIOS
    if scenario.answer.style in ("native", "prompted")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one round of one scenario cost one server.

    Attributes:
        cost_us: microseconds of processor time for each unit.
        kb: memory for each client, at its highest.
        first_ms: median of the time to the first text.
        left: how many of the clients that left were noticed, and how soon at the median.
    """

    cost_us: float
    kb: float
    first_ms: float
    errors: int
    left: tuple[int, float] | None


def main(arguments: Sequence[str]) -> None:
    """Measure all scenarios, or those named, and print the table."""
    rounds = int(arguments[0]) if arguments else _ROUNDS
    chosen = [one for one in SCENARIOS if one.name in arguments[1:]] or SCENARIOS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        servers = {
            name: running.enter_context(_running(server))
            for name, server in _servers(Path(folder)).items()
        }
        for name in _COMPARED:
            # What is loaded at the first request is no part of what a request costs.
            _load(servers[name].port, SCENARIOS[0])
        found: dict[tuple[str, str], list[Figures]] = {}
        for number in range(rounds):
            for scenario in chosen:
                for name in sorted(_COMPARED, reverse=bool(number % 2)):
                    figures = _measure(servers[name], scenario)
                    found.setdefault((scenario.name, name), []).append(figures)
    print(_table(chosen, found))


def _servers(folder: Path) -> dict[str, Server]:
    """All that must run, as not yet started commands."""
    (folder / "nginx.conf").write_text(
        _NGINX_CONF.format(folder=folder, upstream=UPSTREAM, port=NGINX)
    )
    (folder / "models.yaml").write_text(_MODELS)
    python = sys.executable
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    gunicorn = [python, "-m", "gunicorn", "-c", "python:poeflask.gunicorn_conf", "-w", "1"]
    environ = {
        "POE_BASE_URL": f"http://127.0.0.1:{UPSTREAM}",
        "POEFLASK_SIMULATOR": "off",
        "CONFIG_DIR": str(folder),
        "LOG_LEVEL": "warning",
        "RATE_LIMIT_MS": "0",
    }
    return {
        "upstream": Server(UPSTREAM, [python, "-m", "bench.upstream", str(UPSTREAM)], {}),
        "nginx": Server(NGINX, [nginx, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"], {}),
        "poeflask": Server(
            POEFLASK, [*gunicorn, "-b", f"127.0.0.1:{POEFLASK}", "wsgi:app"], environ
        ),
    }


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _measure(server: Server, scenario: Scenario) -> Figures:
    left_before = len(json.loads(get(UPSTREAM, "/left")))
    server.settle()
    memory_kb, cpu_ns = server.memory_kb(), server.cpu_ns()
    with _highest_kb(server) as highest_kb:
        seen = _load(server.port, scenario)
    server.settle()
    return Figures(
        cost_us=(server.cpu_ns() - cpu_ns) / 1000 / scenario.units(),
        kb=max(0, max(highest_kb) - memory_kb) / scenario.clients,
        first_ms=statistics.median(seen["first_s"] or [0.0]) * 1000,
        errors=seen["errors"],
        left=_noticed(seen["left_at"], left_before) if scenario.leave else None,
    )


def _load(port: int, scenario: Scenario) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", str(port), scenario.name]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own
    return json.loads(done.stdout)


@contextmanager
def _highest_kb(server: Server) -> Iterator[list[int]]:
    """Look at the memory from time to time; a look takes milliseconds, so it is not often."""
    seen = [server.memory_kb()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.5):
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


def _table(chosen: Sequence[Scenario], found: dict[tuple[str, str], list[Figures]]) -> str:
    lines = [
        "| scenario | unit | nginx, us | poeflask, us | ratio | first text, ms | KB a client "
        "| errors | leaves noticed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(one, found[one.name, "nginx"], found[one.name, "poeflask"]) for one in chosen]
    return "\n".join(lines)


def _line(scenario: Scenario, nginx: list[Figures], ours: list[Figures]) -> str:
    ratios = [our.cost_us / its.cost_us for our, its in zip(ours, nginx, strict=True)]
    lefts = [figures.left for figures in ours if figures.left is not None]
    noticed = ", ".join(f"{count} after {late_ms:.1f} ms" for count, late_ms in lefts[-1:])
    cells = [
        scenario.name,
        scenario.unit,
        f"{statistics.median(one.cost_us for one in nginx):.1f}",
        f"{statistics.median(one.cost_us for one in ours):.1f}",
        f"{statistics.median(ratios):.1f}",
        f"{statistics.median(one.first_ms for one in ours):.0f}",
        f"{statistics.median(one.kb for one in ours):.0f}",
        str(sum(one.errors for one in (*nginx, *ours))),
        f"{noticed} of {scenario.requests}" if noticed else "",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
