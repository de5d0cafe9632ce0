"""docs/deploy.md, carried out word by word on a machine that is made of one folder.

What has no place in a test is stood in for: packages and users are taken as given, and a systemctl
of a few lines starts what the units say with the environment that the units say, behind a socket
that is handed over as systemd hands it over.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.live.conftest import Simulator, simulator  # noqa: F401 - a fixture
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "deploy.md"
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

PLACES = ("/opt/poeflask", "/etc/", "/var/lib/", "/var/log/", "/usr/local/bin", "/run/", "/tmp/")

pytestmark = pytest.mark.skipif(
    "CI" not in os.environ, reason="installs the whole program anew; runs in CI"
)


@pytest.fixture
def machine():
    """A folder that passes for a machine; its path is short, as sockets' paths must be."""
    folder = Path(tempfile.mkdtemp(prefix="vps"))
    for place in (
        *("bin", "opt", "tmp", "run", "usr/local/bin", "var/lib", "var/log/nginx"),
        *("etc/systemd/system", "etc/nginx/sites-available", "etc/nginx/sites-enabled"),
    ):
        (folder / place).mkdir(parents=True)
    for name in ("apt-get", "useradd", "install", "runuser", "systemctl", "nginx"):
        shim = folder / "bin" / name
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE}/machine.py {name} "$@"\n')
        shim.chmod(0o755)
    yield folder
    subprocess.run([folder / "bin" / "systemctl", "poweroff"], env=environment(folder), check=False)
    shutil.rmtree(folder)


def environment(folder, poe=""):
    """What the commands find in their environment; on this machine Poe is at `poe`."""
    return {
        "POE_BASE_URL": poe,
        "POE_FILE_UPLOAD_URL": f"{poe}/upload" if poe else "",
        "PATH": f"{folder}/bin:{folder}/usr/local/bin:{os.environ['PATH']}:/usr/sbin",
        "HOME": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "MACHINE": str(folder),
        "HTTP_PORT": str(free_port()),
        "HTTPS_PORT": str(free_port()),
        # Another home, but what was downloaded once for this one need not be again.
        "PIP_CACHE_DIR": str(CACHE / "pip"),
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
    }


def placed(text, folder):
    """The text with the machine's folder before every path that it names."""
    return re.sub(
        rf"(?<![\w./])({'|'.join(map(re.escape, PLACES))})",
        lambda found: f"{folder}{found[1]}",
        text,
    )


@pytest.mark.timeout(300)
def test_every_block_does_what_it_says(machine, simulator: Simulator):  # noqa: F811 - the fixture
    """All commands of the page, in order, in one shell that stops at the first that fails."""
    blocks = BLOCK.findall(DOC.read_text(encoding="utf-8"))
    script = "set -eux\n" + "".join(placed(block, machine) for block in blocks)

    done = subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env=environment(machine, simulator.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout[-6000:]
    assert len(blocks) > 6
    assert (machine / "tmp" / "poeflask.tar.gz").stat().st_size > 0
