"""The short way of an answer that runs: from Poe's connection to the client's, in the loop itself.

Nearly all that comes of an answer are plain texts that no filter changes. Such a text is taken out
of its framing, shown to the filters, framed for the client and written, all in one step of the
loop: one receive, one send, no greenlet. Whatever else comes (other events, texts that a filter
wants to hold or change, a client that is behind) takes the long way, through the greenlets of
`bridge` and `web.respond`. A test holds both ways against each other, byte by byte.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from poeflask.core import json_text
from poeflask.core.dialect import Encoder
from poeflask.core.reply import Pause, ReplyEvent, TextDelta
from poeflask.filters.chain import Chain

_PLAIN_TEXTS = re.compile(
    rb"([0-9a-fA-F]{1,8})\r\n"
    rb'(event: text\r?\ndata: \{"text": ?("[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+")\}'
    rb"\r?\n\r?\n)\r\n"
    rb"|(.+)",
    re.DOTALL,
)
"""A chunk's size, the event that is all of it, and the event's text as it is written; or else all
that is left."""

_EVENT = b"event: text"
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}\r?")
_LONGEST_CUT = 16 * 1024
"""A longer event is not waited for: whoever takes the long way keeps what has come in pieces."""

_PAUSE = Pause()


def plain_texts(data: bytes) -> tuple[str, bytes]:
    """The text of the plain text events at the beginning of a chunked body, and what follows them.

    Plain is a chunk that holds exactly one event with nothing but a text in it, as nearly all
    chunks of Poe's are. What is anyhow in doubt is left as it came.
    """
    found = _PLAIN_TEXTS.findall(data)
    rest: bytes = found[-1][3] if found else b""
    if rest:
        found.pop()
    strings = [string for size, event, string, _ in found if int(size, 16) == len(event)]
    if not strings or len(strings) < len(found):
        return "", data
    try:
        return json_text.read_strings(strings), rest
    except json_text.NotJsonError:
        return "", data


def is_cut(data: bytes) -> bool:
    """Whether these may be the first bytes of a plain text event, and hold no whole event."""
    head, found, event = data.partition(b"\n")
    if not found:
        return _SIZE.fullmatch(head) is not None
    begins = event.startswith(_EVENT) or _EVENT.startswith(event)
    is_whole = b"\n\r\n" in event or b"\n\n" in event
    return begins and not is_whole and len(data) < _LONGEST_CUT and _is_size(head)


def _is_size(line: bytes) -> bool:
    return _SIZE.fullmatch(line) is not None and line.endswith(b"\r")


class Client(Protocol):
    """What is needed of a client's socket, which is gevent's."""

    def send(self, data: bytes, flags: int, timeout: float) -> int: ...
    def sendall(self, data: bytes) -> None: ...
    def shutdown(self, how: int) -> None: ...


def client_of(environ: Mapping[str, Any]) -> Client | None:
    """The request's client, if the server shows its socket and will chunk the body.

    It may be written to only after the server has written the head and the first piece, and while
    the server does not write itself.
    """
    client: Client | None = environ.get("gunicorn.socket")
    return client if environ["SERVER_PROTOCOL"] == "HTTP/1.1" else None


class Outlet:
    """Writes an answer's events to its client past the server, framed as the server frames them.

    The server asks a response's body for one piece after the other, and between two pieces the
    greenlet that serves the request must wait, be woken, and wait again.

    Args:
        client: the client's socket.
        encoder: what writes the dialect; the server's own pieces come out of it too.
        on_gone: called when the client turns out to be gone.
        clock: seconds that only go on.

    Attributes:
        said_s: when something was written here for the last time.
        torn: whether a piece was begun and is not complete. If nobody is writing it any more,
            nothing that is written behind it would be understood.
    """

    __slots__ = ("_client", "_clock", "_encoder", "_left", "_on_gone", "said_s", "torn")

    def __init__(
        self,
        client: Client,
        encoder: Encoder,
        on_gone: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.said_s = 0.0
        self.torn = False
        self._client = client
        self._encoder = encoder
        self._on_gone = on_gone
        self._clock = clock
        self._left = b""

    def write(self, events: Sequence[ReplyEvent]) -> None:
        """Write what the dialect makes of the events; waits while the client is behind."""
        content = self._encoder.feed(events).encode("utf-8")
        piece = b"%x\r\n%b\r\n" % (len(content), content) if content else b""
        try:
            if not self._send(piece):
                self._client.sendall(self._left)
        except OSError:
            self._on_gone()
        else:
            self._left = b""
            self.torn = False

    def say(self, text: str) -> bool:
        """Write a text of the first answer, as far as that is possible without waiting.

        False: something is left, which the next `write` will write; until then nothing else may.
        """
        frame = self._encoder.text_frame
        if frame is None:
            content = self._encoder.feed([TextDelta(text)]).encode("utf-8")
            piece = b"%x\r\n%b\r\n" % (len(content), content) if content else b""
        else:
            before, behind = frame
            string = json_text.written(text)
            size = len(before) + len(string) + len(behind)
            piece = b"%x\r\n%b%b%b\r\n" % (size, before, string, behind)
        try:
            return self._send(piece)
        except OSError:
            self._on_gone()
            return True

    def hang_up(self) -> None:
        """Close the connection, so that a torn piece does not pass for a whole one."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _send(self, piece: bytes) -> bool:
        """Send what was left and this, as far as it goes; whether all of it went."""
        self.said_s = self._clock()
        if self._left:
            piece = self._left + piece
        if not piece:
            return True
        self.torn = True
        try:
            # Nearly always all of it goes at once; `sendall` asks the system more than that.
            sent = self._client.send(piece, 0, 0.0)
        except BlockingIOError:
            sent = 0
        if sent == len(piece):
            self.torn = False
            self._left = b""
            return True
        self._left = piece[sent:]
        return False


