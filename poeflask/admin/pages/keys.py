"""Keys: gateway keys issued, limited, watched, and taken back.

The key itself is in one answer to one POST, which a script puts into a dialog: it stands in no
address, no page and no history, and nobody can have it shown again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, g, request, url_for
from werkzeug.exceptions import NotFound

from poeflask.admin import layout
from poeflask.admin.key_forms import EXPIRIES, LIMIT_TEXTS, PRESETS, FormFaultError, read
from poeflask.admin.key_rows import KeyRow, key_row, moment
from poeflask.admin.key_samples import samples
from poeflask.admin.parts import parts
from poeflask.core import json_text
from poeflask.core.bot import Bot
from poeflask.core.caller import Caller
from poeflask.core.errors import ErrorKind, OwnError, PoeError
from poeflask.core.gateway_key import GatewayKey, KeyFaultError
from poeflask.poe.shown_catalogue import ShownCatalogue
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.gates import spent
from poeflask.web import asking
from poeflask.web.doorkeeper import owner_of_gateway_key
from poeflask.web.services import services

keys = Blueprint("keys", __name__)

_USED_WITHIN_S = 30 * 86_400.0
_LATEST_ROWS = 500
_MOST_SUGGESTED = 2000
_ANY_MODEL = "Claude-Sonnet-4.5"
"""What samples ask where no list of bots is known; whoever copies them may write another."""


@keys.get("")
def show() -> Response:
    """The page, with the keys as they are now."""
    return layout.page(
        "admin/keys.html",
        title="keys.title",
        script_texts=("keys.script.",),
        warnings=_warnings(),
        **_table(),
    )


@keys.get("/rows")
def show_rows() -> Response:
    """The keys as they are now, alone."""
    return layout.fragment("admin/key_rows.html", **_table())


@keys.get("/models")
def show_models() -> Response:
    """What a key may be for, as suggestions."""
    return layout.fragment("admin/key_models.html", names=_suggested())


@keys.get("/new")
def show_new() -> Response:
    """The form for a new key."""
    return _form(None)


@keys.post("")
def issue() -> Response:
    """Issue a key, and show it this once."""
    here = services()
    try:
        given, text = here.gateway_keys.issue(read(request.form, here.clock()))
    except (FormFaultError, KeyFaultError) as error:
        return _refused(error)
    return _shown(given, text)


@keys.get("/<key_id>/edit")
def show_edit(key_id: str) -> Response:
    """The form for a key that there is."""
    return _form(_there(services().gateway_keys.get(key_id)))


@keys.post("/<key_id>")
def change(key_id: str) -> Response:
    """Change what a key may do."""
    here = services()
    try:
        said = read(request.form, here.clock())
        _there(here.gateway_keys.change(key_id, said))
    except (FormFaultError, KeyFaultError) as error:
        return _refused(error)
    return _done()


@keys.post("/<key_id>/disable")
def disable(key_id: str) -> Response:
    """Switch a key off."""
    _there(services().gateway_keys.change(key_id, {"disabled": True}))
    return _done()


@keys.post("/<key_id>/enable")
def enable(key_id: str) -> Response:
    """Switch a key on again."""
    _there(services().gateway_keys.change(key_id, {"disabled": False}))
    return _done()


@keys.post("/<key_id>/rotate")
def rotate(key_id: str) -> Response:
    """Give a key another text, and show it this once."""
    rotated = services().gateway_keys.rotate(key_id)
    if rotated is None:
        raise NotFound
    return _shown(*rotated)


@keys.post("/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """End a key for good; that it has gone already is no fault."""
    services().gateway_keys.revoke(key_id)
    return _done()


def _there(key: GatewayKey | None) -> GatewayKey:
    if key is None:
        raise NotFound
    return key


def _done() -> Response:
    return Response(status=204)


def _refused(error: FormFaultError | KeyFaultError) -> Response:
    """Why a form is not taken, for the script beside it."""
    if isinstance(error, FormFaultError):
        told = {"message": layout.translator()(error.text), "field": error.field}
    else:
        told = {"message": str(error), "field": ""}
    body = json_text.write({"error": told})
    return Response(body, status=422, mimetype="application/json")


def _form(key: GatewayKey | None) -> Response:
    expires_s = None if key is None else key.expires_s
    return layout.fragment(
        "admin/key_form.html",
        key=key,
        action=url_for(".issue") if key is None else url_for(".change", key_id=key.id),
        expires="" if expires_s is None else moment(expires_s),
        expiries=EXPIRIES,
        limits=LIMIT_TEXTS,
        presets=[(text, json_text.write(fields)) for text, fields in PRESETS],
    )


def _shown(key: GatewayKey, text: str) -> Response:
    base_url = request.host_url.rstrip("/") + request.script_root
    return layout.fragment(
        "admin/key_shown.html",
        key=key,
        text=text,
        samples=samples(base_url, text, _example_model(key)),
    )


def _table() -> dict[str, Any]:
    """What the table shows; without keys and with `is_away`, if they cannot be looked at."""
    pages: list[str] = g.admin_pages
    requests_url = url_for("admin.home") + "requests" if "requests" in pages else ""
    told: dict[str, Any] = {"rows": [], "is_away": False, "requests_url": requests_url}
    try:
        return {**told, "rows": _rows()}
    except StoreUnavailable:
        return {**told, "is_away": True}
    except OwnError as error:
        if error.kind is not ErrorKind.BUSY:
            raise
        return {**told, "is_away": True}


def _rows() -> list[KeyRow]:
    """The newest key first."""
    here = services()
    now_s = here.clock()
    last_used = _last_used(now_s)
    recorded = here.metering.recordings.switched_on()
    return [
        key_row(
            key,
            used=spent(here.store, key, now_s),
            last_used_s=last_used.get(key.id),
            recorded=recorded,
            now_s=now_s,
        )
        for key in reversed(here.gateway_keys.all())
    ]


def _last_used(now_s: float) -> dict[str, float]:
    """When keys were used last, by their ids: of late to the second, else to the hour."""
    ledger = services().metering.ledger
    if ledger is None:
        return {}
    hours = ledger.buckets("hour", since_s=now_s - _USED_WITHIN_S, until_s=now_s + 1)
    found = {group.key_id: float(bucket.start_s) for bucket in hours for group in bucket.tallies}
    rows = ledger.rows(limit=_LATEST_ROWS).rows
    return found | {row.key_id: row.time_s for row in reversed(rows)}


def _warnings() -> list[str]:
    """The names of the texts that say why keys may be of no use here."""
    here = services()
    settings = parts().settings
    pays = bool(here.poe_keys) or bool(here.example_key)
    told = {
        "keys.warn_passthrough": settings.keys == "passthrough",
        "keys.warn_memory": settings.store_url == "memory",
        "keys.warn_simulator": bool(here.example_key) and not here.poe_keys,
        "keys.warn_nobody_pays": not pays,
    }
    return [text for text, is_so in told.items() if is_so]


def _suggested() -> list[str]:
    """Groups, families as patterns, and names."""
    here = services()
    groups = [f"@{name}" for name in here.models_file.overrides().groups]
    names = [bot.handle for bot in _bots(_catalogue())]
    families = Counter(name.partition("-")[0] for name in names if "-" in name)
    shared = [f"{family}-*" for family, members in families.items() if members > 1]
    return [*groups, *shared, *names][:_MOST_SUGGESTED]


def _example_model(key: GatewayKey) -> str:
    """A model that the key may ask; one that answers in words if there is one."""
    catalogue = _catalogue()
    caller = Caller(owner=owner_of_gateway_key(key.id), key_id=key.id, key=key)
    shown = asking.shown(caller, catalogue, _bots(catalogue))
    in_words = (bot for bot in shown if "text" in bot.output_modalities)
    bot = next(in_words, None)
    plain = (entry for entry in key.models if not set(entry) & set("@*?"))
    return next(plain, _ANY_MODEL) if bot is None else bot.handle


def _catalogue() -> ShownCatalogue:
    """The bots that gateway keys can ask."""
    return services().upstream_for(Caller(owner="")).catalogue


def _bots(catalogue: ShownCatalogue) -> Iterable[Bot]:
    """The bots that are known without long waiting."""
    if catalogue.state() == "missing":
        return ()
    try:
        return catalogue.bots()
    except PoeError:
        return ()
