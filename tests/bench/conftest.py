"""The upstream of the measurements, and servers in front of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bench.processes import Server
from bench.servers import running
from tests.ports import free_port


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., int]]:
    """Starts a server of bench, by the name of its module; gives its port."""
    with ExitStack() as held:

        def started(name: str, *arguments: int) -> int:
            port = free_port()
            command = [sys.executable, "-m", f"bench.{name}", *map(str, (port, *arguments))]
            return held.enter_context(running(Server(port, command, {}))).port

        yield started


@pytest.fixture(scope="module")
def upstream(start) -> int:
    """The upstream's port."""
    return start("upstream")
