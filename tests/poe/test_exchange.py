"""Tests of asking over a connection, against servers and proxies that may do anything."""

import json
import socket
import ssl
import struct
import subprocess
import time
from contextlib import closing

import gevent
import pytest
from gevent.server import StreamServer

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import Finish, TextDelta

from .conftest import RawServer, chunked, head

A = b'event: text\ndata: {"text": "a"}\n\n'
DONE = b"event: done\ndata: {}\n\n"
SAID = [TextDelta("a"), Finish("stop")]


def told(client, body=None):
    """All events of an answer but the pauses."""
    batches = client.query("Bot", body or {"x": "y"}, "key")
    return [event for batch in batches for event in batch if isinstance(event, TextDelta | Finish)]


def refused(client, body=None):
    """What a question's error says."""
    with pytest.raises(PoeError) as raised:
        told(client, body)
    return raised.value.kind, raised.value.message


UNREACHABLE = (ErrorKind.POE_UNREACHABLE, "Poe could not be reached; try again later.")
LATE = (ErrorKind.POE_TIMEOUT, "Poe did not answer in time.")
INSECURE = (ErrorKind.POE_UNREACHABLE, "No secure connection to Poe could be made.")
NO_PROXY = (ErrorKind.POE_UNREACHABLE, "The proxy on the way to Poe could not be reached.")


@pytest.fixture
def serve():
    """Serves each connection by a function of its socket; gives the port."""
    servers = []

    def start(handle):
        server = StreamServer(("127.0.0.1", 0), lambda sock, _address: handle(sock))
        server.start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.stop(timeout=0)


# The question


def test_head_and_body_leave_in_one_piece(serve, connect):
    """One write, so that one read may see it whole; the fields are those that Poe needs."""
    heard = []

    def answer(sock):
        heard.append(sock.recv(65536))
        sock.sendall(chunked(A, DONE))

    port = serve(answer)

    assert SAID == told(connect(f"http://127.0.0.1:{port}/prefix/"))
    question, _, body = heard[0].partition(b"\r\n\r\n")
    assert [
        b"POST /prefix/bot/Bot HTTP/1.1",
        b"Host: 127.0.0.1:%d" % port,
        b"Accept: text/event-stream",
        b"Accept-Encoding: identity",
        b"Connection: keep-alive",
        b"Content-Type: application/json",
        b"User-Agent: test",
        b"Authorization: Bearer key",
        b"Content-Length: %d" % len(body),
    ] == question.split(b"\r\n")


@pytest.mark.parametrize("letters", [60_000, 66_000, 5_000_000])
def test_a_long_question_leaves_whole(poe, connect, letters):
    """However slowly it is taken."""
    poe.answers.append(chunked(A, DONE))
    question = {"x": "y" * letters}

    assert SAID == told(connect(poe.url), question)
    assert question == json.loads(poe.requests[0]["body"])


def test_an_answer_to_half_a_question_counts(serve, connect):
    """A server may refuse what it has not read, and close."""

    def refuse(sock):
        sock.recv(1000)
        sock.sendall(head(413, Content_Length=7, Content_Type="text/plain") + b"Too big")
        sock.shutdown(socket.SHUT_WR)
        gevent.sleep(0.05)

    kind, message = refused(connect(f"http://127.0.0.1:{serve(refuse)}"), {"x": "y" * 9_000_000})

    assert (ErrorKind.CONTEXT_TOO_LONG, "Too big") == (kind, message)


def test_a_server_that_takes_nothing_is_unreachable(serve, connect):
    """After the time that connecting may take."""
    port = serve(lambda sock: gevent.sleep(5))
    start = time.monotonic()
    got = refused(
        connect(f"http://127.0.0.1:{port}", connect_timeout_s=0.2), {"x": "y" * 9_000_000}
    )

    assert UNREACHABLE == got
    assert time.monotonic() - start < 2


def test_a_question_of_which_something_is_taken_has_time(serve, connect):
    """Only silence counts, not how long all takes."""

    def trickle(sock):
        left = 3_000_000
        while left > 0:
            left -= len(sock.recv(500_000))
            gevent.sleep(0.05)
        sock.sendall(chunked(A, DONE))

    client = connect(f"http://127.0.0.1:{serve(trickle)}", connect_timeout_s=0.2)

    assert SAID == told(client, {"x": "y" * 3_000_000})


