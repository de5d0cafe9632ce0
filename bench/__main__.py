"""Measures poeflask beside nginx: `python -m bench [ROUNDS] [SCENARIO ...]` prints tables.

The measure is the processor time of all processes of a server, divided by requests or events. nginx
passes the same text through unchanged, on the same machine and seconds apart, so that the ratio of
both holds where a figure alone does not: a busy neighbour makes either of them dearer.

A run over all scenarios also writes the tables and the curves into docs/performance.md.
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
from pathlib import Path
from typing import Any

from bench import report
from bench.processes import Server, get
from bench.report import Figures, Found, StartUp
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
  client_max_body_size 64m; client_body_buffer_size 20m;
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


def main(arguments: Sequence[str]) -> None:
    """Measure all scenarios, or those named, and print the tables."""
    rounds = int(arguments[0]) if arguments else _ROUNDS
    chosen = [one for one in SCENARIOS if one.name in arguments[1:]] or SCENARIOS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        started = {
            name: held.enter_context(running(server))
            for name, server in servers(Path(folder)).items()
        }
        for name in _COMPARED:
            # What is loaded at the first request is no part of what a request costs.
            load(started[name].port, SCENARIOS[0])
        found: Found = {}
        for number in range(rounds):
            for scenario in chosen:
                for name in sorted(_COMPARED, reverse=bool(number % 2)):
                    figures = _measure(started[name], scenario)
                    found.setdefault((scenario.name, name), []).append(figures)
    beginning = [_start_up() for _ in range(rounds)]
    text = report.tables(chosen, found, beginning, rounds)
    print(text)
    if chosen is SCENARIOS:
        report.write(text, found)


def servers(folder: Path) -> dict[str, Server]:
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
        "POE_FILE_UPLOAD_URL": f"http://127.0.0.1:{UPSTREAM}/upload",
        "POEFLASK_SIMULATOR": "off",
        "CONFIG_DIR": str(folder),
        "LOG_LEVEL": "warning",
        # One key asks more often than Poe would let it.
        "POEFLASK_POE_REQUESTS_PER_MINUTE": "0",
    }
    return {
        "upstream": Server(UPSTREAM, [python, "-m", "bench.upstream", str(UPSTREAM)], {}),
        "nginx": Server(NGINX, [nginx, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"], {}),
        "poeflask": Server(
            POEFLASK, [*gunicorn, "-b", f"127.0.0.1:{POEFLASK}", "wsgi:app"], environ
        ),
    }


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, from when it answers."""
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
        seen = load(server.port, scenario)
    server.settle()
    return Figures(
        cost_us=(server.cpu_ns() - cpu_ns) / 1000 / scenario.units(),
        kb=max(0, max(highest_kb) - memory_kb) / scenario.clients,
        first_ms=seen["first_s"] * 1000,
        late_ms=seen["late_s"] * 1000,
        errors=seen["errors"],
        left=_noticed(seen["left_at"], left_before) if scenario.leave else None,
    )


def load(port: int, scenario: Scenario) -> dict[str, Any]:
    """What the clients of a scenario saw, in a process of their own."""
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


def _start_up() -> StartUp:
    """Start poeflask alone, and let it answer twice."""
    with tempfile.TemporaryDirectory() as folder:
        started = servers(Path(folder))
        with running(started["upstream"]):
            began_s = time.monotonic()
            with running(started["poeflask"]) as server:
                ready_s = time.monotonic() - began_s
                server.settle()
                idle_kb = server.memory_kb()
                load(server.port, SCENARIOS[0])
                server.settle()
                return StartUp(
                    ready_s=ready_s, idle_mb=idle_kb / 1024, counted_mb=server.memory_kb() / 1024
                )


if __name__ == "__main__":
    main(sys.argv[1:])
