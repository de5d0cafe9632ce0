"""Other people's clients, installed once into a cache folder, apart from poeflask's own packages.

The folder is `poeflask-clients` in `$XDG_CACHE_HOME` or `~/.cache`; it may be deleted at any time.
What comes by npm is more than a gigabyte, so it is only used where that is asked for: by `make
clients`, and by a CI, where a missing part is a failure.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "poeflask-clients"
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
"""Coding agents; the versions are those whose habits are known."""

AGENTS_NODE = 20
"""The oldest node that all of them run on."""

MAKERS = (
    "@anthropic-ai/claude-code@2.1.330",
    "@anthropic-ai/sdk@1.12.0",
    "openai@7.57.0",
    "zod@4.6.7",
)
"""Clients of the makers of the two great APIs."""

MAKERS_NODE = 22


@dataclass(frozen=True)
class NodePackages:
    """What npm put into `folder/node_modules`."""

    folder: Path

    @property
    def commands(self) -> Path:
        """The folder of the commands that they bring."""
        return self.folder / "node_modules" / ".bin"

    @property
    def node(self) -> str:
        """The node to run them with: one that npm brought, if the machine's own is too old."""
        own = self.commands / "node"
        return str(own) if own.exists() else "node"

    @property
    def path(self) -> str:
        """A PATH on which `node` is the one to run them with."""
        return f"{self.commands}{os.pathsep}{os.environ['PATH']}"


def frameworks() -> Path:
    """The folder of the commands of an environment with `FRAMEWORKS`."""
    folder = CACHE / _name("python", sys.version, *FRAMEWORKS)
    commands = folder / "bin"
    with _missing(folder) as is_missing:
        if is_missing:
            _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            pip = [sys.executable, "-m", "pip", "--python", str(commands / "python"), "install"]
            _run([*pip, "--quiet", "--no-compile", "--disable-pip-version-check", *FRAMEWORKS])
    return commands


def agents() -> NodePackages:
    """`AGENTS`, installed if they were not; skips the test where they are not asked for."""
    return _node_packages(AGENTS, AGENTS_NODE)


def makers() -> NodePackages:
    """`MAKERS`, installed if they were not; skips the test where they are not asked for."""
    return _node_packages(MAKERS, MAKERS_NODE)


def _node_packages(packages: Sequence[str], least_node: int) -> NodePackages:
    if not (os.environ.get("CI") or os.environ.get("POEFLASK_TEST_CLIENTS")):
        pytest.skip("clients that come by npm are run by `make clients` and by a CI")
    if _node_version() < least_node:
        packages = (*packages, f"node@{least_node}")
    folder = CACHE / _name("npm", *packages)
    with _missing(folder) as is_missing:
        if is_missing:
            _run(["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", *packages])
    return NodePackages(folder)


@contextmanager
def _missing(folder: Path) -> Iterator[bool]:
    """Whether `folder` is to be filled; it is empty then, and other processes wait meanwhile."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_missing = not (folder / "installed").exists()
        if is_missing:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield is_missing
        (folder / "installed").touch()


def _node_version() -> int:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


def _name(kind: str, *parts: str) -> str:
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
