"""Names that other APIs give to models, looked up in Poe's list."""

from __future__ import annotations

from poeflask.poe.catalogue import Catalogue

LISTED = ("Claude-Sonnet-4.5", "GPT-4o", "gpt-4o-2024-05-13")


class EmptyStore(dict):
    """A store where nothing was kept yet."""

    def put(self, key, value, ttl_s=None):
        """Keep it."""
        self[key] = value


def test_a_name_is_resolved_exactly_first():
    """A listed bot is found by its own name, another by what its model is called elsewhere."""
    entries = [{"id": name.lower(), "metadata": {"display_name": name}} for name in LISTED]
    catalogue = Catalogue(lambda: entries, EmptyStore(), ttl_s=60, clock=lambda: 1000.0)
    names = ("CLAUDE-SONNET-4.5", "claude-sonnet-4-5-20250929", "gpt-4o-2024-05-13", "gpt-4o")
    found = [catalogue.resolve(name) for name in names]

    assert ["Claude-Sonnet-4.5", "Claude-Sonnet-4.5", "gpt-4o-2024-05-13", "GPT-4o"] == [
        bot.handle if bot else None for bot in found
    ]
    assert catalogue.resolve("my-private-bot") is None
