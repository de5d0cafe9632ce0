"""A real gunicorn, configured as poeflask configures it, serves a small app."""

import http.client
import json
import os
import signal
import subprocess
import sys

import gevent
import pytest
from gunicorn.config import Config

from poeflask import gunicorn_conf
from poeflask.cli import gunicorn_arguments
from poeflask.settings import Settings
from tests.ports import free_port

APP = """
import json, os, stat
from gevent import monkey

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {
        "patched": monkey.is_module_patched("ssl"),
        "script": environ["SCRIPT_NAME"],
        "scheme": environ["wsgi.url_scheme"],
        "socket": "gunicorn.socket" in environ,
        "worker": os.getpid(),
    }
    return [json.dumps(told).encode()]
"""


def ask(port, headers=()):
    """What the app tells; the server is given five seconds to come up."""
    with gevent.Timeout(5):
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            try:
                connection.request("GET", "/", headers=dict(headers))
                return json.loads(connection.getresponse().read())
            except ConnectionRefusedError:
                gevent.sleep(0.05)
            finally:
                connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(process, port) of a gunicorn with one worker."""
    folder = tmp_path_factory.mktemp("gunicorn")
    (folder / "small.py").write_text(APP)
    port = free_port()
    settings = Settings(port=port, workers=1, drain_s=1, log_level="warning")
    arguments = gunicorn_arguments(settings, inherited=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *arguments, "small:app"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process, port
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)


def test_workers_are_patched_and_their_sockets_can_be_watched(server):
    """TLS to Poe is cooperative, and a client that hangs up can be noticed."""
    told = ask(server[1])

    assert (True, True) == (told["patched"], told["socket"])


def test_no_client_sets_what_only_a_proxy_may(server):
    """Headers that claim another path or scheme mean nothing to gunicorn."""
    told = ask(server[1], {"SCRIPT_NAME": "/x", "X-Forwarded-Proto": "https"}.items())

    assert ("", "http") == (told["script"], told["scheme"])


def test_a_reload_brings_a_new_worker_and_refuses_nobody(server):
    """After HUP another process answers, and every request on the way is answered."""
    process, port = server
    before = ask(port)["worker"]
    process.send_signal(signal.SIGHUP)
    with gevent.Timeout(10):
        while ask(port)["worker"] == before:
            gevent.sleep(0.05)

    assert process.poll() is None


def test_nothing_is_left_in_the_home_folder(server, tmp_path_factory):
    """No control socket is opened beside the one that is asked for."""
    ask(server[1])

    assert ["small.py"] == sorted(
        path.name
        for path in (tmp_path_factory.getbasetemp() / "gunicorn0").iterdir()
        if path.name != "__pycache__"
    )


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        (
            "Invalid request from ip=::1: Invalid HTTP request line: 'GET /?key=a b'",
            "Invalid request from ip=::1: Invalid HTTP request line",
        ),
        ("Worker graceful timeout (pid:1)", "Worker graceful timeout (pid:1)"),
    ],
)
def test_wrong_requests_are_not_repeated_in_the_log(caplog, said, logged):
    """A key may stand in them."""
    log = gunicorn_log()
    log.warning(said)

    assert [logged] == caplog.messages


def test_a_fault_is_logged_without_the_query(caplog):
    """A key may stand in it."""
    gunicorn_log().exception("Error handling request %s %s", "GET", "/v1beta/models?key=a")

    assert ["Error handling request GET /v1beta/models"] == caplog.messages


def gunicorn_log():
    """The log that gunicorn writes as poeflask configures it, heard by the test."""
    log = gunicorn_conf.DiscreetLogger(Config())
    log.error_log.propagate = True
    return log
