"""Requests as bytes that no client library would write, and what becomes of each.

Where two programs might cut the same bytes into requests differently, one of them must refuse. The
bodies of such requests hold a second request, for a page that says "ok": an answer to it would tell
that somebody took a body for a request.
"""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = json.dumps(
    {"model": "Echo", "messages": [{"role": "user", "content": "hi"}], "stream": False}
).encode()
CHUNKED = b"Transfer-Encoding: chunked"
HOST = b"Host: x"
_CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
_LENGTH = b"Content-Length: %d" % len(BODY)
_FIRST_CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)


@dataclass(frozen=True)
class Raw:
    """One connection's bytes.

    Attributes:
        name: what is odd about them.
        sent: the bytes.
        direct: the statuses of the answers from poeflask itself, in their order.
        proxied: the same behind nginx.
    """

    name: str
    sent: bytes
    direct: tuple[int, ...]
    proxied: tuple[int, ...]


@dataclass(frozen=True)
class Heard:
    """What came back on a connection."""

    text: bytes
    closed: bool
    took_s: float

    @property
    def statuses(self) -> tuple[int, ...]:
        """The status of each answer."""
        lines = re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", self.text)
        return tuple(map(int, lines))

    @property
    def is_json(self) -> bool:
        """Whether the last answer's body is JSON with an error in it."""
        body = self.text.rpartition(b"\r\n\r\n")[2]
        return body.startswith(b'{"error":{') and bool(json.loads(body))


def post(*headers: bytes, body: bytes = BODY, end: bytes = b"\r\n", close: bool = True) -> bytes:
    """A chat request with these headers and this body."""
    lines = (
        b"POST /v1/chat/completions HTTP/1.1",
        HOST,
        b"Authorization: Bearer k",
        b"Content-Type: application/json",
        *headers,
        *((b"Connection: close",) if close else ()),
    )
    return end.join(lines) + end + end + body


