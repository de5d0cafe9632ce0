"""The command tells what it does, what is wrong, and starts the server with the settings."""

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from poeflask import __version__, cli
from poeflask.settings import Settings, markdown_table


@pytest.fixture
def port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def run(tmp_path, monkeypatch, port):
    """Run the command in a clean environment; what it gives is the result."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PORT", str(port))

    def run(*arguments, **environ):
        return CliRunner().invoke(cli.main, arguments, env=environ)

    return run


@pytest.fixture
def started(monkeypatch):
    """The commands that took the place of this process, had they been let."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda path, command: commands.append((path, command)))
    return commands


def test_the_version_is_told(run):
    """One line."""
    assert f"poeflask, version {__version__}\n" == run("--version").output


def test_serving_becomes_gunicorn(run, started, port):
    """The process is replaced, so that signals and sockets reach gunicorn."""
    result = run("serve", POEFLASK_WORKERS="3", POEFLASK_DRAIN_S="5")
    ((path, command),) = started

    assert 0 == result.exit_code
    assert sys.executable == path
    assert [sys.executable, "-m", "gunicorn"] == command[:3]
    assert {f"--bind=127.0.0.1:{port}", "--workers=3", "--graceful-timeout=5"} < set(command)


def test_serving_tells_what_to_try(run, started, port):
    """The banner names the address and commands that work as they stand."""
    output = run("serve").output

    assert f"on http://127.0.0.1:{port} (" in output
    base = f"http://127.0.0.1:{port}/v1"
    assert f'curl -N {base}/chat/completions -H "Authorization: Bearer demo"' in output
    assert f'curl {base}/messages -H "x-api-key: demo"' in output
    assert f'base_url "{base}"' in output
    assert 1 == len(started)


def test_serving_takes_the_files_that_it_may_open(run, started):
    """As many as its workers may need, where a shell begins with fewer."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
    try:
        run("serve", POEFLASK_WORKER_CONNECTIONS="100")
        during = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert (2 * 100 + 256, before[1]) == during


def test_serving_tells_of_a_typo_and_goes_on(run, started):
    """A variable that nothing reads is no reason not to start."""
    result = run("serve", POEFLASK_HEARTBEAT="1")

    assert "perhaps POEFLASK_HEARTBEAT_S is meant" in result.stderr
    assert 1 == len(started)


def test_serving_tells_of_a_bad_models_file_and_goes_on(run, started, tmp_path):
    """The last good one is in force; nobody waits for a comma to be mended."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "models.yaml").write_text("model: {}")
    result = run("serve")

    assert "models.yaml cannot be used: model: there is no such field; perhaps" in result.stderr
    assert 1 == len(started)


def test_groups_of_commands_are_read_when_they_are_asked_for(run):
    """They stand among the others, and serving does not wait for what they need."""
    lines = run("--help").output.splitlines()
    program = "import sys, poeflask.cli; print('poeflask.commands.models' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout

    assert any(line.startswith("  models ") for line in lines)
    assert "False\n" == output


def test_serving_where_another_listens_does_not_start(run, started):
    """The fault is told at once, with what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("serve", PORT=str(port))

    assert f"Error: poeflask cannot listen on http://127.0.0.1:{port}: " in result.stderr
    assert "set HOST and PORT" in result.stderr
    assert [] == started


def test_serving_on_a_socket_without_a_folder_does_not_start(run, started, tmp_path):
    """Else gunicorn would try for five seconds, and speak of a connection."""
    result = run("serve", HOST=f"unix:{tmp_path}/none/http.sock")

    assert f"cannot make its socket in {tmp_path}/none. " in result.stderr
    assert [] == started


def test_serving_without_a_place_for_its_state_does_not_start(run, started, tmp_path):
    """The fault names the folder and the setting that changes it."""
    (tmp_path / "file").touch()
    result = run("serve", CONFIG_DIR=str(tmp_path / "file"))

    assert f"own {tmp_path / 'file'} and all in it, or set CONFIG_DIR" in result.stderr
    assert [] == started


def test_serving_with_a_wrong_setting_does_not_start(run, started):
    """The fault is told, without a traceback."""
    result = run("serve", PORT="many")

    assert 1 == result.exit_code
    assert "Error: PORT holds 'many'; it should be a whole number from 1 to 65535." in result.stderr
    assert [] == started


@pytest.mark.parametrize(
    ("host", "bind"),
    [
        ("127.0.0.1", "--bind=127.0.0.1:8080"),
        ("::1", "--bind=[::1]:8080"),
        ("unix:/run/poeflask/http.sock", "--bind=unix:/run/poeflask/http.sock"),
    ],
)
def test_the_address_is_told_to_gunicorn(host, bind):
    """IPv6 stands in brackets; a socket's path is passed as it is."""
    assert bind in cli.gunicorn_arguments(Settings(host=host), inherited=False)


