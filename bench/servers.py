"""The servers that are measured, how each is started, and the clients beside them."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench.processes import Server
from bench.report import PEER
from bench.scenarios import SCENARIOS, Scenario
from poeflask.vocabulary import cl100k

CHECKOUT = os.environ.get("POE_API_BRIDGE", "")
"""A checkout of poe-api-bridge that is to be measured too."""

CHECKOUT_PYTHON = os.environ.get("POE_API_BRIDGE_PYTHON", f"{CHECKOUT}/.venv/bin/python")
"""The Python that has what poe-api-bridge needs."""

_FIRST_PORT = int(os.environ.get("BENCH_PORT", "9601"))
UPSTREAM, NGINX, POEFLASK, FLOOR, _PEER, _FRONT, _NGINX_TLS, _POEFLASK_TLS = range(
    _FIRST_PORT, _FIRST_PORT + 8
)
"""Ports."""

OVER_TLS = " over TLS"
"""Behind the name of a server: the same one, with an upstream that speaks TLS."""

_FOLDERS = "".join(
    f"{folder}_temp_path {{folder}}/{folder}; "
    for folder in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)
_HTTP = f"""
worker_processes 1; daemon off; pid {{folder}}/nginx.pid; error_log {{folder}}/nginx.log;
events {{{{ worker_connections 8000; }}}}
http {{{{
  access_log off; {_FOLDERS}
  client_max_body_size 64m; client_body_buffer_size 20m;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
  upstream poe {{{{ server 127.0.0.1:{{upstream}}; keepalive 1000; keepalive_timeout 600s; }}}}
"""
_PASSING = (
    _HTTP
    + """
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://poe; }} }}
}}
"""
)
_PASSING_TLS = (
    _HTTP
    + """
  upstream front {{ server 127.0.0.1:{front}; keepalive 1000; keepalive_timeout 600s; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass https://front; proxy_ssl_trusted_certificate {folder}/ca.pem;
      proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_protocols TLSv1.2 TLSv1.3;
    }}
  }}
}}
"""
)
_FRONT_OF_UPSTREAM = (
    _HTTP
    + """
  log_format which $connection_requests;
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096; access_log {folder}/{requests} which;
    ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/own.key;
    keepalive_requests 1000000; keepalive_timeout 600s;
    location / {{ proxy_pass http://poe; }}
  }}
}}
"""
)
_REQUESTS = "requests"
_TRUST = """
def where():
    return {path!r}


def contents():
    with open({path!r}, encoding="ascii") as file:
        return file.read()
