"""What the views need, made once by `app.create_app` and looked up in a view, never deeper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from flask import current_app

from poeflask.bridge import Bridge
from poeflask.core.caller import Caller
from poeflask.core.prompt import Prompt
from poeflask.embedder import Embedder
from poeflask.poe.client import OpenFile
from poeflask.poe.keys import PoeKeys
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.base import Store
from poeflask.stores.kept_files import KeptFiles
from poeflask.threads import Threads
from poeflask.web.background import Background
from poeflask.web.doorkeeper import Doorkeeper
from poeflask.web.limits import Limits
from poeflask.web.metering import Metering

_NAME = "poeflask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A Poe to ask: the real one, or the simulator.

    Attributes:
        bridge: asks its bots.
        catalogue: the bots that it lists, as the owner wants them shown.
        open_file: a file that one of its bots gave, to be read piece by piece.
        fetch: such a file whole, and its media type.
    """

    bridge: Bridge
    catalogue: ShownCatalogue
    open_file: Callable[[str], OpenFile]
    fetch: Callable[[str], tuple[bytes, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts and plain values that views work with.

    Attributes:
        doorkeeper: knows callers by their keys.
        limits: what they may ask for.
        upstream_for: the Poe that answers a caller.
        poe_keys: the owner's keys of Poe's, for callers who bring none.
        models_file: what the owner says of models, to be read and changed.
        store: where shared state is kept.
        files: what clients keep here.
        max_file_bytes: the largest file that is taken.
        moderation_bot: the name of the bot that judges for /v1/moderations, or empty.
        threads: for work that would hold up other requests.
        embedder: makes vectors, in one of these threads.
        count_prompt: begins to count a prompt's tokens; what it gives waits for the number.
        clock: seconds since 1970.
        new_id: an id that cannot be guessed, behind the given prefix.
        heartbeat_s: how long a stream may be silent before it is kept alive; 0 for never.
        first_event_wait_s: how long to wait for the answer to begin before a stream is opened.
        skip_system_prompt: whether bots leave their own persona aside; "auto" if the client sends
            a system message.
        example_key: a key that works here without an account, or empty.
        local_key: the Poe key of those requests of this machine's programs that bring none, for
            APIs that know no keys; empty if they are refused.
        catalogue_state: what is known of the bots: "fresh", "stale", "missing" or "simulated".
        background: reads answers that nobody waits for.
        metering: looks on at every answer; knows the ledger, the recordings, what is live, and the
            metrics.
        metrics_token: who brings it may read the metrics from anywhere; empty for nobody.
        behind_proxies: whether the addresses that proxies tell are believed.
    """

    doorkeeper: Doorkeeper
    limits: Limits
    upstream_for: Callable[[Caller], Upstream]
    poe_keys: PoeKeys
    models_file: ModelsFile
    store: Store
    files: KeptFiles
    max_file_bytes: int
    moderation_bot: str
    threads: Threads
    embedder: Embedder
    count_prompt: Callable[[Prompt], Callable[[], int]]
    clock: Callable[[], float]
    new_id: Callable[[str], str]
    heartbeat_s: float
    first_event_wait_s: float
    skip_system_prompt: Literal["auto", "always", "never"]
    example_key: str
    local_key: str
    catalogue_state: Callable[[], str]
    background: Background
    metering: Metering
    metrics_token: str
    behind_proxies: bool


def install(services: Services) -> None:
    """Give the current app its services."""
    current_app.extensions[_NAME] = services


def services() -> Services:
    """The services of the app that handles the current request."""
    return cast("Services", current_app.extensions[_NAME])
