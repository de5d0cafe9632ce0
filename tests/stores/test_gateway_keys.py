"""Issued, found, changed, rotated, revoked."""

from contextlib import closing

import pytest

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.core.gateway_key import KeyFaultError, KeyLimits
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.gateway_keys import SEEN_WITHIN_S, GatewayKeys
from poeflask.stores.memory import MemoryStore
from poeflask.stores.server_secret import SecretInStore
from poeflask.stores.sqlite import SqliteStore


class Counting(MemoryStore):
    """A store that counts how often it is read, and can be away."""

    reads = 0
    away = False

    def get(self, key):
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return super().get(key)


class Clock:
    """A clock that moves only when it is told to."""

    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    """The time of both workers."""
    return Clock()


@pytest.fixture
def store():
    """What both workers share."""
    return Counting()


@pytest.fixture
def worker(store, clock):
    """Gives a worker's view of the keys."""
    return lambda: GatewayKeys(store, SecretInStore(store), clock=clock, monotonic=clock)


def test_a_key_is_told_once_and_found_by_all(worker):
    """What it may do is found with it."""
    key, text = worker().issue({"name": "Anna", "concurrent": 2})
    found = worker().find(text)

    assert key == found
    assert ("Anna", 100.0, KeyLimits(concurrent=2)) == (key.name, key.created_s, key.limits)
    assert text.startswith(f"pf-{key.id}-")
    assert (text[-4:], 48) == (key.last4, len(text.split("-")[2]))


def test_of_a_key_only_a_hash_is_kept(worker, store):
    """Neither the key nor its secret part stands in the store."""
    _, text = worker().issue({"name": "Anna"})
    kept = b"".join(value for _, value in store.items("", limit=99))

    assert text.rpartition("-")[2].encode() not in kept


def test_what_is_no_key_is_not_found(worker, store):
    """Neither a guess at the secret part, nor another form of the text."""
    keys = worker()
    _, text = keys.issue({"name": "Anna"})
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    reads = store.reads

    assert [None] * 6 == [
        keys.find(guess)
        for guess in ("", "pf-", text + "0", text.upper(), text + "\n", "pf-" + "0" * 60)
    ]
    assert reads == store.reads
    assert keys.find(wrong) is None
    assert keys.find("pf-" + "0" * 12 + text[15:]) is None


def test_a_key_is_read_once_a_second(worker, store, clock):
    """However often it is brought, with the right text or a wrong one."""
    keys = worker()
    _, text = keys.issue({"name": "Anna"})
    keys.find(text)
    reads = store.reads
    for _ in range(50):
        keys.find(text)
        keys.find(text[:-1] + "x")
    within = store.reads - reads
    clock.now_s += SEEN_WITHIN_S
    keys.find(text)

    assert (0, 1) == (within, store.reads - reads)


def test_every_worker_sees_a_change_within_a_second(worker, clock):
    """A key that is switched off, revoked or rotated."""
    one, other = worker(), worker()
    key, text = one.issue({"name": "Anna"})
    other.find(text)
    one.change(key.id, {"disabled": True})
    clock.now_s += SEEN_WITHIN_S
    disabled = other.find(text).disabled
    _, new_text = one.rotate(key.id)
    clock.now_s += SEEN_WITHIN_S
    rotated = (other.find(text), other.find(new_text).id)
    revoked = one.revoke(key.id)
    clock.now_s += SEEN_WITHIN_S

    assert (True, (None, key.id), True) == (disabled, rotated, revoked)
    assert [None, None] == [one.find(new_text), other.find(new_text)]
    assert (False, None, None) == (
        one.revoke(key.id),
        one.rotate(key.id),
        one.change(key.id, {"disabled": True}),
    )


def test_a_rotated_key_stays_what_it_is(worker):
    """Only its text is another."""
    keys = worker()
    key, text = keys.issue({"name": "Anna", "tokens_per_day": 9})
    rotated, new_text = keys.rotate(key.id)

    assert text != new_text
    assert (key.id, key.limits, new_text[-4:]) == (rotated.id, rotated.limits, rotated.last4)


def test_a_worker_knows_whom_it_has_seen(worker, clock, store):
    """Also when it would have to ask again, and without asking."""
    keys = worker()
    _, text = keys.issue({"name": "Anna"})
    before = keys.knows(text)
    keys.find(text)
    clock.now_s += 99
    reads = store.reads

    assert [False, True, False] == [before, keys.knows(text), keys.knows(text[:-1] + "x")]
    assert reads == store.reads


def test_all_keys_are_listed_oldest_first(worker, clock):
    """However many there are."""
    keys = worker()
    for number in range(3):
        clock.now_s += 1
        keys.issue({"name": f"k{number}"})

    assert ["k0", "k1", "k2"] == [key.name for key in keys.all()]
    assert keys.all()[1] == keys.get(keys.all()[1].id)
    assert keys.get("none") is None


def test_a_fault_changes_nothing(worker):
    """Neither a key without a name nor a change that cannot be."""
    keys = worker()
    with pytest.raises(KeyFaultError, match="name"):
        keys.issue({})
    key, _ = keys.issue({"name": "Anna"})
    with pytest.raises(KeyFaultError, match="concurrent"):
        keys.change(key.id, {"name": "Bert", "concurrent": 0})

    assert [key] == keys.all()


def test_nobody_is_let_in_by_a_store_that_is_away(worker, store, clock):
    """It is an error of ours, not of the key's."""
    keys = worker()
    _, text = keys.issue({"name": "Anna"})
    keys.find(text)
    clock.now_s += SEEN_WITHIN_S
    store.away = True
    with pytest.raises(OwnError) as caught:
        keys.find(text)

    assert ErrorKind.BUSY == caught.value.kind


def test_an_old_secret_still_checks(store, tmp_path):
    """A new line before it hashes what is new."""

    class Secrets:
        """Lines of a file."""

        lines = (b"old",)

        def read(self):
            return self.lines

    secret = Secrets()
    _, old = GatewayKeys(store, secret).issue({"name": "old"})
    secret.lines = (b"new", b"old")
    keys = GatewayKeys(store, secret)
    _, new = keys.issue({"name": "new"})

    assert ["old", "new"] == [keys.find(text).name for text in (old, new)]
    secret.lines = (b"new",)
    keys = GatewayKeys(store, secret)
    assert (None, "new") == (keys.find(old), keys.find(new).name)


def test_keys_live_in_a_file_too(tmp_path):
    """As the command and the workers share it."""
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as command, closing(SqliteStore(path)) as worker:
        secret = SecretInStore(command)
        key, text = GatewayKeys(command, secret).issue({"name": "Anna"})

        assert key == GatewayKeys(worker, secret).find(text)
