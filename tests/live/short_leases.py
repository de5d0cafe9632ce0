"""poeflask as it is served, but that LEASE_S says how long the places of a dead worker are held."""

from __future__ import annotations

import os

from poeflask.app import create_app
from poeflask.stores import gates

gates.LEASE_S = float(os.environ.get("LEASE_S", gates.LEASE_S))
app = create_app()