def test_inherited_sockets_are_not_bound_again():
    """Where systemd listens already, gunicorn is told of no address."""
    arguments = cli.gunicorn_arguments(Settings(), inherited=True)

    assert [] == [argument for argument in arguments if argument.startswith("--bind")]
    banner = cli.banner(Settings(), inherited=True)
    assert "on an inherited socket" in banner
    assert "curl https://your.proxy.example/v1/models" in banner
    assert "127.0.0.1" not in banner


def test_the_banner_shows_an_address_that_can_be_reached():
    """Nobody can call 0.0.0.0; without the simulator the key is the reader's own."""
    text = cli.banner(Settings(host="0.0.0.0", port=81), inherited=False)

    assert "curl http://127.0.0.1:81/v1/models" in text
    assert "Bearer $POE_API_KEY" in text
    assert "demo" not in text


def test_the_settings_are_told(run, port, tmp_path):
    """Each as it is in force, and where that comes from; secrets are not."""
    (tmp_path / "keys").write_text("home:hunter2")
    secret = {"POE_API_KEYS_FILE": str(tmp_path / "keys"), "ADMIN_PASSWORD": "hunter2 hunter2"}
    result = run("settings", POEFLASK_PROT="1", **secret)

    assert 0 == result.exit_code
    assert f"PORT = {port} (from PORT; default: 8080)\n    The TCP port to" in result.stdout
    assert "POEFLASK_DRAIN_S = 60 s (default)\n" in result.stdout
    assert "POEFLASK_STORE_URL = sqlite (default)\n" in result.stdout
    assert "POEFLASK_PROXY_URL = empty (default)\n" in result.stdout
    assert "POE_API_KEYS = set, not shown (from POE_API_KEYS_FILE; default: empty)" in result.stdout
    assert "ADMIN_PASSWORD = set, not shown (from ADMIN_PASSWORD; " in result.stdout
    assert "hunter2" not in result.output
    assert "POEFLASK_PROT" in result.stderr


def test_the_settings_are_told_to_programs(run, port):
    """As a table for the README, and as JSON."""
    told = {one["variable"]: one for one in json.loads(run("settings", "--json").stdout)}

    assert markdown_table() == run("settings", "--markdown").output
    assert [row.variable for row in Settings.describe()] == list(told)
    assert (str(port), "environment") == (told["PORT"]["value"], told["PORT"]["source"])


def test_settings_that_make_no_sense_are_not_told_as_in_force(run):
    """What is wrong is."""
    result = run("settings", PORT="x")

    assert (1, "") == (result.exit_code, result.stdout)
    assert "PORT holds 'x'" in result.stderr


def test_the_banner_tells_where_state_is(tmp_path):
    """A Redis without its password, or the folder."""
    url = "redis://:hunter2@cache.example/0"
    text = cli.banner(Settings(store_url=url, state_dir=tmp_path), inherited=False)

    assert "state in redis://cache.example:6379/0)" in text
    assert "hunter2" not in text
    assert f"state in {tmp_path})" in cli.banner(Settings(state_dir=tmp_path), inherited=False)


def test_the_simulator_runs_until_it_is_stopped():
    """It tells where it answers, answers there, and ends without a fault."""
    program = "from poeflask.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "simulator", "--port=0"], stdout=subprocess.PIPE, text=True
    )
    line = process.stdout.readline()
    (port,) = re.findall(r"answers on http://127\.0\.0\.1:([0-9]+)\.", line)
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    connection.request("GET", "/v1/models")
    status = connection.getresponse().status
    connection.close()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=5)

    assert (200, 0) == (status, process.returncode)
