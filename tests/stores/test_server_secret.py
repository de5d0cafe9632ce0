"""The secret under which keys are hashed."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from poeflask.core.errors import ErrorKind, OwnError
from poeflask.stores.memory import MemoryStore
from poeflask.stores.server_secret import SecretInFile, SecretInStore, open_secret


def test_a_file_s_secret_is_made_once_and_for_its_owner_alone(tmp_path):
    """Whoever comes next reads the same; nothing else is left lying about."""
    path = tmp_path / "state" / "secret"
    first = SecretInFile(path).read()

    assert 32 == len(first[0])
    assert first == SecretInFile(path).read()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(path.parent.iterdir())


def test_of_many_who_make_the_file_one_does(tmp_path):
    """All get the same secret."""
    with ThreadPoolExecutor(8) as pool:
        secrets = [pool.submit(SecretInFile(tmp_path / "secret").read) for _ in range(32)]

    assert 1 == len({secret.result() for secret in secrets})


def test_a_store_s_secret_is_made_once():
    """For all who share the store."""
    store = MemoryStore()

    assert SecretInStore(store).read() == SecretInStore(store).read()
    assert SecretInStore(store).read() != SecretInStore(MemoryStore()).read()


def test_the_first_line_is_the_newest(tmp_path):
    """Further ones still check what they hashed."""
    path = tmp_path / "secret"
    path.write_text(f"{'ab' * 32}\n{'cd' * 32}\n")

    assert (b"\xab" * 32, b"\xcd" * 32) == SecretInFile(path).read()


@pytest.mark.parametrize("text", ["", "short\n", "ab" * 16, "ä" * 64, f"{'ab' * 32}\nx\n"])
def test_a_spoilt_secret_is_no_secret(tmp_path, text):
    """Nobody gets in by it, and it is not replaced: that would end every key."""
    path = tmp_path / "secret"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OwnError) as caught:
        SecretInFile(path).read()

    assert ErrorKind.BUSY == caught.value.kind
    assert text == path.read_text(encoding="utf-8")


def test_a_spoilt_secret_in_a_store_is_no_secret():
    """As in a file."""
    store = MemoryStore()
    store.put("server-secret/secret", b'"short"')
    with pytest.raises(OwnError):
        SecretInStore(store).read()


def test_the_secret_lies_where_all_who_need_it_can_read_it(tmp_path):
    """Beside the file of one machine; within what several share."""
    store = MemoryStore()
    open_secret(store, tmp_path, shared=True).read()
    beside = list(tmp_path.iterdir())
    open_secret(store, tmp_path, shared=False).read()

    assert ([], [tmp_path / "secret"]) == (beside, list(tmp_path.iterdir()))
