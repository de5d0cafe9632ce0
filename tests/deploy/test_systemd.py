"""systemd itself reads the units in deploy/systemd and finds them right and tight."""

import re
import subprocess
from pathlib import Path

import pytest

from poeflask.settings import Settings

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
COMMAND = "/opt/poeflask/bin/poeflask"


@pytest.fixture
def units(tmp_path):
    """The units, with a command in them that is on every machine."""
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8")
        (tmp_path / unit.name).write_text(text.replace(COMMAND, "/bin/true"), encoding="utf-8")
    return tmp_path


def analyze(*arguments):
    """What systemd-analyze says."""
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_units_hold_no_unknown_word(units):
    """Of what it does not know systemd only warns, so it must say nothing at all."""
    assert (0, "") == analyze("verify", "--man=no", *sorted(units.iterdir()))


@pytest.mark.parametrize("name", ["poeflask.service", "poeflask-backup.service"])
def test_the_services_are_locked_in(units, name):
    """What remains open is the network, which is the service's purpose."""
    _, said = analyze("security", "--offline=yes", "--no-pager", units / name)
    (level,) = re.findall(rf"Overall exposure level for {name}: ([0-9.]+)", said)

    assert float(level) <= 1.5


def test_the_service_and_nginx_meet_at_one_socket():
    """The socket that systemd opens is the one that nginx connects to."""
    socket = (UNITS / "poeflask.socket").read_text(encoding="utf-8")
    nginx = (UNITS.parent / "nginx.conf").read_text(encoding="utf-8")
    (path,) = re.findall(r"^ListenStream=(.+)$", socket, re.MULTILINE)

    assert f"server unix:{path} " in nginx


def test_a_stop_outlasts_a_reload_and_a_drain():
    """It waits longer than twice the time that answers are given."""
    service = (UNITS / "poeflask.service").read_text(encoding="utf-8")
    (limit_s,) = re.findall(r"^TimeoutStopSec=([0-9]+)$", service, re.MULTILINE)

    assert int(limit_s) > 2 * Settings().drain_s


def test_a_reload_is_checked_first():
    """The check stands before the signal: systemd stops at the first that fails."""
    service = (UNITS / "poeflask.service").read_text(encoding="utf-8")

    assert [f"{COMMAND} check", "/bin/kill -s HUP $MAINPID"] == re.findall(
        r"^ExecReload=(.+)$", service, re.MULTILINE
    )
    assert "Environment=POEFLASK_SIMULATOR=off" in service
