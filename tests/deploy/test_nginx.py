"""A real nginx runs deploy/nginx.conf before a small server, and keeps its promises."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import gevent
import pytest
from gevent.event import Event
from gevent.pywsgi import WSGIServer

from poeflask.settings import Settings
from tests.ports import free_port

CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"

MAIN = """
{user}
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Backend:
    """What stands in poeflask's place: tells of the request, or streams as it is let."""

    def __init__(self):
        self.read = Event()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/silent":
            gevent.sleep(5)
        if environ["PATH_INFO"] == "/stream":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return self.stream()
        if environ["PATH_INFO"] == "/busy":
            start_response("503 Service Unavailable", [("Retry-After", "77")])
            return [b"its own words"]
        if environ["PATH_INFO"] == "/page":
            start_response("200 OK", [("Referrer-Policy", "same-origin")])
            return [b"a page"]
        body = environ["wsgi.input"].read()
        told = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({**told, "bytes": len(body)}).encode()]

    def stream(self):
        """Three events, each only after the one before has reached the client."""
        for number in range(3):
            self.read.clear()
            yield b"data: %d\n\n" % number
            self.read.wait(5)


class Front:
    """A running nginx: where it is, and how to speak with it."""

    def __init__(self, folder, backend, http_port, https_port):
        self.backend = backend
        self.http_port = http_port
        self.https_port = https_port
        self.tls = ssl.create_default_context(cafile=folder / "cert.pem")

    def connect(self, source="127.0.0.1"):
        """A connection through TLS."""
        return http.client.HTTPSConnection(
            "localhost", self.https_port, timeout=20, context=self.tls, source_address=(source, 0)
        )

    def ask(self, path, source="127.0.0.1", method="GET", **more):
        """(status, headers, body) of one answer."""
        connection = self.connect(source)
        try:
            connection.request(method, path, **more)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def ask_in_a_row(self, path, times):
        """(status, Retry-After, body) of so many answers on one connection, as fast as they come.

        With a connection for each, a machine with much to do is too slow for nginx to mind.
        """
        connection = self.connect()
        answers = []
        for _ in range(times):
            connection.request("GET", path)
            response = connection.getresponse()
            answers.append((response.status, response.headers["Retry-After"], response.read()))
        connection.close()
        return answers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with a certificate for localhost that signs itself."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def write_site(folder, certificate, http_port, https_port, changes):
    """The shipped file, with this machine's paths and ports in the place of a server's."""
    names = {
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "listen 80;": f"listen 127.0.0.1:{http_port};",
        "listen 443 ssl": f"listen 127.0.0.1:{https_port} ssl",
        "/etc/letsencrypt/live/poeflask.example/fullchain.pem": f"{certificate}/cert.pem",
        "/etc/letsencrypt/live/poeflask.example/privkey.pem": f"{certificate}/key.pem",
        "/run/poeflask.sock": f"{folder}/poeflask.sock",
        "/var/log/nginx/access.log": f"{folder}/access.log",
        "/var/log/nginx/error.log": f"{folder}/site-error.log",
        **changes,
    }
    text = CONF.read_text(encoding="utf-8")
    for old, new in names.items():
        assert old in text, f"deploy/nginx.conf has no {old!r} any more"
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    user = "user root root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user), encoding="utf-8")


@pytest.fixture
def changes():
    """What a test wants to stand otherwise in the shipped file."""
    return {}


