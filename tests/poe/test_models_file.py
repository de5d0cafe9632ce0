"""models.yaml on a real disk."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from gevent import GreenletExit

from poeflask.poe import changes
from poeflask.poe.models_file import (
    LOCK_WAIT_S,
    LOOK_AGAIN_S,
    EditError,
    ModelsFile,
    StaleEditError,
)
from poeflask.poe.overrides import Overrides, OverridesError, read
from poeflask.poe.yaml_text import MAX_BYTES

HIDDEN = "models: {Echo: {hidden: true}}"


class Clock:
    """Seconds that the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def move(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file may be."""
    return tmp_path / "models.yaml"


def hidden(models: ModelsFile) -> bool:
    """Whether the file hides the Echo, as far as it is in force."""
    return bool(models.overrides().of("echo").hidden)


def test_no_file_changes_nothing(path, clock):
    """Nobody has to write one, and none is made."""
    assert Overrides() == ModelsFile(path, clock).overrides()
    assert not path.exists()


def test_a_change_is_seen_within_a_second(path, clock):
    """A file that appears, changes and goes is followed."""
    models = ModelsFile(path, clock)
    path.write_text(HIDDEN)

    assert not hidden(models)
    clock.move(LOOK_AGAIN_S)
    assert hidden(models)
    path.unlink()
    clock.move(LOOK_AGAIN_S)
    assert not hidden(models)


def test_what_does_not_change_is_the_same_value(path, clock):
    """So that what follows from it need not be made again."""
    path.write_text(HIDDEN)
    models = ModelsFile(path, clock)
    before = models.overrides()
    clock.move(LOOK_AGAIN_S)

    assert before is models.overrides()


def test_a_bad_file_leaves_the_last_good_one_in_force(path, clock):
    """A slip of the pen stops nothing, and is told once."""
    path.write_text(HIDDEN)
    models = ModelsFile(path, clock)
    path.write_text("models: [")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            clock.move(LOOK_AGAIN_S)

            assert hidden(models)

    assert ["bad_models_file"] == [line["event"] for line in logs]
    assert "no YAML" in models.fault()
    path.write_text("models: {}")
    clock.move(LOOK_AGAIN_S)
    assert "" == models.fault()


def test_whoever_starts_with_a_bad_file_has_the_last_good_one_too(path, clock):
    """A restart must not let through what was disabled."""
    path.write_text(HIDDEN)
    ModelsFile(path, clock)
    path.write_text("models: [")
    with structlog.testing.capture_logs() as logs:
        later = ModelsFile(path, clock)

    assert hidden(later)
    assert ["bad_models_file", "last_good_models_file"] == [line["event"] for line in logs]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"#" * (MAX_BYTES + 1)])
def test_a_file_that_cannot_be_read_is_told(path, clock, content):
    """Bytes that are no text are a bad file too, and so are too many."""
    path.write_bytes(content)
    with structlog.testing.capture_logs() as logs:
        assert Overrides() == ModelsFile(path, clock).overrides()

    assert ["bad_models_file"] == [line["event"] for line in logs]


def test_a_large_file_is_read_elsewhere_but_for_the_first_time(path, clock):
    """Requests wait for it only before anything is known."""
    elsewhere = []

    def run(work, text):
        elsewhere.append(len(text))
        return work(text)

    large = HIDDEN + " #" + "x" * 20_000
    path.write_text(large)
    models = ModelsFile(path, clock, run=run)

    assert hidden(models)
    assert [] == elsewhere
    path.write_text(large + "y")
    clock.move(LOOK_AGAIN_S)
    assert hidden(models)
    assert [len(large) + 1] == elsewhere


def test_a_file_whose_reader_was_stopped_is_read_by_the_next(path, clock):
    """A client that leaves while its request reads the file must not hide it from the others."""

    def stopped(work, text):
        raise GreenletExit

    models = ModelsFile(path, clock, run=stopped)
    path.write_text(HIDDEN + " #" + "x" * 20_000)
    for _ in range(2):
        clock.move(LOOK_AGAIN_S)
        with pytest.raises(GreenletExit):
            models.overrides()


def test_an_edit_changes_one_thing_and_counts_at_once(path, clock):
    """Comments stay, nobody else may read the file, and it is whole at any time."""
    path.write_text("# mine\nmodels:\n  Echo:\n    tools: native  # why\n")
    models = ModelsFile(path, clock)
    models.edit(changes.set_fields(["echo"], {"hidden": True}))

    assert (
        "# mine\nmodels:\n  Echo:\n    tools: native  # why\n    hidden: true\n" == path.read_text()
    )
    assert hidden(models)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert {"models.yaml", "models.yaml.lock", ".models.yaml.good"} == set(os.listdir(path.parent))


def test_an_edit_makes_the_file_and_its_folder(tmp_path, clock):
    """The first word of the owner's needs no file to be there."""
    path = tmp_path / "state" / "models.yaml"
    ModelsFile(path, clock).edit(changes.set_fields(["Echo"], {"hidden": True}))

    assert "models:\n  Echo:\n    hidden: true\n" == path.read_text()


def test_an_edit_that_makes_no_sense_is_refused_whole(path, clock):
    """The file is as it was, also if the first of two changes was good."""
    path.write_text(HIDDEN)
    models = ModelsFile(path, clock)
    with pytest.raises(OverridesError, match=r"models\.Echo\.tools"):
        models.edit(
            changes.set_fields(["B"], {"hidden": True}),
            changes.set_fields(["Echo"], {"tools": "some"}),
        )

    assert HIDDEN == path.read_text()


def test_a_bad_file_is_not_edited_but_may_be_replaced(path, clock):
    """Nobody's half-written words are thrown away unseen."""
    path.write_text("models: [")
    models = ModelsFile(path, clock)
    with pytest.raises(OverridesError, match="no YAML"):
        models.edit(changes.set_fields(["Echo"], {"hidden": True}))
    with pytest.raises(OverridesError, match="zap"):
        models.write("zap: 1")

    assert "models: [" == path.read_text()
    models.write(HIDDEN, tag=models.text().tag)
    assert hidden(models)


def test_what_another_wrote_meanwhile_is_not_overwritten(path, clock):
    """Who read the file before must look again; who needs no tag is added to it."""
    path.write_text(HIDDEN)
    models = ModelsFile(path, clock)
    seen = models.text()
    ModelsFile(path, clock).edit(changes.set_fields(["B"], {"hidden": True}))
    for attempt in (
        lambda: models.edit(changes.set_fields(["C"], {"hidden": True}), tag=seen.tag),
        lambda: models.write("models: {}", tag=seen.tag),
    ):
        with pytest.raises(StaleEditError, match="look at it again"):
            attempt()
    after = models.edit(changes.set_fields(["C"], {"hidden": True}))

    assert ["Echo", "B", "C"] == list(read(path.read_text()).bots)
    assert after == models.text()


def test_only_one_edits_at_a_time(path, clock):
    """The other waits, and says so if it waits too long."""
    models = ModelsFile(path, clock, sleep=clock.move)
    models.edit(changes.set_fields(["Echo"], {"hidden": True}))
    with (path.parent / "models.yaml.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(EditError, match="Another process is changing"):
            models.edit(changes.set_fields(["Echo"], {"hidden": None}))

    assert clock.now_s >= LOCK_WAIT_S
    models.edit(changes.set_fields(["Echo"], {"hidden": None}))
    assert not hidden(models)


EDITOR = """
import sys
from pathlib import Path
from poeflask.poe import changes
from poeflask.poe.models_file import ModelsFile

models = ModelsFile(Path(sys.argv[1]))
for number in range(15):
    models.edit(changes.set_fields([f"{sys.argv[2]}{number}"], {"hidden": True}))
"""


def test_edits_of_several_processes_are_all_kept(path):
    """Each adds its bots; none is lost."""
    command = [sys.executable, "-c", EDITOR, str(path)]
    running = [subprocess.Popen([*command, name]) for name in "abc"]

    assert [0, 0, 0] == [process.wait(60) for process in running]
    assert {f"{name}{number}" for name in "abc" for number in range(15)} == set(
        read(path.read_text()).bots
    )


def test_poe2openais_file_is_kept_beside_what_it_becomes(path, clock):
    """The token in it goes no further than that copy."""
    foreign = "enable: true\nmodels: {a: {mapping: b}}\napi_token: canary\n"
    path.write_text(foreign)
    models = ModelsFile(path, clock)
    models.edit(changes.set_fields(["a"], {"tools": "native"}))

    assert "models:\n  a:\n    alias: b\n    hidden: true\n    tools: native\n" == path.read_text()
    kept = path.with_name("models.yaml.poe2openai")
    assert (foreign, 0o600) == (kept.read_text(), stat.S_IMODE(kept.stat().st_mode))


def test_a_link_is_followed(path, clock, tmp_path):
    """What it points to is changed; it stays a link."""
    real = tmp_path / "elsewhere.yaml"
    real.write_text(HIDDEN)
    path.symlink_to(real)
    ModelsFile(path, clock).edit(changes.set_fields(["Echo"], {"hidden": None, "flags": True}))

    assert path.is_symlink()
    assert read(real.read_text()).of("Echo").flags


def test_where_nothing_can_be_written_that_is_told(tmp_path, clock):
    """With what would help."""
    (tmp_path / "file").touch()
    models = ModelsFile(tmp_path / "file" / "models.yaml", clock)
    with pytest.raises(EditError, match="Let poeflask write in"):
        models.edit(changes.set_fields(["Echo"], {"hidden": True}))


def test_the_tag_is_that_of_the_text_in_force(path, clock):
    """Looked at without waiting, so that an edit of what was seen is made on nothing newer."""
    models = ModelsFile(path, clock)
    empty = models.tag()
    path.write_text(HIDDEN)
    tag = models.tag()

    assert empty != tag
    assert hidden(models)
    assert (tag, models.text().tag) == (models.text().tag, models.tag())
    assert (
        models.edit(changes.set_fields(["Mirror"], {"hidden": True}), tag=tag).tag == models.tag()
    )


def test_the_tag_of_a_bad_file_is_not_given(path, clock):
    """Nothing can be edited on it; that of the last good one stays."""
    path.write_text("\ufeff" + HIDDEN)
    models = ModelsFile(path, clock)
    good = models.tag()
    text = models.text().tag
    path.write_text("models: [")

    assert (good, good) == (text, models.tag())
