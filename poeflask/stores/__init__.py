"""Where shared state is kept: one small interface, and a store for each need."""

from __future__ import annotations

from pathlib import Path

from poeflask.stores.addresses import is_redis
from poeflask.stores.base import Store
from poeflask.stores.contents import (
    FILES_FOLDER,
    MEMORY_MAX_BYTES,
    Contents,
    FolderContents,
    MemoryContents,
)
from poeflask.stores.memory import MemoryStore
from poeflask.stores.sqlite import SqliteStore

REDIS_MAX_BYTES = 2**30
STORE_FILE = "store.db"
"""The name of the store's file in the folder of the state."""


def open_store(url: str, state_dir: Path) -> Store:
    """The store that the setting names. Nothing is opened before its use.

    Args:
        url: "memory", "sqlite", or the URL of a Redis.
        state_dir: the folder of what is kept in files.

    Raises:
        ValueError: there is no such store; a password is not told.
    """
    if url == "memory":
        return MemoryStore()
    if url == "sqlite":
        return SqliteStore(state_dir / STORE_FILE)
    if is_redis(url):
        # A tenth of a second to load, and most services do without it.
        from poeflask.stores.redis import RedisStore

        return RedisStore(url)
    raise ValueError('there is no such store; it should be "sqlite", "memory" or redis://host:6379')


def open_contents(url: str, state_dir: Path, *, max_bytes: int) -> Contents:
    """Where contents that are too large for a store are kept beside it.

    In a Redis, so that all hosts find them, though no more than `REDIS_MAX_BYTES`, since it keeps
    all in memory.

    Args:
        url: as of `open_store`.
        state_dir: as of `open_store`.
        max_bytes: the most that all contents may take together.

    Raises:
        ValueError: as of `open_store`.
    """
    if url == "memory":
        return MemoryContents(max_bytes=min(max_bytes, MEMORY_MAX_BYTES))
    if is_redis(url):
        # As above.
        from poeflask.stores.redis import RedisContents

        return RedisContents(url, max_bytes=min(max_bytes, REDIS_MAX_BYTES))
    return FolderContents(state_dir / FILES_FOLDER, max_bytes=max_bytes)
