"""The composition root: makes every part, joins them, and does nothing else."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypedDict

import gevent
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from poeflask import __version__
from poeflask.admin import routes as admin
from poeflask.admin.parts import Parts as AdminParts
from poeflask.admin.passwords import Passwords
from poeflask.admin.sessions import Sessions
from poeflask.admin.setup_links import SetupLinks
from poeflask.admin.throttle import Throttle
from poeflask.bridge import Bridge, Patience
from poeflask.core import json_text
from poeflask.core.caller import Caller
from poeflask.core.dialect import ErrorShape, google_error, ollama_error
from poeflask.core.ledger_row import LedgerRow
from poeflask.core.prompt import Prompt
from poeflask.core.tokens import TokenCounter, letters
from poeflask.embedder import Embedder
from poeflask.endpoints.audio.routes import audio
from poeflask.endpoints.chat.routes import chat
from poeflask.endpoints.completions.routes import completions
from poeflask.endpoints.embeddings.routes import embeddings
from poeflask.endpoints.files.routes import files
from poeflask.endpoints.gemini.routes import gemini
from poeflask.endpoints.health.routes import health
from poeflask.endpoints.home.routes import home
from poeflask.endpoints.images.routes import images
from poeflask.endpoints.messages.routes import messages
from poeflask.endpoints.metrics.routes import metrics
from poeflask.endpoints.models.routes import models
from poeflask.endpoints.moderations.routes import moderations
from poeflask.endpoints.ollama.routes import ollama
from poeflask.endpoints.reference.routes import reference
from poeflask.endpoints.refused.routes import refused, refused_to_google
from poeflask.endpoints.responses.routes import responses
from poeflask.endpoints.videos.routes import videos
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
from poeflask.settings import NO_TRACING, Settings, SettingsError
from poeflask.stores import open_contents, open_store
from poeflask.stores.base import Store
from poeflask.stores.bounded import BoundedCache
from poeflask.stores.contents import FolderContents
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.kept_files import Bounds, KeptFiles
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.namespace import Namespace
from poeflask.stores.recordings import Recordings
from poeflask.stores.server_secret import open_secret
from poeflask.stores.timed import TimedStore
from poeflask.threads import Threads
from poeflask.vocabulary import o200k
from poeflask.web import (
    body,
    cors,
    draining,
    errors,
    fallback,
    limits,
    logging,
    metering,
    screening,
    services,
)
from poeflask.web.asking import explained, fallbacks_for
from poeflask.web.background import Background
from poeflask.web.doorkeeper import Doorkeeper
from poeflask.web.late_rules import LateRule
from poeflask.web.limits import Limits
from poeflask.web.live import Live
from poeflask.web.metering import Metering
from poeflask.web.metrics import Metrics
from poeflask.web.paths import CanonicalPaths, versioned_words
from poeflask.web.points_matcher import PointsMatcher
from poeflask.web.services import Services, Upstream

_log = get_logger("poeflask")

BLUEPRINTS = (
    home,
    chat,
    responses,
    messages,
    completions,
    images,
    audio,
    videos,
    embeddings,
    moderations,
    files,
    ollama,
    gemini,
    models,
    refused,
    refused_to_google,
    health,
    metrics,
    reference,
)

DEMO_KEY = "demo"
"""The key that the built-in simulator answers."""

_SIMULATED = "simulator"
"""The folder of its files in the folder of the state, which all workers' simulators share."""


_ERROR_SHAPES: dict[str, ErrorShape] = {
    **dict.fromkeys(("ollama", "api"), ollama_error),
    **dict.fromkeys(("gemini", "refused_to_google", "v1beta", "v1alpha"), google_error),
}
"""The blueprints, and the first words of their paths, whose errors are not OpenAI's."""


