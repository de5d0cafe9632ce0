"""The setting that names a store is turned into that store."""

import pytest

from poeflask.stores import open_store
from poeflask.stores.memory import MemoryStore


def test_a_store_is_opened_by_its_name(tmp_path):
    """`sqlite` is a file in the state folder, `memory` none."""
    store = open_store("sqlite", tmp_path / "state")
    store.put("k", b"kept")
    store.close()

    assert (tmp_path / "state" / "store.db").exists()
    assert isinstance(open_store("memory", tmp_path), MemoryStore)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    """The error says what would be right."""
    with pytest.raises(ValueError, match='should be "sqlite" or "memory"'):
        open_store("cloud", tmp_path)
