"""Whether the service lives, for supervisors."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from poeflask.commands.health import health


class Lives(BaseHTTPRequestHandler):
    """Answers as a service that lives, or as one that does not, by its path of settings."""

    status = 200

    def do_GET(self):
        """Say so."""
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        """Say nothing else."""

    def address_string(self):
        """A Unix socket's client has none."""
        return ""


class UnixServer(HTTPServer):
    """A server on a Unix socket."""

    address_family = socket.AF_UNIX

    def server_bind(self):
        """Without a host and a port."""
        self.socket.bind(self.server_address)


def serve_one(server):
    """Answer one request in a thread."""
    server.timeout = 5
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    return thread


def asked(server, **environ):
    """The result of the command while the server answers."""
    thread = serve_one(server)
    try:
        return CliRunner().invoke(health, env=environ)
    finally:
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_a_service_on_a_port(monkeypatch, status, code):
    """The exit code is 0 only if it says that it lives; a server for all is asked locally."""
    monkeypatch.setattr(Lives, "status", status)
    server = HTTPServer(("127.0.0.1", 0), Lives)

    assert code == asked(server, HOST="0.0.0.0", PORT=str(server.server_address[1])).exit_code


def test_a_service_on_a_unix_socket(tmp_path):
    """As behind nginx."""
    path = tmp_path / "http.sock"

    assert 0 == asked(UnixServer(str(path), Lives), HOST=f"unix:{path}").exit_code


@pytest.mark.parametrize("host", ["127.0.0.1", "unix:/nowhere/http.sock"])
def test_nobody_answers(host):
    """The sentence says so."""
    result = CliRunner().invoke(health, env={"HOST": host, "PORT": "1"})

    assert 1 == result.exit_code
    assert "does not answer" in result.stderr
