"""GET /metrics."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from poeflask.app import create_app
from poeflask.settings import Settings

TOKEN = "canary-token-é"


def client(**chosen: object) -> FlaskClient:
    """A client of this machine."""
    quiet = {"store_url": "memory", "poe_base_url": "http://127.0.0.1:1", "log_level": "error"}
    return create_app(Settings(**{**quiet, **chosen})).test_client()  # type: ignore[arg-type]


def test_this_machine_reads_the_metrics() -> None:
    """In Prometheus' own words, and what it read before is counted among the requests."""
    asked = client()
    asked.get("/healthz").close()
    read = asked.get("/metrics")

    assert (200, "text/plain") == (read.status_code, read.mimetype)
    assert 'poeflask_requests_total{dialect="health",outcome="ok"} 1.0' in read.text


@pytest.mark.parametrize(
    ("address", "headers", "proxies"),
    [
        ("192.0.2.1", {}, 0),
        ("", {}, 0),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 0),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 0),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 0),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 192.0.2.1"}, 1),
        ("127.0.0.1", {"Origin": "https://evil.example"}, 0),
        ("127.0.0.1", {"Origin": "http://localhost:8080"}, 0),
    ],
)
def test_nobody_else_does(address: str, headers: dict[str, str], proxies: int) -> None:
    """Whoever comes from afar, through a proxy that may bring anybody, or as a page."""
    refused = client(trusted_proxies=proxies).get(
        "/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address}
    )

    assert 403 == refused.status_code
    assert "poeflask_requests" not in refused.text
    assert "permission_denied" == refused.json["error"]["code"]


def test_a_known_proxy_s_word_is_believed() -> None:
    """Its own machine may read through it."""
    read = client(trusted_proxies=1).get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})

    assert 200 == read.status_code


@pytest.mark.parametrize(
    ("token", "brought", "status"),
    [
        (TOKEN, f"Bearer {TOKEN}", 200),
        (TOKEN, f"bearer {TOKEN}", 200),
        (TOKEN, "Bearer canary", 403),
        (TOKEN, f"Basic {TOKEN}", 403),
        (TOKEN, "", 403),
        ("", "Bearer ", 403),
        ("", "Bearer", 403),
    ],
)
def test_the_token_opens_from_anywhere(token: str, brought: str, status: int) -> None:
    """And an empty one opens nothing."""
    answer = client(metrics_token=token).get(
        "/metrics",
        headers={"Authorization": brought.encode("utf-8").decode("latin-1")},
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
    )

    assert status == answer.status_code
    assert "canary" not in answer.text