def get(target: bytes, *headers: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    """A request without a body."""
    lines = (b"GET %b %b" % (target, version), *headers, b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def say(connection: Any, sent: bytes) -> Heard:
    """Send the bytes and read until the connection closes or nothing comes any more."""
    began = time.monotonic()
    got = b""
    closed = True
    try:
        connection.sendall(sent)
        while piece := connection.recv(65536):
            got += piece
    except TimeoutError:
        closed = False
    except OSError:
        # Closed while something that was sent had not been read.
        pass
    return Heard(got, closed, time.monotonic() - began)


def ask(port: int, sent: bytes, limit_s: float = 4.0) -> Heard:
    """What a port of this machine says to the bytes; silence of so long is its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=limit_s) as connection:
        return say(connection, sent)


def _framed(*headers: bytes, body: bytes = BODY) -> bytes:
    """A body under these headers, a hidden request behind it, on a connection that may go on."""
    return post(*headers, body=body + HIDDEN, close=False)


def _chunks(*pieces: bytes) -> bytes:
    """A body in pieces framed as they are."""
    return post(CHUNKED, body=b"".join(pieces), close=False)


def _length(value: bytes) -> bytes:
    return _framed(b"Content-Length: " + value)


def _coding(value: bytes, *, body: bytes = _CHUNKS) -> bytes:
    return _framed(b"Transfer-Encoding: " + value, body=body)


def _models(*headers: bytes) -> bytes:
    return get(b"/v1/models/Echo", *headers, b"Authorization: Bearer k")


def _at(target: bytes) -> bytes:
    return get(target, HOST, b"Authorization: Bearer k")


def _odd(line: bytes) -> bytes:
    """Something in the place of a request line."""
    return line + b"\r\nHost: x\r\nConnection: close\r\n\r\n"


_OK, _BAD, _NONE = (200,), (400,), ()

FRAMING = (
    # Two lengths: whoever believes the other one sees another request.
    Raw("length and chunks", _framed(b"Content-Length: 5", CHUNKED, body=_CHUNKS), _BAD, _BAD),
    Raw("chunks and length", _framed(CHUNKED, b"Content-Length: 5", body=_CHUNKS), _BAD, _BAD),
    Raw("lengths that differ", _framed(_LENGTH, b"Content-Length: 5"), _BAD, _BAD),
    Raw("the same length twice", _framed(_LENGTH, _LENGTH), _BAD, _BAD),
    Raw("a list of lengths", _length(b"5, 5"), _BAD, _BAD),
    Raw("a length with a sign", _length(b"+5"), _BAD, _BAD),
    Raw("a length below zero", _length(b"-1"), _BAD, _BAD),
    Raw("a length in hex", _length(b"0x5"), _BAD, _BAD),
    Raw("a length with a fraction", _length(b"5.0"), _BAD, _BAD),
    Raw("a length with an underscore", _length(b"1_0"), _BAD, _BAD),
    Raw("a length in Arabic digits", _length("\u0665".encode()), _BAD, _BAD),
    Raw("a length of nothing", _length(b""), _BAD, _BAD),
    Raw("a length of forty digits", _length(b"9" * 40), (413,), _BAD),
    # Codings that one program knows and the other does not.
    Raw("an unknown coding", _coding(b"xchunked"), (501,), (501,)),
    Raw("a coding behind a tab", _coding(b"\x0bchunked"), _BAD, (501,)),
    Raw(
        "identity and chunked",
        post(b"Transfer-Encoding: identity, chunked", body=_CHUNKS),
        _BAD,
        (501,),
    ),
    Raw("chunked and identity", _coding(b"chunked, identity"), _BAD, (501,)),
    Raw("chunked twice in one line", _coding(b"chunked, chunked"), _BAD, (501,)),
    Raw("chunked twice", _framed(CHUNKED, CHUNKED, body=_CHUNKS), _BAD, _BAD),
    Raw("gzip and chunked", _coding(b"gzip, chunked"), _BAD, (501,)),
    Raw("gzip", _coding(b"gzip"), _BAD, (501,)),
    Raw("chunked in capitals", post(b"Transfer-Encoding: CHUNKED", body=_CHUNKS), _OK, _OK),
    Raw("a space before the colon", _framed(b"Transfer-Encoding : chunked"), _BAD, _BAD),
    Raw(
        "chunks in HTTP/1.0",
        post(CHUNKED, body=_CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0"),
        _BAD,
        _BAD,
    ),
    # Chunks.
    Raw("a chunk's size with 0x", _chunks(b"0x3\r\nabc\r\n0\r\n\r\n", HIDDEN), _BAD, _BAD),
    Raw("a chunk's size below zero", _chunks(b"-3\r\nabc\r\n0\r\n\r\n", HIDDEN), _BAD, _BAD),
    Raw("a chunk's size with a plus", _chunks(b"+3\r\nabc\r\n0\r\n\r\n", HIDDEN), _BAD, _BAD),
    Raw("a chunk's size behind a space", _chunks(b" 3\r\nabc\r\n0\r\n\r\n", HIDDEN), _BAD, _BAD),
    Raw("a chunk longer than its size", _chunks(b"3\r\nabcd\r\n0\r\n\r\n", HIDDEN), _BAD, _BAD),
    Raw("a chunk without its end", _chunks(b"3\r\nabc0\r\n\r\n", HIDDEN), _BAD, _BAD),
    Raw("a chunk's extension", post(CHUNKED, body=_CHUNKS.replace(b"\r", b";a=b\r", 1)), _OK, _OK),
    Raw("a line end in an extension", _chunks(_CHUNKS.replace(b"\r", b";a\nb\r", 1)), _BAD, _BAD),
    Raw(
        "an extension of 100 KB",
        post(CHUNKED, body=_CHUNKS.replace(b"\r", b";" + b"a" * 100_000 + b"\r", 1)),
        _BAD,
        _OK,
    ),
    Raw("a trailer", post(CHUNKED, body=_FIRST_CHUNK + b"0\r\nX-A: 1\r\n\r\n"), _OK, _OK),
    Raw(
        "a trailer that is a length",
        post(CHUNKED, body=_FIRST_CHUNK + b"0\r\nContent-Length: 5\r\n\r\n"),
        _BAD,
        _OK,
    ),
    Raw(
        "a thousand trailers",
        post(CHUNKED, body=_FIRST_CHUNK + b"0\r\n" + b"X-A: 1\r\n" * 1000 + b"\r\n"),
        _BAD,
        _OK,
    ),
    # Headers.
    Raw("lines that end in LF", post(_LENGTH, end=b"\n"), _BAD, _OK),
    Raw("a bare CR in a header", _framed(_LENGTH, b"X-A: a\rb"), _BAD, _BAD),
    Raw("a NUL in a header", _framed(_LENGTH, b"X-A: a\0b"), _BAD, _BAD),
    Raw("a NUL in a header's name", _framed(_LENGTH, b"X-\0A: b"), _BAD, _BAD),
    Raw("a folded header", _framed(_LENGTH, b"X-A: a\r\n b"), _BAD, _BAD),
    Raw("a header without a colon", post(_LENGTH, b"X-A"), _BAD, _OK),
    Raw("a header without a name", _framed(_LENGTH, b": v"), _BAD, _BAD),
    Raw("a header of 17 KB", _models(HOST, b"X-A: " + b"a" * 17_000), (431,), _BAD),
    Raw("a header of 7 KB", _models(HOST, b"X-A: " + b"a" * 7_000), _OK, _OK),
    Raw("101 headers", _models(HOST, *[b"X-A: 1"] * 101), (431,), (431,)),
    Raw("a length in other letters", post(_LENGTH, b"Content_Length: 5"), _OK, _OK),
    Raw("a body that is compressed", post(_LENGTH, b"Content-Encoding: gzip"), (415,), (415,)),
    # Hosts.
    Raw("no host", _models(), _BAD, _BAD),
    Raw("two hosts", _models(HOST, b"Host: y"), _BAD, _BAD),
    Raw("an empty host", _models(b"Host:"), _BAD, _BAD),
    Raw("a host with a path", _models(b"Host: x/admin?#"), _BAD, _BAD),
    Raw("a host with a user", _models(b"Host: a@b"), _BAD, _BAD),
    Raw("a host with a space", _models(b"Host: a b"), _BAD, _BAD),
    Raw("a host with a tag", _models(b'Host: x"><script>'), _BAD, _BAD),
    Raw("a host in raw letters", _models("Host: \u00e4".encode()), _BAD, _BAD),
    Raw("a host with half a bracket", _models(b"Host: [::1"), _BAD, _BAD),
    # Targets.
    Raw("a line of 9 KB", _at(b"/" + b"a" * 9_000), (414,), (414,)),
    Raw("another host's URL", _at(b"http://evil.example/v1/models/Echo"), _OK, _OK),
    Raw("a host and a port", _at(b"evil.example:443"), _BAD, _BAD),
    Raw("a star", _at(b"*"), _BAD, _BAD),
    Raw("no target", _odd(b"GET  HTTP/1.1"), _BAD, _BAD),
    Raw("the folder above", _at(b"/home/../../etc/passwd"), (404,), _BAD),
    Raw("the folder above, escaped", _at(b"/home/%2e%2e/%2e%2e/etc/passwd"), (404,), _BAD),
    Raw("the folder above, wholly escaped", _at(b"/home/..%2f..%2fapp.py"), (404,), _BAD),
    Raw("the folder above, backwards", _at(b"/home/..\\..\\app.py"), (404,), (404,)),
    Raw("slashes", _at(b"//v1//models//Echo"), _OK, _OK),
    Raw("a host in the path", _at(b"//evil.example/%2e%2e"), (404,), (404,)),
    Raw("a semicolon", _at(b"/v1/models;a=b"), (404,), (404,)),
    Raw("a NUL in the path", _at(b"/v1/models\0"), _BAD, _BAD),
    Raw("an escaped NUL in the path", _at(b"/v1/models%00"), (404,), _BAD),
    Raw("an escaped line end", _at(b"/v1/models/a%0d%0aX-Evil:%201"), (404,), (404,)),
    Raw("no escape at all", _at(b"/v1/models/%zz"), (404,), _BAD),
    Raw("no UTF-8", _at(b"/v1/models/%ff%fe"), (404,), (404,)),
    Raw("raw letters", _at("/v1/models/\u00e4".encode()), _BAD, _BAD),
    Raw("a space in the path", _at(b"/v1/models/a b"), _BAD, _BAD),
    # Methods and versions.
    Raw("a method of odd letters", _odd(b"P{}ST / HTTP/1.1"), _BAD, _BAD),
    Raw("a method of a hundred letters", _odd(b"A" * 100 + b" / HTTP/1.1"), _BAD, _BAD),
    Raw("CONNECT", _odd(b"CONNECT x:443 HTTP/1.1"), (404,), _BAD),
    Raw("TRACE", _odd(b"TRACE / HTTP/1.1"), (405,), (405,)),
    Raw("HTTP/2.0", _odd(b"GET /healthz HTTP/2.0"), _BAD, (505,)),
    Raw("HTTP/11", _odd(b"GET /healthz HTTP/11"), _BAD, (505,)),
    Raw("http in small letters", _odd(b"GET /healthz http/1.1"), _BAD, _BAD),
    Raw("another protocol", b"\x16\x03\x01\xff\r\n\r\n", _BAD, _BAD),
    Raw(
        "a proxy's own line",
        b"PROXY TCP4 6.6.6.6 6.6.6.6 1 2\r\n" + _at(b"/v1/models/Echo"),
        _BAD,
        _BAD,
    ),
    Raw(
        "a way up to HTTP/2",
        get(
            b"/v1/models/Echo",
            HOST,
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAAP__",
            b"Authorization: Bearer k",
        ),
        _OK,
        _OK,
    ),
    # What is as it should be, and must go on to work.
    Raw("an empty line first", b"\r\n" + _models(HOST), _OK, _OK),
    Raw(
        "a wish to be told to go on", post(_LENGTH, b"Expect: 100-continue"), (100, 200), (100, 200)
    ),
    Raw("another wish", post(_LENGTH, b"Expect: 200-ok"), (417,), _OK),
    Raw("two requests at once", post(_LENGTH, close=False) + _models(HOST), (200, 200), (200, 200)),
    Raw(
        "a body where none belongs",
        get(
            b"/v1/models/Echo",
            HOST,
            b"Authorization: Bearer k",
            b"Content-Length: %d" % len(HIDDEN),
        )
        + HIDDEN,
        _OK,
        _OK,
    ),
    Raw(
        "a hidden request that nobody reads",
        post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN).replace(b"/v1/chat", b"/nowhere"),
        (404,),
        (404,),
    ),
    Raw(
        "hidden chunks that nobody reads",
        post(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)).replace(
            b"/v1/chat", b"/nowhere"
        ),
        (404,),
        (404,),
    ),
)
"""All of them. nginx rewrites what it passes on, and so it may pass on what poeflask refuses."""
