"""A real gunicorn, configured as poeflask configures it, serves a small app."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from gunicorn.config import Config

from poeflask import gunicorn_conf
from poeflask.cli import gunicorn_arguments
from poeflask.settings import Settings
from tests.ports import free_port

APP = """
import gc, json, os, stat
from gevent import monkey

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {
        "patched": monkey.is_module_patched("ssl"),
        "script": environ["SCRIPT_NAME"],
        "scheme": environ["wsgi.url_scheme"],
        "socket": "gunicorn.socket" in environ,
        "worker": os.getpid(),
        "garbage": [gc.isenabled(), gc.get_freeze_count() > 1000],
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


def test_garbage_is_looked_for_among_what_came_after_the_start(server):
    """What the start has loaded stays."""
    assert [True, True] == ask(server[1])["garbage"]


@pytest.mark.parametrize("patching", ["_patch", "gunicorn_conf"])
def test_no_other_package_is_searched_for_plugins_of_gevent(patching):
    """A start takes no longer because much is installed."""
    program = (
        f"from importlib import metadata; del metadata.entry_points; import poeflask.{patching}"
    )

    assert 0 == subprocess.run([sys.executable, "-c", program]).returncode


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


@pytest.fixture
def metrics_dir(monkeypatch):
    """Sets or unsets the variable that names the folder of the workers' numbers."""

    def name(folder=None):
        if folder is None:
            monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
        else:
            monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    return name


def test_workers_share_a_folder_for_their_numbers(metrics_dir):
    """It is made at the start and gone at the end; a dead worker has nothing open."""
    metrics_dir()
    gunicorn_conf.on_starting(None)
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    for name in ("counter_7.db", "gauge_livesum_7.db", "gauge_livesum_77.db"):
        (folder / name).touch()
    gunicorn_conf.child_exit(None, SimpleNamespace(pid=7))

    assert ["counter_7.db", "gauge_livesum_77.db"] == sorted(path.name for path in folder.iterdir())
    gunicorn_conf.on_exit(None)
    assert not folder.exists()


def test_a_folder_that_is_named_is_emptied_and_kept(metrics_dir, tmp_path):
    """Of what an earlier run left behind, and of nothing else."""
    metrics_dir(tmp_path / "numbers")
    gunicorn_conf.on_starting(None)
    (tmp_path / "numbers" / "counter_7.db").touch()
    (tmp_path / "numbers" / "mine.txt").touch()
    gunicorn_conf.on_starting(None)
    gunicorn_conf.on_exit(None)

    assert ["mine.txt"] == [path.name for path in (tmp_path / "numbers").iterdir()]


def test_a_master_that_replaces_another_has_a_folder_of_its_own(metrics_dir):
    """The old one still uses the one that both were told of."""
    metrics_dir()
    gunicorn_conf.on_starting(None)
    old = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    gunicorn_conf.on_starting(None)
    new = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    gunicorn_conf.on_exit(None)

    assert (True, False) == (Path(old).is_dir(), Path(new).exists())
    os.rmdir(old)


def test_a_worker_that_ends_writes_down_what_it_knows():
    """If it came so far as to have an app."""
    ended = []
    metering = SimpleNamespace(end_work=lambda: ended.append(True))
    app = SimpleNamespace(extensions={"poeflask.metering": metering})
    gunicorn_conf.worker_exit(None, SimpleNamespace(wsgi=app))
    gunicorn_conf.worker_exit(None, SimpleNamespace(wsgi=lambda environ, start: []))
    gunicorn_conf.worker_exit(None, SimpleNamespace())

    assert [True] == ended


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


def test_the_journal_is_told_the_levels_of_gunicorns_lines(monkeypatch, capfd):
    """A worker that was killed is found among the warnings."""
    about = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{about.st_dev}:{about.st_ino}")
    log = gunicorn_log()
    log.info("quiet")
    log.error("killed\nPerhaps out of memory?")
    monkeypatch.delenv("JOURNAL_STREAM")
    gunicorn_log().error("elsewhere")
    lines = capfd.readouterr().err.splitlines()

    assert ["<6>", "<3>", "<3>"] == [line[:3] for line in lines[:3]]
    assert not lines[3].startswith("<")
