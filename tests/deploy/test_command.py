"""deploy/poeflask.sh, the command of a server, finds what systemd gives the service."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "poeflask.sh"

ENV = """\
# A comment, and after it an empty line.

; Another one.
POEFLASK_CORS_ORIGINS=https://a.example, https://b.example
POEFLASK_STORE_URL=redis://:pa&ss$HOME`id`w"o;rd@10.0.0.5:6379/0
  LOG_LEVEL="debug"
POEFLASK_PROXY_URL='http://it''s@proxy:3128'
POEFLASK_KEYS=
export PORT=1
no assignment
POEFLASK_WORKERS=7"""


@pytest.fixture
def run(tmp_path):
    """Runs the command on a machine whose runuser prints the environment of what it starts."""
    folder = tmp_path / "poeflask"
    folder.mkdir()
    (folder / "poe_api_keys").write_text("main:KEY*2\nother\n")
    (folder / "admin_password").touch()
    text = SCRIPT.read_text(encoding="utf-8").replace("/etc/poeflask", str(folder))
    (tmp_path / "command").write_text(text)
    (tmp_path / "runuser").write_text("#!/bin/sh\nexec env -0\n")
    (tmp_path / "runuser").chmod(0o755)

    def run(env):
        (folder / "env").write_text(env)
        done = subprocess.run(
            ["sh", tmp_path / "command", "check"],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return dict(one.split("=", 1) for one in done.stdout.split("\0") if one), done.stderr

    return run


def test_settings_are_read_as_systemd_reads_them(run):
    """Spaces need no quotes, and nothing in a value is carried out."""
    found, _ = run(ENV)

    assert "https://a.example, https://b.example" == found["POEFLASK_CORS_ORIGINS"]
    assert 'redis://:pa&ss$HOME`id`w"o;rd@10.0.0.5:6379/0' == found["POEFLASK_STORE_URL"]
    assert ("debug", "http://it''s@proxy:3128") == (found["LOG_LEVEL"], found["POEFLASK_PROXY_URL"])
    assert ("", "7") == (found["POEFLASK_KEYS"], found["POEFLASK_WORKERS"])
    assert "PORT" not in found


def test_secrets_and_state_are_the_services(run):
    """Whatever the settings say of the folder; and it is found where systemd listens."""
    found, _ = run("CONFIG_DIR=/elsewhere\nHOST=0.0.0.0\n")
    unit = (SCRIPT.parent / "systemd" / "poeflask.socket").read_text(encoding="utf-8")

    assert "main:KEY*2\nother" == found["POE_API_KEYS"]
    assert ("/var/lib/poeflask", "off") == (found["CONFIG_DIR"], found["POEFLASK_SIMULATOR"])
    assert "ADMIN_PASSWORD" not in found
    assert f"ListenStream={found['HOST'].removeprefix('unix:')}\n" in unit


def test_a_secret_that_is_set_twice_is_told(run):
    """As the service would refuse it; an empty file is an unset secret."""
    _, said = run("POE_API_KEYS=third\n")
    found, _ = run("ADMIN_PASSWORD=correct horse\n")

    assert "POE_API_KEYS is set in" in said
    assert "only one can be right" in said
    assert "correct horse" == found["ADMIN_PASSWORD"]
