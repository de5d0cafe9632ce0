"""models.yaml on a real disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from poeflask.core.profile import Profile
from poeflask.poe.models_file import LOOK_AGAIN_S, ModelsFile

ECHO = Profile(bot="Echo")
BUFFERED = Profile(bot="Echo", buffered=True)


class Clock:
    """Seconds that the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file may be."""
    return tmp_path / "models.yaml"


def test_no_file_changes_nothing(path, clock):
    """Nobody has to write one."""
    assert ECHO is ModelsFile(path, clock).applied(ECHO)


def test_a_change_is_seen_within_a_second(path, clock):
    """A file that appears, changes and goes is followed; names are found in any case."""
    models = ModelsFile(path, clock)
    models.applied(ECHO)
    path.write_text("models: {eCHO: {buffered: true}}")

    assert ECHO is models.applied(ECHO)
    clock.now_s += LOOK_AGAIN_S
    assert BUFFERED == models.applied(ECHO)
    path.unlink()
    clock.now_s += LOOK_AGAIN_S
    assert ECHO is models.applied(ECHO)


def test_a_bad_file_leaves_the_last_good_one_in_force(path, clock):
    """A slip of the pen stops nothing, and is told once."""
    models = ModelsFile(path, clock)
    path.write_text("models: {Echo: {buffered: true}}")
    models.applied(ECHO)
    path.write_text("models: [")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            clock.now_s += LOOK_AGAIN_S

            assert BUFFERED == models.applied(ECHO)

    assert ["bad_models_file"] == [line["event"] for line in logs]


def test_a_file_that_cannot_be_read_is_told(path, clock):
    """Bytes that are no text are a bad file too."""
    path.write_bytes(b"\xff\xfe\x00")
    with structlog.testing.capture_logs() as logs:
        assert ECHO is ModelsFile(path, clock).applied(ECHO)

    assert 1 == len(logs)
