"""The store in memory, beyond what every store promises."""

from poeflask.stores.memory import MemoryStore


def test_what_has_ended_is_swept_away():
    """Values that nobody asks for again do not fill the memory."""
    now_s = [0.0]
    store = MemoryStore(max_bytes=2**20, clock=lambda: now_s[0])
    for number in range(3000):
        now_s[0] = number
        store.put(f"k{number}", bytes(10), ttl_s=5)

    assert len(store._entries) <= 256 + 5
    assert store._bytes == sum(len(key) + 10 for key in store._entries)
