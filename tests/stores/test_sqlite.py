"""The store in a file: shared between processes, private to its owner, never long in the way."""

import os
import sqlite3
import stat
import subprocess
import sys
import time

import gevent
import pytest

from poeflask.core.errors import OwnError
from poeflask.stores.base import Lease, StoreUnavailable, Total, Window
from poeflask.stores.namespace import Namespace
from poeflask.stores.sqlite import SqliteStore
from poeflask.stores.sqlite_file import WAL_MAX_BYTES, companions

ADD_MANY = """
import pathlib, sys
from poeflask.stores.sqlite import SqliteStore
store = SqliteStore(pathlib.Path(sys.argv[1]), patience_s=30)
print(max(store.add("n", 1, ttl_s=600) for _ in range(200)))
"""

TAKE_MANY = """
import pathlib, sys
from poeflask.stores.base import Lease, Total, Window
from poeflask.stores.sqlite import SqliteStore
store = SqliteStore(pathlib.Path(sys.argv[1]), patience_s=30)
name = sys.argv[2]
claims = [Window("w", 1, 100, 600), Total("t", 1, 150, 600), Lease("l", name, 5, 600)]
print(sum(store.take(claims).refused is None for _ in range(50)))
"""


@pytest.fixture
def path(tmp_path):
    """Where the file will be; its folder is not there yet."""
    return tmp_path / "state" / "store.db"


@pytest.fixture
def store(path):
    """A store that gives up soon."""
    made = SqliteStore(path, patience_s=0.1)
    yield made
    made.close()


def test_additions_of_several_processes_are_all_counted(path, store):
    """Nothing is lost between processes that begin at once on a file that is not there."""
    workers = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(path)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    last = [int(worker.communicate()[0]) for worker in workers]

    assert store.get("n") == b"600"
    assert max(last) == 600


def test_processes_that_take_at_once_take_no_more_than_there_is(path, store):
    """Eight processes want four times the limit; five of them have places and get it."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE_MANY, str(path), f"h{number}"], stdout=subprocess.PIPE
        )
        for number in range(8)
    ]
    granted = [int(worker.communicate()[0]) for worker in workers]
    used = store.take(
        [Window("w", 0, None, 600), Total("t", 0, None, 600), Lease("l", "h0", None, 600)]
    ).used

    assert sum(granted) == 100
    assert used[:2] == (100, 100)
    assert used[2] <= 6
    assert sum(number > 0 for number in granted) <= 5


def test_the_files_are_their_owners_alone(path, store):
    """No other user of the machine can read what is kept, in any of the files."""
    store.put("k", b"secret")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == dict.fromkeys(
        ["store.db", "store.db-wal", "store.db-shm", "store.db-lock"], 0o600
    )
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nothing_is_opened_before_it_is_used(path):
    """A store can be made before a fork, since it has no connection yet."""
    SqliteStore(path)

    assert not path.parent.exists()


def test_a_forked_process_opens_its_own_connection(store):
    """A child neither uses nor closes the connection of its parent."""
    store.put("k", b"parent")
    child = os.fork()
    if child == 0:
        right = store.get("k") == b"parent"
        store.put("k", b"child")
        os._exit(0 if right and len(store._of_other_processes) == 1 else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert store.get("k") == b"child"


def test_what_is_kept_outlives_the_process(path, store):
    """Another store on the same file finds it."""
    store.put("k", b"kept")
    store.close()
    again = SqliteStore(path)

    assert again.get("k") == b"kept"
    again.close()


def test_a_lock_that_stays_is_told(path, store):
    """A database that somebody holds is given up after the patience, reads go on."""
    store.put("k", b"one")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=f"locked. `fuser -v {path}` names"):
            store.put("k", b"two")

        assert store.get("k") == b"one"
        other.execute("ROLLBACK")
    other.close()
    store.put("k", b"three")
    assert store.get("k") == b"three"


def test_others_run_while_one_waits_for_a_lock(path):
    """Waiting for the database sleeps, and what is waited for is then done."""
    store = SqliteStore(path)
    store.put("k", b"one")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = gevent.spawn(store.put, "k", b"two")
    gevent.sleep(0.05)
    other.execute("COMMIT")
    other.close()
    waiting.get(timeout=5)

    assert store.get("k") == b"two"
    store.close()


def test_a_file_that_is_no_database_is_told(path, store):
    """Rubbish in the place of the file is an unreachable store, not a crash."""
    path.parent.mkdir()
    path.write_bytes(b"rubbish " * 1000)

    with pytest.raises(StoreUnavailable, match="not a database") as caught:
        store.get("k")
    assert "poeflask restore FILE" in str(caught.value)
    path.unlink()
    store.put("k", b"new")
    assert store.get("k") == b"new"


def test_a_damaged_file_is_told_and_can_be_exchanged(path, store):
    """The sentence says what to do; what runs goes on with what is put in its place."""
    for number in range(2000):
        store.put(f"k{number}", bytes(500))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    words = []
    for number in range(0, 2000, 100):
        with pytest.raises(StoreUnavailable) as caught:
            store.get(f"k{number}")
        words.append(str(caught.value))
    path.write_bytes(content)

    assert all("is damaged" in text and "poeflask restore FILE" in text for text in words)
    assert store.get("k1000") == bytes(500)


def test_a_file_that_is_deleted_or_replaced_is_noticed(tmp_path, path, store):
    """Nobody goes on with a file that is no longer there, in whatever process."""
    other = SqliteStore(path)
    store.put("k", b"old")
    assert other.get("k") == b"old"
    path.unlink()
    deleted = store.get("k"), other.get("k")
    store.put("k", b"new")
    found = other.get("k")
    replacing = SqliteStore(tmp_path / "other" / "store.db")
    replacing.put("k", b"replaced")
    replacing.close()
    for left_over in companions(path):
        left_over.unlink()
    os.replace(tmp_path / "other" / "store.db", path)

    assert (deleted, found) == ((None, None), b"new")
    assert (store.get("k"), other.get("k")) == (b"replaced", b"replaced")
    store.put("k", b"more")
    assert other.get("k") == b"more"
    other.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """So is a folder that is no folder."""
    (tmp_path / "file").write_text("")
    store = SqliteStore(tmp_path / "file" / "store.db")

    with pytest.raises(StoreUnavailable, match=r"(File exists|Not a directory).*set CONFIG_DIR"):
        store.get("k")


def test_the_log_of_writes_stays_small(path, store):
    """However much is written; it is written into the file and begins anew."""
    for _ in range(600):
        store.put("k", bytes(100_000))
    wal, _ = companions(path)

    assert wal.stat().st_size < 8 * 2**20
    assert path.stat().st_size < 2**20


def test_the_log_of_writes_is_short_again_after_a_long_read(path, store):
    """Somebody who reads for long lets it grow; afterwards it is cut."""
    store.put("k", b"")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchone()
    for _ in range(200):
        store.put("k", bytes(100_000))
    wal, _ = companions(path)
    grown = wal.stat().st_size
    reader.execute("COMMIT")
    reader.close()
    for _ in range(10):
        store.put("k", b"")

    assert grown > 2 * WAL_MAX_BYTES
    assert wal.stat().st_size <= WAL_MAX_BYTES


def test_a_full_file_still_takes_what_can_be_forgotten(path):
    """What must stay is refused, what forgets goes on, and what is there can be read."""
    store = SqliteStore(path, max_bytes=2**20)
    keys = Namespace(store, "keys", on_failure="refuse")
    uploads = Namespace(store, "uploads", on_failure="forget")
    refused = 0
    for number in range(600):
        try:
            keys.put(f"k{number}", "x" * 2000)
        except OwnError:
            refused += 1
    uploads.put("u", "x" * 50_000)

    assert 0 < refused < 300
    assert keys.get("k0") == "x" * 2000
    assert uploads.get("u") is None
    assert path.stat().st_size <= 2**20
    for number in range(20):
        keys.delete(f"k{number}")
    keys.put("new", "x" * 1000)
    assert keys.get("new") == "x" * 1000
    store.close()


FILL = """
import pathlib, resource, sys
from poeflask.core.errors import OwnError
from poeflask.stores.namespace import Namespace
from poeflask.stores.sqlite import SqliteStore
store = SqliteStore(pathlib.Path(sys.argv[1]))
keys = Namespace(store, "keys", on_failure="refuse")
uploads = Namespace(store, "uploads", on_failure="forget")
keys.put("first", 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))
refused = 0
for number in range(300):
    uploads.put(f"u{number}", "x" * 9000, ttl_s=600)
    try:
        keys.put(f"k{number}", "x" * 9000)
    except OwnError:
        refused += 1
