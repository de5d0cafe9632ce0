"""Clients of the makers of the two great APIs, installed once by npm into the cache folder.

They are run by a node that is new enough for all of them: the machine's own, or else one that npm
brings as a package.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.installed import CACHE, INSTALL_S

PACKAGES = (
    "@anthropic-ai/claude-code@2.1.330",
    "@anthropic-ai/sdk@1.12.0",
    "openai@7.57.0",
    "zod@4.6.7",
)
"""What is installed, all into one folder; the versions are those whose habits are known."""

LEAST_NODE = 22
"""The oldest node that the makers of all of them support."""


@dataclass(frozen=True)
class NodePackages:
    """`PACKAGES` in `folder/node_modules`."""

    folder: Path

    def command(self, name: str) -> Path:
        """A command that one of them brings."""
        return self.folder / "node_modules" / ".bin" / name

    @property
    def node(self) -> str:
        """The node to run them with."""
        own = self.command("node")
        return str(own) if own.exists() else "node"

    @property
    def path(self) -> str:
        """A PATH on which `node` is the one to run them with."""
        return f"{self.command('node').parent}{os.pathsep}{os.environ['PATH']}"


def npm_packages() -> NodePackages:
    """Where the packages are, installed if they were not.

    Skips the test if this machine has no npm, unless the environment says that it is a CI's: there
    a missing part is a failure.
    """
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not installed, so no client made for node is")
    packages = PACKAGES if _node_version() >= LEAST_NODE else (*PACKAGES, f"node@{LEAST_NODE}")
    folder = CACHE / f"npm-{hashlib.sha256(repr(packages).encode()).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _install(folder, packages)
        (folder / "installed").touch()
    return NodePackages(folder)


def _node_version() -> int:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


def _install(folder: Path, packages: Sequence[str]) -> None:
    command = ["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", *packages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
