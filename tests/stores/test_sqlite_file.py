"""The file of the store goes forward only, can be copied while it is written, and is examined."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from poeflask.stores.base import StoreUnavailable
from poeflask.stores.sqlite import SqliteStore
from poeflask.stores.sqlite_file import (
    MIGRATIONS,
    FileFromLaterError,
    FileInUseError,
    FileNotCopiedError,
    alone,
    copy_file,
    faults,
    identity,
    in_use,
    open_file,
    release,
)

LATER = (*MIGRATIONS, "ALTER TABLE entries ADD COLUMN note TEXT; UPDATE entries SET note = key")

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
def path(tmp_path):
    """A file with one entry, closed."""
    store = SqliteStore(tmp_path / "store.db")
    store.put("k", b"kept")
    store.close()
    return tmp_path / "store.db"


def version(path):
    """The number of a file's form."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_new_file_has_the_newest_form(path):
    """And no copy beside it."""
    assert version(path) == len(MIGRATIONS)
    assert sorted(os.listdir(path.parent)) == ["store.db", "store.db-lock"]


def test_a_file_without_a_number_has_the_first_form(path):
    """As it was before forms were numbered; nothing is lost."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
    store = SqliteStore(path)

    assert store.get("k") == b"kept"
    assert version(path) == len(MIGRATIONS)
    store.close()


def test_an_older_file_is_copied_and_brought_forward(path):
    """The copy is private and has the older form."""
    connection = open_file(path, max_bytes=2**20, migrations=LATER)
    notes = connection.execute("SELECT note FROM entries").fetchall()
    connection.close()
    copy = path.with_name(f"store.db.form-{len(MIGRATIONS)}")

    assert notes == [("k",)]
    assert version(path) == len(LATER)
    assert version(copy) == len(MIGRATIONS)
    assert copy.stat().st_mode & 0o777 == 0o600
    open_file(path, max_bytes=2**20, migrations=LATER).close()


def test_a_step_that_fails_changes_nothing(path):
    """The file keeps its form and all that is in it."""
    broken = (*LATER, "DELETE FROM entries; NONSENSE")
    with pytest.raises(sqlite3.OperationalError, match="NONSENSE"):
        open_file(path, max_bytes=2**20, migrations=broken)
    store = SqliteStore(path)

    assert version(path) == len(MIGRATIONS)
    assert store.get("k") == b"kept"
    store.close()


def test_a_later_file_is_left_alone(path):
    """The sentence tells what to install."""
    open_file(path, max_bytes=2**20, migrations=LATER).close()
    store = SqliteStore(path)

    with pytest.raises(FileFromLaterError, match=f"has form {len(LATER)}"):
        open_file(path, max_bytes=2**20)
    with pytest.raises(StoreUnavailable, match="Install the later version again"):
        store.get("k")
    assert "Install the later version again" in faults(path)
    assert version(path) == len(LATER)


def test_a_copy_is_consistent_while_others_write(path, tmp_path):
    """What was written together is copied together; writers go on meanwhile."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_ON, str(path)], stdout=subprocess.PIPE, text=True
    )
    writer.stdout.readline()
    told = []
    try:
        for number in range(5):
            copy_file(path, tmp_path / f"copy{number}", lambda *done: told.append(done))
    finally:
        writer.kill()
        writer.communicate()
    pairs = []
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"copy{number}")) as connection:
            rows = connection.execute("SELECT value FROM entries WHERE key IN ('a', 'b')")
            pairs.append({int(value) for (value,) in rows})

    assert [1] * 5 == [len(pair) for pair in pairs]
    assert len({min(pair) for pair in pairs}) > 1
    assert all(done <= total for done, total in told)
    assert told[-1][0] == told[-1][1] > 0
    assert faults(tmp_path / "copy0") is None
    assert (tmp_path / "copy0").stat().st_mode & 0o777 == 0o600


def test_a_copy_does_not_replace_anything(path, tmp_path):
    """Nor is there one of what is not there."""
    with pytest.raises(FileExistsError):
        copy_file(path, path)
    with pytest.raises(FileNotCopiedError, match="none cannot be copied"):
        copy_file(tmp_path / "none", tmp_path / "copy")


def test_a_damaged_file_has_a_fault(path):
    """So has one that is none."""
    store = SqliteStore(path)
    for number in range(500):
        store.put(f"k{number}", bytes(500))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))

    assert "damaged" in faults(path) or "cannot be read" in faults(path)
    path.write_bytes(b"rubbish " * 999)
    assert "cannot be read" in faults(path)
    assert "cannot be read" in faults(path.parent / "none")
    path.write_bytes(content)
    assert faults(path) is None


def test_one_is_alone_or_in_use(path):
    """Many may use the store together, nobody while one wants to be alone."""
    first, second = in_use(path), in_use(path)
    with pytest.raises(FileInUseError), alone(path):
        pass
    release(first)
    release(second)
    with alone(path):
        with pytest.raises(FileInUseError):
            in_use(path)
        with pytest.raises(StoreUnavailable, match="open in another process"):
            SqliteStore(path, patience_s=0).get("k")
    release(in_use(path))


def test_a_file_is_told_from_another(path, tmp_path):
    """Also at the same path."""
    before = identity(path)
    copy_file(path, tmp_path / "copy")
    os.replace(tmp_path / "copy", path)

    assert before is not None
    assert identity(path) not in (before, None)
    path.unlink()
    assert identity(path) is None