class Watch(Protocol):
    """What is needed of those who look on."""

    def heard(self, text: str) -> None:
        """A text of the first reply passes."""


class Flowing(Protocol):
    """What is needed of the answer, which is `bridge.Answer`."""

    outlet: Outlet | None
    """Where texts may be written at once; None if there is no such way just now."""

    @property
    def watch(self) -> Watch | None:
        """Who looks on."""


class Relay:
    """Takes the bytes of one reply as they come and passes the plain texts among them on.

    Attributes:
        left: what must be fed to the filters next, before any bytes that came later.
    """

    __slots__ = ("_answer", "_chain", "_cut", "left")

    def __init__(self, chain: Chain, answer: Flowing) -> None:
        self.left: list[ReplyEvent] = []
        self._chain = chain
        self._answer = answer
        self._cut = b""

    def take(self, data: bytes) -> bytes | None:
        """Deal with the next bytes of a chunked body, without waiting; none: it broke off.

        Gives the bytes that must go the long way, maybe none, behind what is `left`; None if
        there is nothing to do but to wait for more.
        """
        is_end = not data
        if self._cut:
            data, self._cut = self._cut + data, b""
        outlet = self._answer.outlet
        if outlet is None or is_end:
            return data
        text, rest = plain_texts(data)
        goes_on = not text or self._pass_on(text, outlet)
        if rest and not is_cut(rest):
            return rest
        self._cut = rest
        return None if goes_on else b""

    def _pass_on(self, text: str, outlet: Outlet) -> bool:
        """Whether the text was passed on whole; if not, `left` says what is to be done."""
        if not self._chain.passes(text):
            self.left = [TextDelta(text), _PAUSE]
            return False
        watch = self._answer.watch
        if watch is not None:
            watch.heard(text)
        if outlet.say(text):
            return True
        # Whoever sees to this writes what did not fit.
        self.left = [_PAUSE]
        return False