class _App(Flask):
    """Flask, told that every view and hook here is a plain function: it need not look each time."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI app.

    Args:
        settings: by default those of the environment.

    Raises:
        SettingsError: the environment holds a setting that makes no sense.
    """
    settings = settings or Settings.from_environ(os.environ)
    logging.configure(settings.log_level, settings.log_format)
    numbers = Metrics()
    store = TimedStore(open_store(settings.store_url, settings.state_dir), numbers.store_used)
    app = _App("poeflask", static_folder=None)
    app.url_rule_class = LateRule
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.config["SEND_TIMEOUT_S"] = settings.send_timeout_s
    logging.install(app, clock=time.time, new_id=_new_id, count=numbers.requested)
    cors.install(app, settings.cors_origins, closed=("admin",))
    errors.install(app, _ERROR_SHAPES)
    draining.install(app)
    fallback.install(app)
    limits.install(app)
    screening.install(app)
    body.install(app, settings.body_timeout_s)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    made = _services(settings, store, numbers)
    metering.install(app, made.metering)
    with app.app_context():
        services.install(made)
    if settings.admin == "on":
        admin.install(app, _admin_parts(settings, store, made.threads))
    words = versioned_words(rule.rule for rule in app.url_map.iter_rules())
    app.wsgi_app = CanonicalPaths(app.wsgi_app, words)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        trusted = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=trusted
        )
    return app


def _services(settings: Settings, store: Store, numbers: Metrics) -> Services:
    kept = _kept_files(settings, store)
    threads = Threads()
    make = _Upstreams(settings, store, kept, threads)
    gateway_keys = _gateway_keys(settings, store)
    return Services(
        doorkeeper=Doorkeeper(gateway_keys, settings.keys, clock=time.time),
        gateway_keys=gateway_keys,
        limits=Limits(
            store,
            clock=time.time,
            new_id=_new_id,
            answer_tokens=settings.answer_tokens,
            points_per_usd=settings.points_per_usd,
        ),
        upstream_for=make.upstream_for,
        poe_keys=make.keys,
        models_file=make.models_file,
        store=store,
        files=kept,
        max_file_bytes=settings.max_upload_bytes,
        moderation_bot=settings.moderation_bot,
        threads=threads,
        embedder=Embedder(),
        count_prompt=make.count_prompt,
        clock=time.time,
        new_id=_new_id,
        heartbeat_s=settings.heartbeat_s,
        first_event_wait_s=settings.first_event_wait_s,
        skip_system_prompt=settings.skip_system_prompt,
        example_key=DEMO_KEY if settings.demo_key_works else "",
        local_key=settings.key_of_local_requests,
        catalogue_state=make.catalogue_state,
        background=Background(),
        metering=_metering(settings, store, numbers, make),
        metrics_token=settings.metrics_token,
        behind_proxies=settings.trusted_proxies > 0,
    )


def _gateway_keys(settings: Settings, store: Store) -> GatewayKeys:
    secret = open_secret(store, settings.state_dir, shared=settings.store_url != "sqlite")
    return GatewayKeys(store, secret)


def _metering(settings: Settings, store: Store, numbers: Metrics, make: _Upstreams) -> Metering:
    worker = secrets.token_hex(4)
    bounds = LedgerBounds(
        rows_ttl_s=settings.ledger_ttl_s,
        hours_ttl_s=settings.ledger_sums_ttl_s,
        rows=settings.ledger_max_rows,
    )
    ledger = Ledger(store, worker=worker, bounds=bounds, clock=time.time, lost=numbers.lost_rows)
    recordings = Recordings(
        store, ttl_s=settings.recording_ttl_s, most=settings.max_recordings, clock=time.time
    )
    payers = {one.key for one in settings.keys_of_poe} | {settings.key_of_local_requests}
    matcher = PointsMatcher(
        ledger,
        store,
        history=make.usage_history,
        keys=lambda: sorted(payers - {""}),
        clock=time.time,
    )
    is_on = settings.ledger == "on"
    told = _tracing(settings.otlp_endpoint)
    return Metering(
        ledger=ledger if is_on else None,
        beside=[matcher.follow] if is_on else [],
        recordings=recordings,
        live=Live(store, worker=worker),
        metrics=numbers,
        points_per_usd=settings.points_per_usd,
        connections=make.connections,
        **told,
    )


