"""Where shared state is kept: one small interface, and a store for each need."""

from __future__ import annotations

from pathlib import Path

from poeflask.stores.base import Store
from poeflask.stores.memory import MemoryStore
from poeflask.stores.sqlite import SqliteStore


def open_store(url: str, state_dir: Path) -> Store:
    """The store that the setting names: "memory" or "sqlite". Nothing is opened before its use.

    Raises:
        ValueError: there is no such store.
    """
    if url == "memory":
        return MemoryStore()
    if url == "sqlite":
        return SqliteStore(state_dir / "store.db")
    raise ValueError(f'there is no store {url!r}; it should be "sqlite" or "memory"')
