"""Steps made into an HTTP answer, written step by step, broken off where the bot says so."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import gevent
from flask import Response
from gevent.socket import wait_read

from poeflask.simulator.journal import Outcome, Visit
from poeflask.simulator.media import Media
from poeflask.simulator.steps import (
    Answer,
    Cut,
    Event,
    Open,
    Publish,
    Raw,
    Step,
    Steps,
    Wait,
    event_bytes,
)

SOCKET = "poeflask.simulator.socket"
"""Where in the WSGI environment the client's socket stands, if the server puts it there."""

_ANSWER_AT_END = "An Answer is a bot's only visible step."


class ClientGoneError(ConnectionResetError):
    """The client has left; as an error of the socket it ends the answer without a word."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The client has left.")


class CutError(ConnectionResetError):
    """The bot breaks the connection; as an error of the socket, so that no proper end is sent."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The bot has cut the connection.")


class Client:
    """The other end of the connection, as far as it can be seen."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._socket: socket.socket | None = environ.get(SOCKET)

    def wait(self, duration_s: float) -> None:
        """Do nothing for so many seconds.

        Raises:
            ClientGoneError: the client has left meanwhile; noticed at once.
        """
        if duration_s <= 0:
            return
        if self._socket is None:
            gevent.sleep(duration_s)
            return
        with gevent.Timeout(duration_s, exception=False):
            self._watch(self._socket)

    def reset(self) -> None:
        """Let the closing of the connection be a TCP reset."""
        if self._socket is not None:
            linger_0s = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_0s)

    @staticmethod
    def _watch(connection: socket.socket) -> None:
        # Not select, which knows no descriptor above 1023.
        wait_read(connection.fileno())
        try:
            ahead = connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            raise ClientGoneError from None
        if not ahead:
            raise ClientGoneError
        # The client has sent its next request already: its end cannot be seen behind that.
        gevent.sleep(24 * 60 * 60)


def respond(
    steps: Steps, visit: Visit, client: Client, publish: Callable[[Media], None]
) -> Response:
    """The HTTP answer that the steps describe; the visit is told how it ends."""
    try:
        first = _first_visible(steps, client, publish)
    except ClientGoneError as gone:
        visit.end("aborted")
        return Response(_Broken(gone))
    if isinstance(first, Answer):
        visit.end("finished")
        return Response(
            first.body, first.status, dict(first.headers), content_type=first.content_type
        )
    all_steps = chain(() if first is None else (first,), steps)
    return Response(
        _body(all_steps, visit, client, publish),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _first_visible(steps: Steps, client: Client, publish: Callable[[Media], None]) -> Step | None:
    for step in steps:
        if not isinstance(step, Wait | Publish):
            return step
        _do(step, client, publish)
    return None


def _body(
    steps: Iterator[Step], visit: Visit, client: Client, publish: Callable[[Media], None]
) -> Iterator[bytes]:
    outcome: Outcome = "aborted"
    try:
        for step in steps:
            piece = _do(step, client, publish)
            if piece is not None:
                yield piece
        outcome = "finished"
    except CutError:
        outcome = "cut"
        raise
    finally:
        visit.end(outcome)


def _do(step: Step, client: Client, publish: Callable[[Media], None]) -> bytes | None:
    """Take the step; give the bytes to write, None if there is nothing to write, not even none."""
    match step:
        case Event():
            return event_bytes(step)
        case Raw(content):
            return content
        case Open():
            return b""
        case Publish(media):
            publish(media)
        case Wait(duration_s):
            client.wait(duration_s)
        case Cut(reset):
            if reset:
                client.reset()
            raise CutError
        case Answer():
            raise TypeError(_ANSWER_AT_END)
    return None


class _Broken(Iterator[bytes]):
    """A body that breaks off before its first byte."""

    def __init__(self, error: ConnectionError) -> None:
        self._error = error

    def __next__(self) -> bytes:
        raise self._error
