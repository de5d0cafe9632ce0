"""GET /healthz: the process lives. GET /readyz: it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response

from poeflask.core import json_text
from poeflask.endpoints.describing import described
from poeflask.stores.base import StoreUnavailable
from poeflask.web.services import services

health = Blueprint("health", __name__)


@health.get("/healthz")
@described(open=True, gives=("text/plain",))
def alive() -> Response:
    """Always 200 while the worker answers at all; touches nothing."""
    return Response("ok\n", mimetype="text/plain")


@health.get("/readyz")
@described(open=True)
def ready() -> Response:
    """200 if the store answers and a list of bots is known, else 503; says which."""
    parts = {"store": _store(), "catalogue": services().catalogue_state()}
    is_ready = parts["store"] == "ok" and parts["catalogue"] != "missing"
    body = {"status": "ready" if is_ready else "not ready", **parts}
    status = 200 if is_ready else 503
    return Response(json_text.write(body), status, mimetype="application/json")


def _store() -> str:
    try:
        services().store.get("readyz")
    except StoreUnavailable:
        return "unreachable"
    return "ok"
