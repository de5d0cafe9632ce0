"""Who answers a caller: the real Poe or the simulator, each with a bridge of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from poeflask import __version__
from poeflask.bridge import Bridge, Patience
from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.prompt import Prompt
from poeflask.counting import Counting
from poeflask.filters.chain import Aids, Chain, Wants, chain_for
from poeflask.log_lines import get_logger
from poeflask.poe.attachments import Attachments, reattach
from poeflask.poe.breaker import Breakers, Sensitivity
from poeflask.poe.catalogue import Catalogue
from poeflask.poe.client import PoeClient
from poeflask.poe.keys import PoeKey, PoeKeys
from poeflask.poe.models_file import ModelsFile
from poeflask.poe.noticeboard import Noticeboard
from poeflask.poe.pacing import Pacer
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.poe.spacing import Spacing
from poeflask.poe.turns import Turns
from poeflask.poe.ways import FAULTS_NAMESPACE, PACE_NAMESPACE, Ways
from poeflask.poe.wire import write_query
from poeflask.settings import Settings
from poeflask.stores.base import Store
from poeflask.stores.bounded import BoundedCache
from poeflask.stores.contents import FolderContents
from poeflask.stores.kept_files import KeptFiles
from poeflask.stores.namespace import Namespace
from poeflask.threads import Threads
from poeflask.web.asking import explained, fallbacks_for
from poeflask.web.services import Upstream

_log = get_logger("poeflask")

DEMO_KEY = "demo"
"""The key that the built-in simulator answers."""

_SIMULATED = "simulator"
"""The folder of its files in the folder of the state, which all workers' simulators share."""


