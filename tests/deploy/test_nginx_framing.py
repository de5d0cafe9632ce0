"""Odd bytes sent to nginx before a real poeflask: what nginx passes on is one request, or none."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from gevent.pool import Pool

from tests.deploy.test_nginx import NGINX, certificate, wait_for, write_site
from tests.live.conftest import Live, serving, simulator
from tests.ports import free_port
from tests.raw_requests import FRAMING, Heard, Raw, say

__all__ = ["certificate", "simulator"]

AT_ONCE = {"rate=20r/s": "rate=1000r/s", "burst=60 ": "burst=1000 "}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both write."""
    return tmp_path_factory.mktemp("front")


@pytest.fixture(scope="module")
def served(simulator, folder: Path) -> Iterator[Live]:
    """A poeflask on the socket that nginx connects to."""
    binds = [f"unix:{folder}/poeflask.sock"]
    with serving(simulator, folder, binds=binds, POEFLASK_TRUSTED_PROXIES="1") as live:
        yield live


@pytest.fixture(scope="module")
def https_port(served: Live, folder: Path, certificate: Path) -> Iterator[int]:
    """The port of an nginx before it, which lets all tests come at once."""
    http_port, https_port = free_port(), free_port()
    write_site(folder, certificate, http_port, https_port, AT_ONCE)
    command = [NGINX, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(https_port)
        yield https_port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture(scope="module")
def heard(https_port: int, certificate: Path) -> dict[str, Heard]:
    """What comes back of each, all asked together."""
    tls = ssl.create_default_context(cafile=certificate / "cert.pem")

    def ask(raw: Raw) -> Heard:
        with (
            socket.create_connection(("127.0.0.1", https_port), timeout=5) as plain,
            tls.wrap_socket(plain, server_hostname="localhost") as encrypted,
        ):
            return say(encrypted, raw.sent)

    answers = Pool(16).map(ask, FRAMING)
    return dict(zip((raw.name for raw in FRAMING), answers, strict=True))


@pytest.mark.parametrize("raw", FRAMING, ids=lambda raw: raw.name)
def test_odd_bytes(heard: dict[str, Heard], raw: Raw) -> None:
    """They have their statuses, nothing hidden in them is answered, and the connection closes."""
    answer = heard[raw.name]

    assert raw.proxied == answer.statuses
    assert b"\r\n\r\nok\n" not in answer.text
    assert answer.closed
