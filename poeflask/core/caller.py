"""Who asks, as far as anything behind the door needs to know. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from poeflask.core.gateway_key import GatewayKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        owner: the name under which what belongs to the caller is kept; it leads back to no key.
        poe_key: the key of Poe's that the caller brought; empty if the owner of this service pays.
        key_id: the id of the gateway key that the caller brought; empty if it was none.
        key_name: what the owner of this service calls that key; empty if it was none.
        key: all that is known of that key; None if it was none.
    """

    owner: str
    poe_key: str = field(default="", repr=False)
    key_id: str = ""
    key_name: str = ""
    key: GatewayKey | None = None