"""
_MODELS = "models:\n" + "".join(
    f"  {scenario.answer.name}: {{tools: {style}}}\n"
    for scenario in SCENARIOS
    for style in [{"calling": "native"}.get(scenario.answer.style, scenario.answer.style)]
    if style in ("native", "prompted")
)


def servers(folder: Path) -> dict[str, Server]:
    """All that must run, as not yet started commands; what they read is written there."""
    _write_certificates(folder)
    (folder / "models.yaml").write_text(_MODELS)
    python = sys.executable
    started = {
        "upstream": Server(UPSTREAM, [python, "-m", "bench.upstream", str(UPSTREAM)], {}),
        "front": _nginx(folder / "front", _FRONT, _FRONT_OF_UPSTREAM),
        "nginx": _nginx(folder / "nginx", NGINX, _PASSING),
        f"nginx{OVER_TLS}": _nginx(folder / "nginx-tls", _NGINX_TLS, _PASSING_TLS),
        "floor": Server(FLOOR, [python, "-m", "bench.floor", str(FLOOR), str(UPSTREAM)], {}),
        "poeflask": _poeflask(folder, POEFLASK, f"http://127.0.0.1:{UPSTREAM}", {}),
        f"poeflask{OVER_TLS}": _poeflask(
            folder, _POEFLASK_TLS, f"https://localhost:{_FRONT}", _trusting(folder)
        ),
    }
    if CHECKOUT:
        started[PEER] = _peer(folder)
    return started


def _poeflask(folder: Path, port: int, upstream: str, environ: dict[str, str]) -> Server:
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:poeflask.gunicorn_conf"]
    gunicorn += ["-w", "1", "--log-level", "warning"]
    own = {
        "POE_BASE_URL": upstream,
        "POE_FILE_UPLOAD_URL": f"{upstream}/upload",
        "POEFLASK_SIMULATOR": "off",
        "CONFIG_DIR": str(folder),
        "LOG_LEVEL": "warning",
        # One key asks more often than Poe would let it.
        "POEFLASK_POE_REQUESTS_PER_MINUTE": "0",
    }
    return Server(port, [*gunicorn, "-b", f"127.0.0.1:{port}", "wsgi:app"], {**own, **environ})


def _nginx(folder: Path, port: int, conf: str) -> Server:
    folder.mkdir()
    for name in ("ca.pem", "own.pem", "own.key"):
        shutil.copy(folder.parent / name, folder)
    places = {"folder": folder, "requests": _REQUESTS}
    ports = {"port": port, "upstream": UPSTREAM, "front": _FRONT}
    (folder / "nginx.conf").write_text(conf.format(**places, **ports))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    return Server(port, [nginx, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"], {})


def _peer(folder: Path) -> Server:
    """It fetches its vocabulary when it first counts, unless this folder holds it."""
    kept = folder / "vocabulary"
    kept.mkdir()
    url = f"https://openaipublic.blob.core.windows.net/encodings/{cl100k.NAME}.tiktoken"
    ranks = lzma.decompress(files(cl100k.__package__).joinpath(cl100k.FILE).read_bytes())
    (kept / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()).write_bytes(ranks)
    script = str(Path(__file__).with_name("peer.py"))
    upstream = f"http://127.0.0.1:{UPSTREAM}"
    command = [CHECKOUT_PYTHON, script, CHECKOUT, str(_PEER), upstream]
    return Server(_PEER, command, {"TIKTOKEN_CACHE_DIR": str(kept), "PYTHONPATH": ""})


def _write_certificates(folder: Path) -> None:
    """An authority for this run alone, and what it says of localhost."""
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    request += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    authority = [*request, "-keyout", "ca.key", "-out", "ca.pem"]
    own = [*request, "-addext", "subjectAltName=DNS:localhost", "-keyout", "own.key"]
    own += ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key"]
    for command in (authority, [*own, "-out", "own.pem"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own


def _trusting(folder: Path) -> dict[str, str]:
    """What makes requests trust that authority alone: a certifi that names it."""
    trust = folder / "trust" / "certifi"
    trust.mkdir(parents=True)
    (trust / "__init__.py").write_text(_TRUST.format(path=str(folder / "ca.pem")))
    return {"PYTHONPATH": str(trust.parent)}


def handshakes(folder: Path) -> tuple[int, int]:
    """How many requests came over TLS so far, and how many of them on a new connection."""
    seen = folder / "front" / _REQUESTS
    lines = seen.read_text().split() if seen.exists() else []
    return len(lines), lines.count("1")


def peer_versions() -> str:
    """What the peer is made of."""
    asked = ("fastapi_poe", "fastapi", "pydantic", "httpx", "uvicorn", "tiktoken")
    script = (
        "import platform, sys; from importlib.metadata import version; "
        "print('Python', platform.python_version(), end=''); "
        "[print(f', {name} {version(name)}', end='') for name in sys.argv[1:]]"
    )
    command = [CHECKOUT_PYTHON, "-c", script, *asked]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603 - our own
    return done.stdout


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, from when it answers."""
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def load(port: int, scenario: Scenario, requests: int = 0) -> dict[str, Any]:
    """What the clients of a scenario saw, in a process of their own; they may ask less often."""
    command = [sys.executable, "-m", "bench.load", str(port), scenario.name]
    command += [str(requests)] if requests else []
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own
    return json.loads(done.stdout)


def open_many_files() -> None:
    """Let this process and those that it starts hold as many connections as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
