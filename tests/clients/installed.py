"""Other people's clients, installed once into a cache folder, apart from poeflask's own packages.

The folder is `poeflask-clients` in `$XDG_CACHE_HOME` or `~/.cache`; it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "poeflask-clients"
LEAST_NODE = 20
INSTALL_S = 400.0

FRAMEWORKS = (
    "langchain-openai>=1.7,<2",
    "langchain-tests>=1.1,<2",
    "llm>=0.36,<1",
    "openai-agents>=0.24,<1",
    "pydantic-ai-slim[openai]>=2.68,<3",
)
"""What is installed into one Python environment; all of them get along."""

AGENTS = (
    "@mariozechner/pi-coding-agent@0.73.1",
    "@openai/codex@0.169.0",
    "cline@3.0.65",
    "opencode-ai@1.18.33",
)
"""What is installed by npm; the versions are those whose habits are known."""


def frameworks() -> Path:
    """The folder of the commands of an environment with `FRAMEWORKS`."""
    folder = CACHE / _name("python", sys.version, *FRAMEWORKS)
    commands = folder / "bin"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
        pip = [sys.executable, "-m", "pip", "--python", str(commands / "python"), "install"]
        _run([*pip, "--quiet", "--no-compile", "--disable-pip-version-check", *FRAMEWORKS])
        (folder / "installed").touch()
    return commands


def agents() -> Path:
    """The folder of the commands of `AGENTS`.

    Skips the test if this machine has no npm, unless the environment says that it is a CI's: there
    a missing part is a failure.
    """
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not installed, so no coding agent is")
    # An old node runs npm, and npm can bring a new one.
    packages = AGENTS if _node_version() >= LEAST_NODE else (*AGENTS, f"node@{LEAST_NODE}")
    folder = CACHE / _name("npm", *packages)
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run(["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", *packages])
        (folder / "installed").touch()
    return folder / "node_modules" / ".bin"


def _node_version() -> int:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


def _name(kind: str, *parts: str) -> str:
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
