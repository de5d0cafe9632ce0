"""The simulator as a server of its own, in this process, on this machine only."""

from __future__ import annotations

import re
import socket
from typing import Any

import gevent
from flask import Flask
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from poeflask.simulator.app import UPLOAD_PATH, create_simulator
from poeflask.simulator.shelf import PATH
from poeflask.simulator.stream import SOCKET

HOST = "127.0.0.1"

_FILE_LINK = re.compile(rf"http://{re.escape(HOST)}:\d{{1,5}}({PATH})")

_FAIR_SHARE = 64
"""After so many writes a bot that talks without a pause lets others of this process run: who reads
it may be one of them."""


class _Handler(WSGIHandler):  # type: ignore[misc]  # gevent brings no types
    """Lets the application see the client's socket, and send headers before there is a body."""

    def handle(self) -> None:
        # Each event is one small write: none may wait for the acknowledgement of the one before.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[SOCKET] = self.socket
        return environ

    def process_result(self) -> None:
        for number, piece in enumerate(self.result, 1):
            self.write(piece)
            if number % _FAIR_SHARE == 0:
                gevent.sleep(0)
        if not self.headers_sent:
            self.write(b"")
        if self.response_use_chunked:
            self._sendall(b"0\r\n\r\n")


class SimulatorServer:
    """A simulator behind an address; it runs in the greenlets of the process that starts it.

    Args:
        port: where to listen on the loopback interface; 0 takes one that is free.
        app: the simulator to serve; None makes one.
    """

    def __init__(self, port: int = 0, app: Flask | None = None) -> None:
        self._server = WSGIServer(
            (HOST, port),
            app if app is not None else create_simulator(),
            handler_class=_Handler,
            spawn=Pool(),
            log=None,
            error_log=None,
        )

    def start(self) -> str:
        """Listen from now on; give the base URL.

        Raises:
            OSError: the port is taken.
        """
        self._server.start()
        return self.base_url

    def stop(self) -> None:
        """Close the port and every connection, also those of which an answer is open."""
        self._server.stop(timeout=0)

    @property
    def base_url(self) -> str:
        """Where the simulator is reached, once it is started; no slash at the end."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def upload_url(self) -> str:
        """Where files are uploaded."""
        return self.base_url + UPLOAD_PATH

    def own_link(self, url: str) -> str:
        """A link to a file of any simulator of this machine as one of this; others as they are.

        Simulators that share a shelf have each other's files, though each its own address, and
        those of processes that are gone have none.
        """
        found = _FILE_LINK.fullmatch(url)
        return url if found is None else self.base_url + found[1]
