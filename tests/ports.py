"""Ports for servers that tests start, none of them given to two.

They lie below those that systems give out by themselves (from 32768 on under Linux), and tests that
run side by side have a range each: nobody takes a port between its choice and the server's start.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from itertools import cycle

FIRST = 18_000
"""Where the ranges begin."""
EACH = 800
"""How many ports belong to one worker of xdist."""
WORKERS = 16
"""How many workers have a range of their own."""
FIRST_WORKER = "TESTS_FIRST_WORKER"
"""The variable that tells a run of xdist the place of its first worker, if others run beside it."""


def _mine() -> Iterator[int]:
    """This worker's ports, begun where another run on this machine hardly is."""
    first = int(os.environ.get(FIRST_WORKER, "0"))
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    worker = (first + own) % WORKERS
    begin = os.getpid() % EACH
    return cycle(FIRST + worker * EACH + (begin + number) % EACH for number in range(EACH))


_ports = _mine()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    return next(filter(_is_free, _ports))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A server may take a port whose last connections are still fading away.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
