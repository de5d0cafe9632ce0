"""A backup holds all state, and is restored whole or not at all."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

from poeflask.stores.backup import BackupError, back_up, dated, prune, restore
from poeflask.stores.base import Put
from poeflask.stores.sqlite import SqliteStore
from poeflask.stores.sqlite_file import FileInUseError, open_file

WRITE_ON = """
import pathlib, sys
from poeflask.stores.base import Put
from poeflask.stores.sqlite import SqliteStore
store = SqliteStore(pathlib.Path(sys.argv[1]))
number = 0
while True:
    number += 1
    value = str(number).encode()
    store.write([Put("a", value), Put(f"k{number % 500}", bytes(2000)), Put("b", value)])
    if number == 200:
        print("on", flush=True)
"""


@pytest.fixture
def state(tmp_path):
    """A folder with all sorts of state."""
    folder = tmp_path / "state"
    store = SqliteStore(folder / "store.db")
    store.write([Put("k", b"kept"), Put("end", b"", ttl_s=1e9)])
    store.close()
    (folder / "models.yaml").write_text("bots: {}\n")
    (folder / "session-secret").write_bytes(b"hush")
    (folder / "files").mkdir()
    (folder / "files" / "file-1").write_bytes(bytes(range(256)))
    os.utime(folder / "files" / "file-1", (2e9 + 0.5, 2e9 + 0.5))
    (folder / "files" / "file-2.part").write_bytes(b"half")
    (folder / "large.log").write_bytes(bytes(2**20 + 1))
    (folder / "other").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def found(folder):
    """What a store in the folder has under k."""
    store = SqliteStore(folder / "store.db")
    try:
        return store.get("k")
    finally:
        store.close()


def test_a_backup_is_restored_elsewhere(state, tmp_path):
    """All that must outlive a machine is there, with its times, and for its owner alone."""
    told = []
    file = tmp_path / "b.tar.gz"
    made = back_up(state, file, version="1", progress=lambda *done: told.append(done))
    there = tmp_path / "new" / "state"
    done = restore(there, file)
    names = {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()}

    assert names == {"store.db", "store.db-lock", "models.yaml", "session-secret", "files/file-1"}
    assert found(there) == b"kept"
    assert (there / "session-secret").read_bytes() == b"hush"
    assert (there / "files" / "file-1").read_bytes() == bytes(range(256))
    assert (there / "files" / "file-1").stat().st_mtime == 2e9 + 0.5
    assert {path.stat().st_mode & 0o777 for path in there.rglob("*") if path.is_file()} == {0o600}
    assert file.stat().st_mode & 0o777 == 0o600
    assert (made.files, made.bytes, made.created_s) == (done.files, done.bytes, done.created_s)
    assert made.files == 4
    assert told[-1][0] == told[-1][1] == made.bytes
    assert sorted(os.listdir(tmp_path)) == ["b.tar.gz", "new", "state"]


def test_what_is_replaced_is_kept_beside(state, tmp_path):
    """What came after the backup is put aside, not mixed with it."""
    back_up(state, tmp_path / "b", version="1")
    store = SqliteStore(state / "store.db")
    store.put("k", b"later")
    store.close()
    (state / "later-secret").write_text("new")
    done = restore(state, tmp_path / "b", clock=lambda: 1_800_000_000.0)

    assert done.replaced == state / "before-restore-20270115T080000Z"
    assert found(state) == b"kept"
    assert not (state / "later-secret").exists()
    assert found(done.replaced) == b"later"
    assert (done.replaced / "later-secret").read_text() == "new"
    assert (state / "large.log").exists()
    assert [] == [name for name in os.listdir(state) if name.startswith(".")]


def test_a_service_that_runs_is_not_disturbed(state, tmp_path):
    """Restoring waits for its end; forced, it goes on with what is restored."""
    back_up(state, tmp_path / "b", version="1")
    running = SqliteStore(state / "store.db")
    running.put("k", b"later")
    with pytest.raises(FileInUseError, match="open in another process"):
        restore(state, tmp_path / "b")
    before = running.get("k")
    restore(state, tmp_path / "b", force=True)

    assert before == b"later"
    assert running.get("k") == b"kept"
    running.put("k", b"on")
    assert found(state) == b"on"
    running.close()


def test_a_backup_is_made_while_others_write(tmp_path):
    """What was written together is backed up together."""
    state = tmp_path / "state"
    command = [sys.executable, "-c", WRITE_ON, str(state / "store.db")]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    writer.stdout.readline()
    try:
        back_up(state, tmp_path / "b", version="1")
    finally:
        writer.kill()
        writer.communicate()
    restore(tmp_path / "there", tmp_path / "b")
    store = SqliteStore(tmp_path / "there" / "store.db")

    assert store.get("a") == store.get("b") is not None
    store.close()


def test_an_empty_folder_has_a_backup_too(tmp_path):
    """A state in a Redis leaves little in the folder."""
    (tmp_path / "state").mkdir()
    made = back_up(tmp_path / "state", tmp_path / "b", version="1")

    assert (made.files, made.bytes) == (0, 0)
    assert restore(tmp_path / "state", tmp_path / "b").files == 0


def test_a_backup_that_cannot_be_written_leaves_nothing(state, tmp_path):
    """An older one stays as it is."""
    (tmp_path / "b").write_text("older")
    (state / "store.db").write_bytes(b"rubbish " * 999)
    with pytest.raises(BackupError, match="was not written"):
        back_up(state, tmp_path / "b", version="1")
    with pytest.raises(BackupError, match="was not written"):
        back_up(state, tmp_path / "none" / "b", version="1")

    assert (tmp_path / "b").read_text() == "older"
    assert sorted(os.listdir(tmp_path)) == ["b", "state"]


def archive(path, members, *, listed=True, form=1):
    """A file such as a backup is, with these (name, content or the digit of a type) members."""
    files = {
        name.removeprefix("state/"): [len(content), hashlib.sha256(content).hexdigest()]
        for name, content in members
        if isinstance(content, bytes)
    }
    head = {"form": form, "version": "1", "created_s": 1.0, "files": files}
    more = [("backup.json", json.dumps(head).encode())] if listed else []
    with tarfile.open(path, "w:gz") as tar:
        for name, content in [*members, *more]:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = content.encode(), "/etc/passwd"
                tar.addfile(member)


HOSTILE = {
    "a path upwards": [("state/../../evil", b"x")],
    "a path upwards in a folder": [("state/files/../evil", b"x")],
    "an absolute path": [("/tmp/evil", b"x")],
    "an absolute path in the state": [("state//tmp/evil", b"x")],
    "another folder": [("state/other/evil", b"x")],
    "a hidden file": [("state/.bashrc", b"x")],
    "a file beside the state": [("evil", b"x")],
    "a link": [("state/models.yaml", "2")],
    "a hard link": [("state/models.yaml", "1")],
    "a device": [("state/models.yaml", "3")],
    "a pipe": [("state/models.yaml", "6")],
    "a folder": [("state/files", "5")],
    "a name twice": [("state/models.yaml", b"x"), ("state/models.yaml", b"y")],
    "a file in the place of a folder": [("state/files/a", b"x"), ("state/files", b"x")],
    "a store that is none": [("state/store.db", b"rubbish " * 999)],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_what_no_backup_holds_is_refused(state, tmp_path, members):
    """Nothing is written outside, and nothing inside is touched."""
    archive(tmp_path / "b", members)
    before = {path: path.lstat() for path in tmp_path.rglob("*")}
    with pytest.raises(BackupError):
        restore(state, tmp_path / "b")
    after = {path: path.lstat() for path in tmp_path.rglob("*")}

    assert before.keys() == after.keys()
    assert found(state) == b"kept"


def damaged(path, way):
    """Spoil a good backup."""
    content = path.read_bytes()
    if way == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif way == "flipped":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif way == "no gzip":
        path.write_bytes(gzip.decompress(content))
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "no list":
        archive(path, [("state/models.yaml", b"x")], listed=False)
    elif way == "a later form":
        archive(path, [("state/models.yaml", b"x")], form=2)
    elif way == "another list":
        archive(path, [("state/models.yaml", b"x"), ("backup.json", b"[]")], listed=False)
    elif way == "a huge header":
        header = tarfile.TarInfo("././@PaxHeader")
        header.type, header.size = tarfile.XHDTYPE, 2**32
        path.write_bytes(gzip.compress(header.tobuf() + bytes(2**20)))
    elif way == "a huge file":
        header = tarfile.TarInfo("state/models.yaml")
        header.size = 2**50
        path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)))


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("cut", "no backup|too early|damaged"),
        ("flipped", "no backup|damaged"),
        ("no gzip", "no backup"),
        ("empty", "no backup|too early"),
        ("no list", "ends too early"),
        ("a later form", "Install the later version"),
        ("another list", "cannot be read"),
        ("a huge header", "too large"),
        ("a huge file", "more than there is room for"),
    ],
)
def test_a_damaged_backup_is_refused(state, tmp_path, way, words):
    """Before anything is touched."""
    back_up(state, tmp_path / "b", version="1")
    damaged(tmp_path / "b", way)
    with pytest.raises(BackupError, match=words):
        restore(state, tmp_path / "b")

    assert found(state) == b"kept"
    assert [] == [name for name in os.listdir(state) if name.startswith((".", "before"))]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: content[:-8] + bytes(4) + content[-4:], "CRC check failed"),
        (lambda content: content[:-1], "ended before the end"),
        (lambda content: content + gzip.compress(bytes(2**17)), "goes on behind its end"),
    ],
)
def test_a_backup_is_read_to_its_end(state, tmp_path, spoil, words):
    """Only there gzip says whether all of it is as it was written."""
    back_up(state, tmp_path / "b", version="1")
    (tmp_path / "b").write_bytes(spoil((tmp_path / "b").read_bytes()))
    with pytest.raises(BackupError, match=words):
        restore(state, tmp_path / "b")

    assert found(state) == b"kept"


def test_a_store_of_a_later_version_is_refused(state, tmp_path):
    """It could not be read afterwards."""
    later = ("", *("SELECT 1",) * 9)
    open_file(state / "store.db", max_bytes=2**20, migrations=later).close()
    back_up(state, tmp_path / "b", version="1")
    with pytest.raises(BackupError, match="Install the later version"):
        restore(tmp_path / "there", tmp_path / "b")

    assert os.listdir(tmp_path / "there") == []


def test_the_latest_backups_are_kept(tmp_path):
    """Older ones with a date go, whatever else is there stays."""
    for day in range(5):
        dated(tmp_path, clock=lambda day=day: 1_800_000_000.0 + 86_400 * day).touch()
    (tmp_path / "poeflask-by-hand.tar.gz").touch()
    prune(tmp_path, 2)

    assert sorted(os.listdir(tmp_path)) == [
        "poeflask-20270118T080000Z.tar.gz",
        "poeflask-20270119T080000Z.tar.gz",
        "poeflask-by-hand.tar.gz",
    ]
    prune(tmp_path, 2)
    assert len(os.listdir(tmp_path)) == 3
