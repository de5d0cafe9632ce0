"""The command tells what it does, what is wrong, and starts the server with the settings."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from poeflask import __version__, cli
from poeflask.settings import Settings, markdown_table
from poeflask.stores import open_store


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


def test_serving_without_a_place_for_its_state_does_not_start(run, started, tmp_path):
    """The fault names the folder and the setting that changes it."""
    (tmp_path / "file").touch()
    result = run("serve", CONFIG_DIR=str(tmp_path / "file"))

    assert f"Let poeflask write in {tmp_path / 'file'}, or set CONFIG_DIR" in result.stderr
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
    assert "on an inherited socket" in cli.banner(Settings(), inherited=True)


def test_the_banner_shows_an_address_that_can_be_reached():
    """Nobody can call 0.0.0.0; without the simulator the key is the reader's own."""
    text = cli.banner(Settings(host="0.0.0.0", port=81), inherited=False)

    assert "curl http://127.0.0.1:81/v1/models" in text
    assert "Bearer $POE_API_KEY" in text
    assert "demo" not in text


def test_the_settings_are_told(run):
    """As a table for the README, and as plain text."""
    plain = run("settings").output

    assert markdown_table() == run("settings", "--markdown").output
    assert "PORT (default: 8080)\n    The TCP port to listen on.\n" in plain
    assert "POEFLASK_PROXY_URL, POEFLASK_PROXY_URL_FILE (default: empty)" in plain


def test_a_good_installation_has_no_fault(run, tmp_path):
    """The app is loaded as a worker would load it, and the store is written to."""
    result = run("check")

    assert "All is well.\n" == result.output
    assert 0 == result.exit_code
    assert (tmp_path / "state" / "store.db").exists()


def test_wrong_settings_are_faults(run):
    """All of them, each in a line, and the exit code is 1."""
    result = run("check", PORT="x", LOG_LEVEL="y")

    assert ["fault: PORT", "fault: LOG_LEVEL"] == [
        " ".join(line.split()[:2]) for line in result.output.splitlines()
    ]
    assert 1 == result.exit_code


def test_a_state_folder_that_cannot_be_written_is_a_fault(tmp_path):
    """The sentence says where to look and how to mend it."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "state"
    (fault,) = cli._store_faults(Settings(state_dir=folder))

    assert fault.endswith(f"Let poeflask write in {folder}, or set CONFIG_DIR to another.")


def test_a_redis_that_is_away_is_a_fault(tmp_path):
    """It is told where it was looked for, and no password is."""
    url = f"unix://:hunter2@{tmp_path}/redis.sock"
    (fault,) = cli._store_faults(Settings(store_url=url, state_dir=tmp_path))
    (unfit,) = cli._store_faults(Settings(store_url="redis://host?hunter2=1", state_dir=tmp_path))

    assert f"The Redis at unix://{tmp_path}/redis.sock failed" in fault
    assert fault.endswith("set POEFLASK_STORE_URL to where it is, with its password.")
    assert "hunter2" not in fault + unfit


def test_the_banner_tells_where_state_is(tmp_path):
    """A Redis without its password, or the folder."""
    url = "redis://:hunter2@cache.example/0"
    text = cli.banner(Settings(store_url=url, state_dir=tmp_path), inherited=False)

    assert "state in redis://cache.example:6379/0)" in text
    assert "hunter2" not in text
    assert f"state in {tmp_path})" in cli.banner(Settings(state_dir=tmp_path), inherited=False)


def test_a_damaged_vocabulary_is_a_fault(tmp_path):
    """A file that was cut is found before a worker stumbles over it."""
    (tmp_path / "words.xz").write_bytes(b"\xfd7zXZ\x00\x00")
    (fault,) = cli._vocabulary_faults(tmp_path)

    assert f"The vocabulary {tmp_path / 'words.xz'} is damaged" in fault


def test_memory_that_is_not_shared_is_remarked():
    """Several workers with a memory each is seldom meant; one is fine."""
    environ = {"POEFLASK_STORE_URL": "memory", "POEFLASK_WORKERS": "2"}
    (remark,) = cli._remarks(environ)

    assert "set POEFLASK_WORKERS=1" in remark
    assert [] == list(cli._remarks({**environ, "POEFLASK_WORKERS": "1"}))


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


def test_state_is_backed_up_and_restored(tmp_path, monkeypatch):
    """What was written is told, in words or as JSON; on no terminal nothing else is."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("POEFLASK_STORE_URL", raising=False)
    store = open_store("sqlite", tmp_path / "state")
    store.put("k", b"kept")
    file = str(tmp_path / "b.tar.gz")
    made = CliRunner().invoke(cli.main, ["backup", file, "--json"])
    refused = CliRunner().invoke(cli.main, ["restore", file])
    store.put("k", b"later")
    forced = CliRunner().invoke(cli.main, ["restore", file, "--force"])
    found = store.get("k")
    store.close()
    done = CliRunner().invoke(cli.main, ["restore", str(tmp_path / "state")])

    assert json.loads(made.stdout)["files"] == 1
    assert "" == made.stderr
    assert 1 == refused.exit_code
    assert "stop poeflask first, or give --force" in refused.stderr
    assert forced.stdout.startswith("Restored 1 files of")
    assert "What was there before is in" in forced.stdout
    assert found == b"kept"
    assert done.exit_code == 2


def test_a_backup_tells_what_a_redis_keeps(tmp_path, monkeypatch):
    """Its state is not in the folder; its password is not told."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("POEFLASK_STORE_URL", "redis://:hunter2@cache.example/0")
    (tmp_path / "state").mkdir()
    made = CliRunner().invoke(cli.main, ["backup", str(tmp_path / "b")])
    fails = CliRunner().invoke(cli.main, ["backup", str(tmp_path / "none" / "b")])

    assert 0 == made.exit_code
    assert "What redis://cache.example:6379/0 keeps is not in the backup" in made.stderr
    assert "hunter2" not in made.stderr
    assert 1 == fails.exit_code
    assert "was not written" in fails.stderr


def test_backups_of_a_timer_are_kept_in_a_folder(tmp_path, monkeypatch):
    """Each has a date; with a folder, how many are kept must be said."""
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("POEFLASK_STORE_URL", raising=False)
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "poeflask-20200101T000000Z.tar.gz").touch()
    (folder / "poeflask-20200102T000000Z.tar.gz").touch()
    made = CliRunner().invoke(cli.main, ["backup", "--keep", "2", str(folder)])
    unsaid = CliRunner().invoke(cli.main, ["backup", str(folder)])
    older, newer = sorted(os.listdir(folder))

    assert 0 == made.exit_code
    assert "poeflask-20200102T000000Z.tar.gz" == older
    assert newer in made.stdout
    assert 2 == unsaid.exit_code
