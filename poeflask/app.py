"""The composition root: makes every part, joins them, and does nothing else."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from typing import Any, TypedDict

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from poeflask.admin import routes as admin
from poeflask.admin.parts import Parts as AdminParts
from poeflask.admin.passwords import Passwords
from poeflask.admin.sessions import Sessions
from poeflask.admin.setup_links import SetupLinks
from poeflask.admin.throttle import Throttle
from poeflask.core.dialect import ErrorShape, google_error, ollama_error
from poeflask.core.ledger_row import LedgerRow
from poeflask.core.tokens import TokenCounter
from poeflask.counting import Counting
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
from poeflask.log_lines import get_logger
from poeflask.settings import NO_TRACING, Settings, SettingsError
from poeflask.stores import open_contents, open_store
from poeflask.stores.base import Store
from poeflask.stores.gateway_keys import GatewayKeys
from poeflask.stores.kept_files import Bounds, KeptFiles
from poeflask.stores.ledger import Ledger, LedgerBounds
from poeflask.stores.recordings import Recordings
from poeflask.stores.server_secret import open_secret
from poeflask.stores.timed import TimedStore
from poeflask.threads import Threads
from poeflask.upstreams import DEMO_KEY, Upstreams
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
from poeflask.web.background import Background
from poeflask.web.doorkeeper import Doorkeeper
from poeflask.web.late_rules import LateRule
from poeflask.web.limits import Limits
from poeflask.web.live import Live
from poeflask.web.metering import Metering
from poeflask.web.metrics import Metrics
from poeflask.web.paths import CanonicalPaths, versioned_words
from poeflask.web.points_matcher import PointsMatcher
from poeflask.web.services import Services

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
    counting = Counting(TokenCounter(o200k.load), threads)
    upstreams = Upstreams(settings, store, kept, threads, counting, clock=time.time, new_id=_new_id)
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
        upstream_for=upstreams.upstream_for,
        poe_keys=upstreams.keys,
        models_file=upstreams.models_file,
        store=store,
        files=kept,
        max_file_bytes=settings.max_upload_bytes,
        moderation_bot=settings.moderation_bot,
        threads=threads,
        embedder=Embedder(),
        count_prompt=counting.count_prompt,
        clock=time.time,
        new_id=_new_id,
        heartbeat_s=settings.heartbeat_s,
        first_event_wait_s=settings.first_event_wait_s,
        skip_system_prompt=settings.skip_system_prompt,
        example_key=DEMO_KEY if settings.demo_key_works else "",
        local_key=settings.key_of_local_requests,
        catalogue_state=upstreams.catalogue_state,
        background=Background(),
        metering=_metering(settings, store, numbers, upstreams),
        metrics_token=settings.metrics_token,
        behind_proxies=settings.trusted_proxies > 0,
    )


def _gateway_keys(settings: Settings, store: Store) -> GatewayKeys:
    secret = open_secret(store, settings.state_dir, shared=settings.store_url != "sqlite")
    return GatewayKeys(store, secret)


def _metering(settings: Settings, store: Store, numbers: Metrics, upstreams: Upstreams) -> Metering:
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
        history=upstreams.usage_history,
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
        connections=upstreams.connections,
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


def _new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def _new_secret() -> str:
    return secrets.token_urlsafe(32)
