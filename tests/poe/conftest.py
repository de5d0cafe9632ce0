"""A server of raw bytes that stands where Poe would: it can delay, cut, stall and misframe."""

import socket
from collections import deque
from contextlib import suppress

import gevent
import pytest
from gevent.event import Event
from gevent.server import StreamServer
from urllib3.connection import HTTPConnection

from poeflask.core.reply import Pause
from poeflask.poe.client import PoeClient
from poeflask.poe.connections import IdleConnections
from poeflask.poe.exchange import Exchange

SSE = {"Content-Type": "text/event-stream; charset=utf-8"}

A = b'event: text\ndata: {"text": "a"}\n\n'
B = b'event: text\ndata: {"text": "b"}\n\n'
DONE = b"event: done\ndata: {}\n\n"


def head(status=200, **headers):
    """The first bytes of an answer."""
    lines = [f"HTTP/1.1 {status} Reason"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(*pieces, content_type="text/event-stream; charset=utf-8", end=b"0\r\n\r\n"):
    """A whole answer, or one without its end, each piece a chunk of its own."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head(Content_Type=content_type, Transfer_Encoding="chunked") + body + end


def sized(body, status=200, content_type="application/json", **headers):
    """A whole answer that says its length."""
    return head(status, Content_Type=content_type, Content_Length=len(body), **headers) + body


def ask(client, bot="Bot", key="key"):
    """All events of an answer."""
    return [event for batch in client.query(bot, {"x": "é"}, key) for event in batch]


def told(client, bot="Bot", key="key"):
    """All events of an answer but the pauses."""
    return [event for event in ask(client, bot, key) if event != Pause()]


class RawServer:
    """Answers each request with the next of `answers`, and keeps what it was asked.

    `answer_to` may choose the answer by the request instead. An answer is bytes, or a function
    that gets the socket. With `hang_up` set the connection is closed behind each answer; else the
    next request may use it.
    """

    def __init__(self):
        self.answers = deque()
        self.requests = []
        self.connections = 0
        self.answer_to = lambda _request: self.answers.popleft()
        self.hang_up = False
        self._tls = None
        self.asked = Event()
        self.left = Event()
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def behind(self, tls):
        """Be asked over TLS only."""
        self._tls = tls
        self.url = self.url.replace("http:", "https:")

    def stop(self):
        """Close all that is open."""
        self._server.stop(timeout=0)

    def _serve(self, sock, _address):
        if self._tls is not None:
            with suppress(OSError):
                sock = self._tls.wrap_socket(sock, server_side=True)
        self.connections += 1
        with sock, sock.makefile("rb") as stream:
            while (request := self._request(stream)) is not None:
                self.requests.append(request)
                self.asked.set()
                self._answer(sock, self.answer_to(request))
                if self.hang_up:
                    return
        self.left.set()

    @staticmethod
    def _answer(sock, answer):
        if callable(answer):
            answer(sock)
        else:
            sock.sendall(answer)

    @staticmethod
    def _request(stream):
        try:
            line = stream.readline()
        except ConnectionError:
            return None
        if not line:
            return None
        headers = {}
        while field := stream.readline().strip():
            name, _, value = field.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        method, path, _ = line.decode().split()
        return {"method": method, "path": path, "headers": headers, "body": body}


def wired():
    """A connection as urllib3 has it, and the server's end of it."""
    ours, theirs = socket.socketpair()
    connection = HTTPConnection("poe.example")
    connection.sock = ours
    return connection, theirs


class Answered:
    """An exchange whose question has left, and whose answer comes in these pieces.

    Each comes for itself, and behind the last the server closes its end, unless it stays.
    """

    def __init__(self, *pieces, silence_s=5.0, stays=False):
        connection, self._server = wired()
        self.idle = IdleConnections(most=2)
        self.idle.take()
        self.exchange = Exchange(self.idle, connection)
        self._writer = gevent.spawn(self._write, pieces, stays)
        self.head = self.exchange.receive_head(silence_s)

    def _write(self, pieces, stays):
        for piece in pieces:
            self._server.sendall(piece)
            gevent.sleep(0.005)
        if not stays:
            self._server.shutdown(socket.SHUT_WR)

    @property
    def connections(self):
        """How many are idle, and how many busy."""
        return len(self.idle), self.idle.busy

    def stop(self):
        """Close both ends."""
        self._writer.kill()
        self._server.close()
        self.exchange.close()
        self.idle.close()


@pytest.fixture
def answered():
    """Makes exchanges, closed in the end."""
    made = []

    def make(*pieces, **options):
        made.append(Answered(*pieces, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def poe():
    """A raw server that speaks as Poe."""
    server = RawServer()
    yield server
    server.stop()


@pytest.fixture
def connect():
    """Makes clients of a server's URL, closed in the end."""
    clients = []

    def make(url, **options):
        plain = {"connect_timeout_s": 2, "idle_timeout_s": 5, "pool_size": 2, "user_agent": "test"}
        clients.append(PoeClient(base_url=url, upload_url=f"{url}/upload", **plain | options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