@pytest.fixture
def front(tmp_path, certificate, changes):
    """A running nginx before the backend; both end with the test."""
    http_port, https_port = free_port(), free_port()
    write_site(tmp_path, certificate, http_port, https_port, changes)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "poeflask.sock"))
    listener.listen()
    listener.setblocking(False)
    backend = Backend()
    server = WSGIServer(listener, backend, log=None)
    server.start()
    command = [NGINX, "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(https_port)
        yield Front(certificate, server, http_port, https_port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        server.stop(timeout=0)
        listener.close()
    assert "[emerg]" not in (tmp_path / "error.log").read_text()


def wait_for(port):
    """Return as soon as somebody listens there."""
    with gevent.Timeout(30):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                gevent.sleep(0.02)
            else:
                return


def error_of(body):
    """(type, code) of an error in OpenAI's shape."""
    error = json.loads(body)["error"]

    assert {"message", "type", "param", "code"} == set(error)
    return error["type"], error["code"]


def test_a_stream_arrives_event_by_event(front):
    """The next event is sent only once the one before has come out of TLS."""
    connection = front.connect()
    connection.request("GET", "/stream")
    response = connection.getresponse()
    events = []
    for _ in range(3):
        events.append(response.readline() + response.readline())
        front.backend.application.read.set()
    connection.close()

    assert [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"] == events


def test_poeflask_learns_the_true_client_and_nothing_it_claims(front):
    """Address, scheme and host are those of the connection."""
    claims = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Forwarded-Host": "evil"}
    _, _, body = front.ask("/v1/models", headers=claims)
    told = json.loads(body)

    assert ("127.0.0.1", "https", f"localhost:{front.https_port}") == (
        told["HTTP_X_FORWARDED_FOR"],
        told["HTTP_X_FORWARDED_PROTO"],
        told["HTTP_X_FORWARDED_HOST"],
    )
    assert "HTTP_FORWARDED" not in told


def test_a_body_of_megabytes_comes_through_whole(front):
    """Images in a request are no trouble."""
    _, _, body = front.ask("/v1/chat/completions", method="POST", body=bytes(3_000_000))

    assert 3_000_000 == json.loads(body)["bytes"]


def test_http2_is_offered(front):
    """A client that speaks HTTP/2 gets it."""
    front.tls.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", front.https_port)) as plain,
        front.tls.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        assert "h2" == encrypted.selected_alpn_protocol()


def test_http_leads_to_https(front):
    """The redirect keeps the method, the path and the question."""
    connection = http.client.HTTPConnection("127.0.0.1", front.http_port, timeout=20)
    connection.request("POST", "/v1/x?y=1", headers={"Host": "poeflask.example"})
    response = connection.getresponse()
    response.read()
    connection.close()

    assert (308, "https://poeflask.example/v1/x?y=1") == (
        response.status,
        response.headers["Location"],
    )


def test_a_body_too_large_is_refused_in_json(front):
    """Before it is sent: the size alone decides."""
    connection = front.connect()
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Content-Length", str(66 * 2**20))
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()

    assert 413 == response.status
    assert ("invalid_request_error", "request_too_large") == error_of(body)
    assert "application/json" == response.headers["Content-Type"]
    assert response.headers["Retry-After"] is None


def test_a_poeflask_that_is_not_there_is_told_in_json(front):
    """A client learns that trying again makes sense, and when."""
    front.backend.stop(timeout=0)
    status, headers, body = front.ask("/v1/models")

    assert (502, "5") == (status, headers["Retry-After"])
    assert ("server_error", "restarting") == error_of(body)


@pytest.mark.parametrize(
    "changes", [{"proxy_read_timeout 620s;": "proxy_read_timeout 300ms;"}], ids=["short"]
)
def test_a_poeflask_that_is_silent_is_told_in_json(front):
    """After the time to read there is an answer, not a cut."""
    status, _, body = front.ask("/silent")

    assert 504 == status
    assert ("server_error", "timeout") == error_of(body)


def test_a_runaway_script_is_slowed_down_in_json(front):
    """A burst is served; what goes on beyond it is told to wait."""
    answers = front.ask_in_a_row("/v1/models", 150)
    refused = [(after, body) for status, after, body in answers if status == 429]

    assert {200} == {status for status, _, _ in answers[:60]}
    assert {("3", ("requests", "rate_limit_exceeded"))} == {
        (after, error_of(body)) for after, body in refused
    }


def test_what_poeflask_says_itself_stays_as_it_is(front):
    """Its own errors pass, with their own time to wait, once."""
    status, headers, body = front.ask("/busy")

    assert (503, ["77"], b"its own words") == (status, headers.get_all("Retry-After"), body)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "//readyz/", "/v1/metrics"])
def test_the_inside_is_not_shown_to_strangers(front, path):
    """Only this machine's own address is let in."""
    own, _, _ = front.ask(path)
    status, _, body = front.ask(path, source="127.0.0.2")

    assert 200 == own
    assert 404 == status
    assert ("invalid_request_error", "unknown_url") == error_of(body)


@pytest.mark.parametrize("path", ["/v1/models", "/busy"])
def test_every_answer_is_hardened(front, path):
    """Browsers are told to stay with HTTPS and to guess nothing; no version is told."""
    _, headers, _ = front.ask(path)

    assert ["max-age=63072000"] == headers.get_all("Strict-Transport-Security")
    assert ["nosniff"] == headers.get_all("X-Content-Type-Options")
    assert ["no-referrer"] == headers.get_all("Referrer-Policy")
    assert "nginx" == headers["Server"]


def test_a_page_keeps_its_own_referrer_policy(front):
    """Under "no-referrer" a browser would not say where a form comes from."""
    _, headers, _ = front.ask("/page")

    assert ["same-origin"] == headers.get_all("Referrer-Policy")


def test_no_query_is_logged(front, tmp_path):
    """Google's clients may send their key in it."""
    front.ask("/v1beta/models?key=canary-815")
    connection = http.client.HTTPConnection("127.0.0.1", front.http_port, timeout=20)
    connection.request("GET", "/v1beta/models?key=canary-815")
    connection.getresponse().read()
    connection.close()
    log = tmp_path / "access.log"
    with gevent.Timeout(20):
        # nginx answers first and logs then.
        while len(logged := log.read_text().splitlines()) < 2:
            gevent.sleep(0.01)

    assert all('"GET /v1beta/models HTTP/' in line for line in logged)


def test_no_query_is_logged_with_an_error(front, tmp_path):
    """Neither where poeflask cannot be reached, nor where a client is told to wait."""
    front.backend.stop(timeout=0)
    statuses = {answer[0] for answer in front.ask_in_a_row("/v1beta/models?key=canary-815", 150)}
    logs = [path.read_text() for path in tmp_path.glob("*.log")]

    assert {502, 429} == statuses
    assert 3 == len(logs)
    assert not any("canary-815" in log for log in logs)


def test_poeflask_itself_says_what_nginx_would_only_cut():
    """Sizes and times of nginx lie just above the defaults of poeflask's own."""
    text = CONF.read_text(encoding="utf-8")
    (size_mib,) = re.findall(r"client_max_body_size ([0-9]+)m;", text)
    (silence_s,) = re.findall(r"proxy_read_timeout ([0-9]+)s;", text)

    assert int(size_mib) * 2**20 > Settings().max_request_bytes
    assert int(silence_s) > Settings().idle_timeout_s