def test_who_waits_for_the_sending_may_fail(poe, connect):
    """Then the connection is closed, and the failure is its own."""

    def fail():
        raise ZeroDivisionError

    poe.answers.append(chunked(A, DONE))
    client = connect(poe.url)
    with pytest.raises(ZeroDivisionError):
        next(client.query("Bot", {}, "key", fail))

    assert (0, 0) == client.connections()


# The head of the answer


def test_a_head_may_be_cut_anywhere(poe, connect):
    """It is read from as many pieces as come."""

    def byte_by_byte(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in chunked(A, DONE):
            sock.sendall(bytes([byte]))
            gevent.sleep(0)

    poe.answers += [byte_by_byte] * 2
    client = connect(poe.url)

    assert SAID + SAID == told(client) + told(client)
    assert 1 == poe.connections


@pytest.mark.parametrize(
    "answer",
    [
        chunked(A, DONE).replace(b"HTTP/1.1", b"HTTP/1.0"),
        chunked(A, DONE).replace(b"\r\n\r\n", b"\r\nconnection: Close\r\n\r\n", 1),
        head(Content_Type="text/event-stream") + A + DONE,
    ],
)
def test_a_connection_that_does_not_stay_is_not_used_again(poe, connect, answer):
    """By its version, by its word, or because nothing else ends the body."""
    poe.hang_up = True
    poe.answers.append(answer)
    client = connect(poe.url)

    assert SAID == told(client)
    assert (0, 0) == client.connections()


def reset(sock):
    """Break the connection with a TCP reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reset, id="reset"),
        pytest.param(lambda sock: sock.close(), id="closed"),
        pytest.param(lambda sock: sock.sendall(b"SSH-2.0-x\r\n"), id="ssh"),
        pytest.param(lambda sock: sock.sendall(b"HTTP/1.1 200\r\n" + b"a:b\n" * 30_000), id="long"),
    ],
)
def test_what_is_no_answer_is_as_if_nobody_were_there(serve, connect, answer):
    """The next question has another connection."""

    def handle(sock):
        sock.recv(65536)
        answer(sock)

    client = connect(f"http://127.0.0.1:{serve(handle)}")

    assert UNREACHABLE == refused(client)
    assert (0, 0) == client.connections()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nA: b", b"HTTP/1.1 200 OK\r\nx\r\n\r\n"])
def test_a_head_that_is_cut_or_garbled_is_broken(poe, connect, answer):
    """Somebody was there, and spoke."""
    poe.hang_up = True
    poe.answers.append(answer)
    client = connect(poe.url)

    assert ErrorKind.POE_BROKEN == refused(client)[0]
    assert (0, 0) == client.connections()


def test_silence_within_the_head_is_a_timeout(poe, connect):
    """As it is before it."""
    poe.answers.append(b"HTTP/1.1 200 OK\r\n")

    assert LATE == refused(connect(poe.url, idle_timeout_s=0.1))
    assert poe.left.wait(1)


# Connecting


def test_a_server_that_accepts_nobody_is_unreachable(connect):
    """After the time that connecting may take."""
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        start = time.monotonic()
        client = connect(f"http://127.0.0.1:{full.getsockname()[1]}", connect_timeout_s=0.2)

        assert UNREACHABLE == refused(client)
        assert time.monotonic() - start < 2
        for one in waiting:
            one.close()


def test_a_name_that_nobody_has_is_unreachable(connect):
    """As a server that is not there."""
    assert UNREACHABLE == refused(connect("http://nobody.invalid"))


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of our own for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem"]
    subprocess.run([*command, "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate, monkeypatch):
    """A raw server behind TLS, whose certificate is trusted."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate / "cert.pem"))
    server = RawServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server.behind(context)
    yield server
    server.stop()


def test_answers_over_tls_share_a_connection(secure, connect):
    """Also long questions and long answers."""
    long = b'event: text\ndata: {"text": "%s"}\n\n' % (b"a" * 200_000)
    secure.answers += [chunked(A, DONE), chunked(long, DONE), chunked(A, DONE)]
    client = connect(secure.url)

    assert SAID == told(client)
    assert "a" * 200_000 == "".join(event.text for event in told(client)[:-1])
    assert SAID == told(client, {"x": "y" * 1_000_000})
    assert 1 == secure.connections


def test_a_tls_connection_that_was_closed_meanwhile_is_made_anew(secure, connect):
    """Seen past the TLS."""
    secure.hang_up = True
    secure.answers += [chunked(A, DONE)] * 2
    client = connect(secure.url)
    told(client)
    gevent.sleep(0.05)

    assert SAID == told(client)
    assert 2 == secure.connections


def test_silence_over_tls_is_a_timeout(secure, connect):
    """Before the answer, as it is without TLS."""
    secure.answers.append(b"")

    assert LATE == refused(connect(secure.url, idle_timeout_s=0.2))


def test_a_stranger_is_not_trusted(secure, connect, monkeypatch):
    """Whoever has no certificate that is known learns no key."""
    monkeypatch.undo()

    assert INSECURE == refused(connect(secure.url))
    assert [] == secure.requests


def test_a_server_without_tls_is_no_poe(serve, connect):
    """Where TLS is expected."""
    port = serve(lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))

    assert INSECURE == refused(connect(f"https://127.0.0.1:{port}"))