found = keys.get("first")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
keys.put("last", 2)
print(refused > 0, found, keys.get("last"))
"""


def test_a_full_file_says_how_large_it_may_be(path):
    """Whoever reads it knows whether the disk or the file is too small."""
    store = SqliteStore(path, max_bytes=2**20)
    with pytest.raises(StoreUnavailable, match="Make room on its disk; it may itself grow to 1 Mi"):
        store.put("k", bytes(2**21))
    store.close()


def test_a_full_disk_is_survived(path):
    """While nothing can be written, reads go on; when there is room again, so do writes."""
    command = [sys.executable, "-c", FILL, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "True 1 2"


def test_what_has_ended_goes_without_writes(path):
    """Who only reads sweeps too, once a minute; a lock of somebody else holds up no read."""
    now_s = [1000.0]
    store = SqliteStore(path, clock=lambda: now_s[0], patience_s=5)
    for number in range(20):
        store.put(f"k{number}", b"", ttl_s=5)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        now_s[0] += 61
        started_s = time.monotonic()
        store.get("k")
        took_s = time.monotonic() - started_s
        other.execute("COMMIT")
        now_s[0] += 61
        store.get("k")
        (rows,) = other.execute("SELECT count(*) FROM entries").fetchone()
    other.close()
    store.close()

    assert took_s < 1
    assert rows == 0


def test_what_has_ended_is_swept_away(path):
    """Values that nobody asks for again do not fill the file; each sweep is small."""
    now_s = [0.0]
    store = SqliteStore(path, clock=lambda: now_s[0])
    for number in range(400):
        now_s[0] = float(number)
        store.put(f"k{number}", b"", ttl_s=5)
    with sqlite3.connect(path) as other:
        (rows,) = other.execute("SELECT count(*) FROM entries").fetchone()
    other.close()

    assert rows <= 64 + 5
    store.close()
