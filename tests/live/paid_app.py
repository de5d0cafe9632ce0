"""poeflask as it is served, but that one key of Poe's pays for all who bring a gateway key.

The variable LEASE_S shortens how long the places of a dead worker are held.
"""

from __future__ import annotations

import os
from dataclasses import replace

from poeflask.app import create_app
from poeflask.core.caller import Caller
from poeflask.web import limits
from poeflask.web.doorkeeper import Doorkeeper


class Paying:
    """A doorkeeper's callers, each with a key of Poe's."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper

    def caller(self, key: str, address: str) -> Caller:
        """The caller that a key stands for."""
        caller = self._doorkeeper.caller(key, address)
        return replace(caller, poe_key=caller.poe_key or "the-key-that-pays")


limits.LEASE_S = float(os.environ.get("LEASE_S", limits.LEASE_S))
app = create_app()
made = app.extensions["poeflask"]
app.extensions["poeflask"] = replace(made, doorkeeper=Paying(made.doorkeeper))
