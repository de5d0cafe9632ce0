"""The doctor: all that is looked at, and what is asked of the network."""

import json
import re
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from poeflask.commands.check import check
from poeflask.settings import Settings


class Poe(BaseHTTPRequestHandler):
    """Poe, or poeflask's public address, as far as the doctor looks."""

    ahead_s = 0.0
    body = b'{"data": [{"id": "A"}, {"id": "B"}], "info": {"title": "poeflask"}}'

    def do_HEAD(self):
        """Only the date."""
        self.do_GET()

    def do_GET(self):
        """Bots, or the reference."""
        self.send_response_only(200)
        self.send_header("Date", formatdate(time.time() + self.ahead_s, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.body)

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def poe():
    """The address of such a server."""
    server = HTTPServer(("127.0.0.1", 0), Poe)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a clean environment; what it gives is the result."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("POEFLASK_WORKER_CONNECTIONS", "10")
    monkeypatch.setenv("POEFLASK_CONNECT_TIMEOUT_S", "2")

    def run(*arguments, **environ):
        return CliRunner().invoke(check, arguments, env=environ)

    return run


def topics(result):
    """What was found of each topic that is not well."""
    return {one["topic"]: one["level"] for one in json.loads(result.output) if one["level"] != "ok"}


def test_a_good_installation_has_no_fault(run, tmp_path):
    """The app is loaded as a worker would load it, and the store is written to."""
    result = run()

    assert "All is well.\n" == result.output
    assert 0 == result.exit_code
    assert (tmp_path / "state" / "store.db").exists()


def test_wrong_settings_are_faults(run):
    """All of them, each in a line, and the exit code is 1."""
    result = run(PORT="x", LOG_LEVEL="y")

    assert ["fault: PORT", "fault: LOG_LEVEL"] == [
        " ".join(line.split()[:2]) for line in result.output.splitlines()
    ]
    assert 1 == result.exit_code


def test_a_typo_is_a_remark(run):
    """It keeps nothing from working."""
    result = run("--json", POEFLASK_HEARTBEAT="1")

    assert (0, {"settings": "remark"}) == (result.exit_code, topics(result))


def test_poe_and_the_clock_are_asked_only_online(run, poe):
    """The list of bots is fetched, and its date compared."""
    result = run("--online", "--json", POE_BASE_URL=poe)
    told = {one["topic"]: one["text"] for one in json.loads(result.output)}

    assert (0, {}) == (result.exit_code, topics(result))
    assert told["Poe"].endswith("lists 2 bots.")
    assert not {"Poe", "clock"} & {
        one["topic"] for one in json.loads(run("--json", POE_BASE_URL=poe).output)
    }


@pytest.mark.parametrize("ahead_s", [-3600.0, 3600.0])
def test_a_clock_that_is_wrong_is_a_fault(run, poe, monkeypatch, ahead_s):
    """However Poe's date differs; the sentence says how to mend it."""
    monkeypatch.setattr(Poe, "ahead_s", ahead_s)
    result = run("--online", POE_BASE_URL=poe)

    assert 1 == result.exit_code
    assert re.search(rf"is 3(599|60\d) s {'slow' if ahead_s > 0 else 'fast'}", result.output)
    assert "set-ntp" in result.output


def test_a_poe_that_cannot_be_reached_is_a_fault(run):
    """The sentence names the address; the clock cannot be judged then."""
    result = run("--online", "--json", POE_BASE_URL="http://127.0.0.1:9")

    assert {"Poe": "fault"} == topics(result)


def test_the_public_address(run, poe, monkeypatch):
    """It must lead to poeflask and nowhere else."""
    good = run("--url", poe, "--json")
    monkeypatch.setattr(Poe, "body", b"<h1>Welcome to nginx!</h1>")
    other, nowhere = run("--url", poe, "--json"), run("--url", "http://127.0.0.1:9", "--json")
    nonsense = run("--url", "poeflask.example", "--json")

    assert [{}, *[{"public": "fault"}] * 3] == [
        topics(result) for result in (good, other, nowhere, nonsense)
    ]