class _Listener(TypedDict, total=False):
    told: Callable[[LedgerRow, str], None]
    close: Callable[[], None]


def _tracing(endpoint: str) -> _Listener:
    """Who makes traces of answers, if they are to go anywhere."""
    if not endpoint:
        return {}
    try:
        from poeflask.web.tracing import Tracing, exporter_to
    except ImportError as error:
        raise SettingsError(NO_TRACING) from error
    tracing = Tracing(exporter_to(endpoint))
    return {"told": tracing.answered, "close": tracing.close}


def _admin_parts(settings: Settings, store: Store, threads: Threads) -> AdminParts:
    return AdminParts(
        passwords=Passwords(
            store,
            threads.run,
            username=settings.admin_username,
            given=settings.admin_password,
            new_id=_new_id,
        ),
        sessions=Sessions(store, clock=time.time, new_secret=_new_secret),
        setup_links=SetupLinks(store, _new_secret),
        throttle=Throttle(store, clock=time.time),
        settings=settings,
        sources=Settings.sources(os.environ),
    )


def _kept_files(settings: Settings, store: Store) -> KeptFiles:
    return KeptFiles(
        store,
        open_contents(settings.store_url, settings.state_dir, max_bytes=settings.max_files_bytes),
        bounds=Bounds(bytes=settings.max_files_bytes_per_key, ttl_s=settings.file_ttl_s),
        clock=time.time,
        new_id=_new_id,
    )


def _unknown_event(name: str) -> None:
    _log.warning("unknown_poe_event", event_name=name[:100])


def _new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


class _Upstreams:
    """The real Poe and, from its first use on, the simulator of this process."""

    def __init__(self, settings: Settings, store: Store, kept: KeptFiles, threads: Threads) -> None:
        self._settings = settings
        self._store = store
        self._kept = kept
        self._threads = threads
        self._counter = TokenCounter(o200k.load)
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
            # Heavy, and of no use where nobody asks with the demo key.
            from poeflask.simulator.app import MAX_SHELF_BYTES, create_simulator
            from poeflask.simulator.server import SimulatorServer
            from poeflask.simulator.shelf import SharedShelf

            settings = self._settings
            folder = FolderContents(settings.state_dir / _SIMULATED, max_bytes=MAX_SHELF_BYTES)
            # As long as anybody may believe that a file was uploaded; a store that each worker has
            # for itself makes nobody believe what others did.
            shared = SharedShelf(folder, ttl_s=settings.upload_cache_ttl_s)
            shelf = None if settings.store_url == "memory" else shared
            server = SimulatorServer(app=create_simulator(shelf=shelf))
            client = self._client(server.start(), server.upload_url)
            only = PoeKeys([PoeKey("simulator", DEMO_KEY, 1)], self._board, client.balance)
            self._demo = replace(
                self._make("simulator", client, Ways(keys=only)),
                open_file=lambda url: client.open_file(server.own_link(url)),
                fetch=lambda url: client.fetch(server.own_link(url)),
            )
        return self._demo

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

    def count_prompt(self, prompt: Prompt) -> Callable[[], int]:
        """Count a prompt's tokens while Poe thinks; what is given back waits for the number.

        A short prompt is only counted if the number is needed.
        """
        if self._counter.is_quick(letters(prompt)):
            return lambda: self._counter.count_messages(prompt)
        counting = gevent.spawn(self._threads.run, self._counter.count_messages, prompt)
        return lambda: int(counting.get())

    def count(self, text: str) -> int:
        """Count a text's tokens; others may work meanwhile if it is long."""
        if self._counter.is_quick(len(text)):
            return self._counter.count(text)
        return self._threads.run(self._counter.count, text)

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
            clock=time.time,
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
            count=self.count,
            count_prompt=self.count_prompt,
            repair=lambda text: self._threads.run(json_text.repaired, text),
            new_call_id=lambda: _new_id("call_"),
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
