"""The setting that names a store is turned into that store."""

import pytest

from poeflask.stores import REDIS_MAX_BYTES, open_contents, open_store
from poeflask.stores.contents import MEMORY_MAX_BYTES
from poeflask.stores.memory import MemoryStore
from poeflask.stores.redis import RedisContents, RedisStore

AWAY = "redis://:hunter2@127.0.0.1:1/0"


def test_a_store_is_opened_by_its_name(tmp_path):
    """`sqlite` is a file in the state folder, `memory` none, a URL is a Redis."""
    store = open_store("sqlite", tmp_path / "state")
    store.put("k", b"kept")
    store.close()

    assert (tmp_path / "state" / "store.db").exists()
    assert isinstance(open_store("memory", tmp_path), MemoryStore)
    assert isinstance(open_store(AWAY, tmp_path), RedisStore)


@pytest.mark.parametrize("url", ["cloud://hunter2", "hunter2", "redis:hunter2"])
def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path, url):
    """The error says what would be right, and nothing of what might be a password."""
    with pytest.raises(ValueError, match='should be "sqlite", "memory" or redis') as caught:
        open_store(url, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_contents_go_where_the_store_is(tmp_path):
    """A file of a clients in one process is found by all others that share the store."""
    open_contents("sqlite", tmp_path, max_bytes=10).put("a", b"x", 9e9)
    in_memory = open_contents("memory", tmp_path, max_bytes=2**60)
    in_redis = open_contents(AWAY, tmp_path, max_bytes=2**60)

    assert b"x" == (tmp_path / "files" / "a").read_bytes()
    assert MEMORY_MAX_BYTES == in_memory._max_bytes
    assert isinstance(in_redis, RedisContents)
    assert REDIS_MAX_BYTES == in_redis._max_bytes
