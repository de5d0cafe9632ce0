"""What Prometheus reads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from poeflask.core.errors import ErrorKind
from poeflask.web.metrics import GAP_BOUNDS_S, MOST_MODELS, OTHER, Metrics
from tests.core.ledger_rows import ROW

NO_GAPS = [0] * (len(GAP_BOUNDS_S) + 1)


@pytest.fixture
def metrics() -> Metrics:
    """Numbers that are all zero."""
    return Metrics()


def sample(metrics: Metrics, name: str) -> float:
    """The number behind a sample's name and labels."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.text().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_an_answer_is_counted_in_full(metrics: Metrics) -> None:
    """Model, tokens, points, times and gaps."""
    row = replace(ROW, points=2.5, first_token_s=0.3, reasoning_tokens=1)
    gaps = [0, 3, *NO_GAPS[2:-1], 1]
    metrics.began()
    metrics.began()
    metrics.answered(row, "Echo", gaps, 70.0)

    assert 1 == sample(metrics, "poeflask_answers_open")
    assert 1 == sample(metrics, 'poeflask_answers_total{model="Echo",outcome="ok"}')
    assert 9 == sample(metrics, 'poeflask_tokens_total{kind="prompt",model="Echo"}')
    assert 2 == sample(metrics, 'poeflask_tokens_total{kind="completion",model="Echo"}')
    assert 1 == sample(metrics, 'poeflask_tokens_total{kind="reasoning",model="Echo"}')
    assert 2.5 == sample(metrics, 'poeflask_points_total{model="Echo"}')
    assert 1 == sample(metrics, 'poeflask_first_token_seconds_bucket{dialect="chat",le="0.5"}')
    assert 0 == sample(metrics, 'poeflask_first_token_seconds_bucket{dialect="chat",le="0.25"}')
    assert 1 == sample(metrics, 'poeflask_answer_seconds_count{dialect="chat"}')
    assert (0, 3, 4) == (
        sample(metrics, 'poeflask_gap_seconds_bucket{le="0.005"}'),
        sample(metrics, 'poeflask_gap_seconds_bucket{le="60.0"}'),
        sample(metrics, "poeflask_gap_seconds_count"),
    )
    assert 70 == sample(metrics, "poeflask_gap_seconds_sum")


def test_errors_are_counted_by_kind_and_fault(metrics: Metrics) -> None:
    """Beside the requests that they ended."""
    metrics.requested("chat", "ok")
    metrics.requested("chat", ErrorKind.RATE_LIMITED.value)

    assert 1 == sample(metrics, 'poeflask_requests_total{dialect="chat",outcome="ok"}')
    assert 1 == sample(metrics, 'poeflask_errors_total{fault="poe",kind="rate_limited"}')


def test_models_have_a_bound(metrics: Metrics) -> None:
    """What Poe does not list is a client's invention; and even of the listed only so many count."""
    assert OTHER == metrics.model("invented", listed=False)
    known = [metrics.model(f"bot-{number}", listed=True) for number in range(MOST_MODELS + 5)]

    assert [OTHER] * 5 == known[-5:]
    assert "bot-3" == metrics.model("bot-3", listed=True)


def test_the_worker_tells_how_it_fares(metrics: Metrics) -> None:
    """Memory, files, connections, the store, and how late it wakes."""
    metrics.look_around(idle=3, busy=2)
    metrics.lagged(0.02)
    metrics.store_used("get", 0.002, failed=True)
    metrics.lost_rows(4)

    assert 10_000_000 < sample(metrics, "poeflask_resident_memory_bytes") < 10_000_000_000
    assert 3 <= sample(metrics, "poeflask_open_fds")
    assert 3 == sample(metrics, 'poeflask_upstream_connections{state="idle"}')
    assert 2 == sample(metrics, 'poeflask_upstream_connections{state="busy"}')
    assert 1 == sample(metrics, 'poeflask_loop_lag_seconds_bucket{le="0.025"}')
    assert 1 == sample(metrics, 'poeflask_store_seconds_count{operation="get"}')
    assert 1 == sample(metrics, 'poeflask_store_errors_total{operation="get"}')
    assert 4 == sample(metrics, "poeflask_ledger_lost_rows_total")
