"""Programs of other people in front of a live poeflask, each in a folder and home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.conftest import Live, live, simulator

__all__ = ["live", "simulator"]

FILE = "hello.txt"
CONTENT = "good morning"
TASK = f'Create {FILE} with the content "{CONTENT}" and read it back.'
RUN_S = 100.0


@dataclass(frozen=True)
class Desk:
    """Where a program works.

    Attributes:
        live: the poeflask that it is to use.
        folder: its working directory; empty at first.
        home: its home, for its settings.
    """

    live: Live
    folder: Path
    home: Path

    @property
    def base_url(self) -> str:
        """What OpenAI's clients call the base URL."""
        return f"{self.live.url}/v1"

    def run(self, command: Sequence[str | Path], **environment: str) -> str:
        """What the program says; fails the test with all its words if it fails."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env=self._environment(Path(command[0]).parent, environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{command[0]} failed.\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _environment(self, commands: Path, more: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the user's own but the path, so that no setting or key of theirs counts.

        The command's folder comes first: it holds the node that it needs if ours is too old.
        """
        return {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_API_KEY": "any-key",
            **more,
        }


@pytest.fixture
def desk(live: Live, tmp_path: Path) -> Iterator[Desk]:
    """A fresh place to work at; nothing goes on there afterwards."""
    made = Desk(live, tmp_path / "work", tmp_path / "home")
    made.folder.mkdir()
    made.home.mkdir()
    yield made
    end_all_at_home(made.home)


def end_all_at_home(home: Path) -> None:
    """End what a program left running: one of them starts a server that would never end."""
    own = f"HOME={home}".encode()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if own in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGTERM)


@pytest.fixture
def check_done(desk: Desk) -> Callable[[str], None]:
    """Asserts that the task was done: the file is there, and the last words say what is in it."""

    def check(said: str) -> None:
        assert CONTENT == (desk.folder / FILE).read_text().rstrip("\n")
        assert CONTENT in said

    return check