def test_a_server_that_is_silent_about_its_tls_is_late(serve, connect):
    """After the time that connecting may take."""
    port = serve(lambda sock: gevent.sleep(5))

    assert LATE == refused(connect(f"https://127.0.0.1:{port}", connect_timeout_s=0.2))


def test_a_silent_proxy_is_late(serve, connect):
    """As Poe would be."""
    port = serve(lambda sock: gevent.sleep(5))
    client = connect("https://poe.example", proxy=f"http://127.0.0.1:{port}", connect_timeout_s=0.2)

    assert LATE == refused(client)


# Proxies


def tunnel(port, asked, status=b"200 Fine"):
    """A proxy that connects whoever asks for it with this port."""

    def handle(sock):
        asked.append(sock.recv(65536))
        sock.sendall(b"HTTP/1.1 " + status + b"\r\n\r\n")
        if not status.startswith(b"200"):
            return
        with socket.create_connection(("127.0.0.1", port)) as other:
            copies = [gevent.spawn(copy, *ends) for ends in ((sock, other), (other, sock))]
            gevent.joinall(copies, count=1)
            gevent.killall(copies)

    return handle


def copy(source, target):
    """Pass on what comes, until the end."""
    while data := source.recv(65536):
        target.sendall(data)


def test_a_proxy_makes_tunnels_to_tls(secure, serve, connect):
    """One for all answers; the password goes to the proxy alone."""
    asked = []
    secure.answers += [chunked(A, DONE)] * 2
    port = serve(tunnel(int(secure.url.rpartition(":")[2]), asked))
    client = connect(secure.url, proxy=f"http://me:pass@127.0.0.1:{port}")

    assert SAID + SAID == told(client) + told(client)
    assert 1 == len(asked)
    assert asked[0].startswith(b"CONNECT 127.0.0.1:")
    assert b"Proxy-Authorization: Basic bWU6cGFzcw==" in asked[0]
    assert ("/bot/Bot", False) == (
        secure.requests[0]["path"],
        "proxy-authorization" in secure.requests[0]["headers"],
    )
    assert (1, 0) == client.connections()


def test_a_proxy_that_refuses_is_named(secure, serve, connect):
    """The fault is not Poe's."""
    port = serve(tunnel(0, [], b"407 Who are you"))

    assert NO_PROXY == refused(connect(secure.url, proxy=f"http://127.0.0.1:{port}"))


def test_a_stranger_behind_a_proxy_is_not_trusted(secure, serve, connect, monkeypatch):
    """The fault is not the proxy's."""
    monkeypatch.undo()
    port = serve(tunnel(int(secure.url.rpartition(":")[2]), []))

    assert INSECURE == refused(connect(secure.url, proxy=f"http://127.0.0.1:{port}"))


def test_a_proxy_is_given_the_whole_address_without_tls(poe, connect):
    """It must know where the question goes."""
    poe.answers += [chunked(A, DONE)] * 2
    client = connect("http://poe.example/base", proxy=poe.url.replace("//", "//me:pass@"))

    assert SAID + SAID == told(client) + told(client)
    assert "http://poe.example/base/bot/Bot" == poe.requests[0]["path"]
    headers = poe.requests[0]["headers"]
    assert ("poe.example", "Basic bWU6cGFzcw==") == (
        headers["host"],
        headers["proxy-authorization"],
    )
    assert 1 == poe.connections