class Upstreams:
    """The real Poe and, from its first use on, the simulator of this process.

    Args:
        settings: of the service.
        store: shared by all workers.
        kept: files that clients keep here.
        threads: for work that would hold up other requests.
        counting: counts tokens.
        clock: seconds since 1970.
        new_id: an id that cannot be guessed, behind the given prefix.

    Attributes:
        models_file: what the owner says of models.
        keys: those of Poe that pay for callers who bring none.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        kept: KeptFiles,
        threads: Threads,
        counting: Counting,
        *,
        clock: Callable[[], float],
        new_id: Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._kept = kept
        self._threads = threads
        self._counting = counting
        self._clock = clock
        self._new_id = new_id
        self.models_file = ModelsFile(settings.state_dir / "models.yaml", run=threads.run)
        self._setups = Turns(
            settings.setups, max_waiting=settings.queue, max_wait_s=settings.queue_wait_s
        )
        client = self._client(settings.poe_base_url, settings.poe_file_upload_url)
        self._client_of_poe = client
        self._board = Noticeboard(Namespace(store, FAULTS_NAMESPACE, on_failure="forget"))
        pacer = self._pacer()
        self.keys = PoeKeys(
            [PoeKey(one.name, one.key, one.weight) for one in settings.keys_of_poe],
            self._board,
            client.balance,
            wait_s=pacer.wait_s,
            sent_last_minute=pacer.sent_last_minute,
        )
        breakers = Breakers(self._board, Sensitivity(failures=settings.breaker_failures))
        spacing = Spacing(
            Namespace(store, PACE_NAMESPACE, on_failure="forget"),
            least_s=settings.rate_limit_ms / 1000,
            max_wait_s=settings.queue_wait_s,
        )
        ways = Ways(keys=self.keys, breakers=breakers, pacer=pacer, spacing=spacing)
        self._poe = self._make("poe", client, ways)
        self._demo: Upstream | None = None

    def upstream_for(self, caller: Caller) -> Upstream:
        """The Poe that answers a caller."""
        if not (self._settings.simulator_enabled and self._pays_with(caller) == {DEMO_KEY}):
            return self._poe
        if self._demo is None:
            self._demo = self._simulated()
        return self._demo

    def _simulated(self) -> Upstream:
        """The simulator, which begins to listen."""
        # Heavy, and of no use where nobody asks with the demo key.
        from poeflask.simulator.app import MAX_SHELF_BYTES, create_simulator
        from poeflask.simulator.server import SimulatorServer
        from poeflask.simulator.shelf import SharedShelf

        settings = self._settings
        folder = FolderContents(settings.state_dir / _SIMULATED, max_bytes=MAX_SHELF_BYTES)
        # As long as anybody may believe that a file was uploaded; a store that each worker has for
        # itself makes nobody believe what others did.
        shared = SharedShelf(folder, ttl_s=settings.upload_cache_ttl_s)
        shelf = None if settings.store_url == "memory" else shared
        server = SimulatorServer(app=create_simulator(shelf=shelf))
        client = self._client(server.start(), server.upload_url)
        only = PoeKeys([PoeKey("simulator", DEMO_KEY, 1)], self._board, client.balance)
        return replace(
            self._make("simulator", client, Ways(keys=only)),
            open_file=lambda url: client.open_file(server.own_link(url)),
            fetch=lambda url: client.fetch(server.own_link(url)),
        )

    def _pays_with(self, caller: Caller) -> set[str]:
        """The keys of Poe's that may pay for a caller; the simulator's, if there are none."""
        if caller.poe_key:
            return {caller.poe_key}
        return {one.key for one in self._settings.keys_of_poe} or {DEMO_KEY}

    def catalogue_state(self) -> str:
        """What is known of the bots: "fresh", "stale", "missing", or only "simulated" ones."""
        state = self._poe.catalogue.state()
        return "simulated" if state == "missing" and self._settings.simulator_enabled else state

    def connections(self) -> tuple[int, int]:
        """How many connections to the real Poe are idle, and how many are not."""
        return self._client_of_poe.connections()

    def usage_history(self, key: str, *, limit: int, after: str) -> list[dict[str, Any]]:
        """What the real Poe says that a key was charged for."""
        return self._client_of_poe.usage_history(key, limit=limit, after=after)

    def _pacer(self) -> Pacer:
        settings = self._settings
        return Pacer(
            Namespace(self._store, PACE_NAMESPACE, on_failure="forget"),
            per_minute=settings.poe_requests_per_minute,
            workers=settings.workers,
            max_waiting=settings.queue,
            max_wait_s=settings.queue_wait_s,
        )

    def _client(self, base_url: str, upload_url: str) -> PoeClient:
        settings = self._settings
        return PoeClient(
            base_url=base_url,
            upload_url=upload_url,
            connect_timeout_s=settings.connect_timeout_s,
            idle_timeout_s=settings.idle_timeout_s,
            proxy=settings.proxy_url,
            pool_size=settings.worker_connections,
            user_agent=f"poeflask/{__version__}",
            on_unknown=_unknown_event,
        )

    def _make(self, name: str, client: PoeClient, ways: Ways) -> Upstream:
        settings = self._settings
        listed = Catalogue(
            client.models,
            Namespace(self._store, f"catalogue:{name}", on_failure="forget"),
            ttl_s=settings.catalogue_ttl_s,
            clock=self._clock,
        )
        catalogue = ShownCatalogue(listed, self.models_file)
        attachments = Attachments(
            client,
            BoundedCache(
                self._store, f"uploads:{name}", max_bytes=settings.upload_cache_mb * 10**6
            ),
            lookup=self._kept.lookup,
            max_bytes=settings.max_upload_bytes,
            content_ttl_s=settings.upload_cache_ttl_s,
        )
        aids = Aids(
            count=self._counting.count,
            count_prompt=self._counting.count_prompt,
            repair=lambda text: self._threads.run(json_text.repaired, text),
            new_call_id=lambda: self._new_id("call_"),
            tools_mode=settings.tools_mode,
        )

        def make_chain(prompt: Prompt, wants: Wants) -> Chain:
            return chain_for(prompt, catalogue.profile(prompt.bot), wants, aids)

        def prepare(prompt: Prompt, owner: str, key: str) -> Prompt:
            if settings.reattach_pictures == "on":
                prompt = reattach(prompt)
            return attachments.attach(prompt, owner=owner, key=key)

        def for_bot(prompt: Prompt, bot: str) -> Prompt:
            """The prompt for another bot, without the parameters that only the first one knows."""
            declared = catalogue.profile(bot).parameters
            known = {name: value for name, value in prompt.parameters.items() if name in declared}
            return replace(prompt, bot=bot, parameters=known)

        bridge = Bridge(
            ask=lambda prompt, key, sent: client.query(prompt.bot, write_query(prompt), key, sent),
            prepare=prepare,
            make_chain=make_chain,
            patience=Patience(
                tries=settings.tries,
                longest_wait_s=settings.retry_wait_max_s,
                total_s=settings.total_timeout_s,
            ),
            ways=ways,
            setups=self._setups,
            most_replies=settings.max_answers,
            fallbacks=lambda bot, caller: fallbacks_for(caller, catalogue, bot),
            for_bot=for_bot,
            explain=lambda error, bot, caller: explained(error, bot, caller, catalogue),
        )
        return Upstream(
            bridge=bridge, catalogue=catalogue, open_file=client.open_file, fetch=client.fetch
        )


def _unknown_event(name: str) -> None:
    _log.warning("unknown_poe_event", event_name=name[:100])
