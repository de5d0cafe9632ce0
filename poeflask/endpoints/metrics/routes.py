"""GET /metrics: numbers for Prometheus, for this machine or for who brings the token."""

from __future__ import annotations

import ipaddress
from hmac import compare_digest

from flask import Blueprint, Request, Response, request

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.describing import described
from poeflask.web.metrics import CONTENT_TYPE
from poeflask.web.services import Services, services

metrics = Blueprint("metrics", __name__)

_TOLD_BY_PROXIES = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@metrics.get("/metrics")
@described(open=True, gives=("text/plain",))
def read_metrics() -> Response:
    """All numbers of all workers."""
    here = services()
    if not (_brings_token(request, here.metrics_token) or _is_of_this_machine(request, here)):
        raise ClientError(
            ErrorKind.FORBIDDEN,
            "Metrics are for this machine, or for whoever sends POEFLASK_METRICS_TOKEN as "
            "'Authorization: Bearer <token>'.",
        )
    numbers = here.metering.metrics
    # Many files are read and added up; what this process counts alone is locked meanwhile.
    text = here.threads.run(numbers.text) if numbers.are_shared else numbers.text()
    return Response(text, content_type=CONTENT_TYPE)


def _brings_token(asked: Request, token: str) -> bool:
    scheme, _, brought = asked.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        return False
    # WSGI hands over bytes as the letters of Latin-1.
    return compare_digest(brought.strip().encode("latin-1", "replace"), token.encode())


def _is_of_this_machine(asked: Request, here: Services) -> bool:
    """Whether a program of this machine asks: no page, and nobody behind a proxy that is not known.

    Such a proxy may itself be of this machine and speak for the whole world.
    """
    if "Origin" in asked.headers:
        return False
    if not here.behind_proxies and any(name in asked.headers for name in _TOLD_BY_PROXIES):
        return False
    try:
        return ipaddress.ip_address(asked.remote_addr or "").is_loopback
    except ValueError:
        return False
