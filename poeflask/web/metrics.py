"""What Prometheus reads: requests, answers, tokens, times, the store, and how the workers fare.

Labels are bounded: APIs, kinds of outcome, and models that Poe lists, of which only so many are
told apart. No key, path or person is ever one. With several workers each keeps its numbers in files
of its own in PROMETHEUS_MULTIPROC_DIR, and whichever is asked adds them all up; where the variable
is not set, a process tells of itself alone.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector

from poeflask.core.errors import RULES, ErrorKind
from poeflask.core.ledger_row import OK, LedgerRow

Metric = TypeVar("Metric", Counter, Histogram)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

GAP_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""The upper ends of the buckets between two pieces of an answer; the last is without end."""

MOST_MODELS = 100
OTHER = "other"

_FIRST_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
_TOTAL_BOUNDS_S = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_STORE_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LAG_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_PAGE_BYTES = resource.getpagesize()


class Metrics:
    """The numbers of this process, and the sum of all."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._models: set[str] = set()
        self._labelled: dict[tuple[MetricWrapperBase | str, ...], MetricWrapperBase] = {}
        self._requests = Counter(
            "poeflask_requests",
            "Requests of every kind, by API and outcome.",
            ("dialect", "outcome"),
            registry=registry,
        )
        self._errors = Counter(
            "poeflask_errors",
            "Requests that ended in an error, by its kind and by whose fault it was.",
            ("kind", "fault"),
            registry=registry,
        )
        self._answers = Counter(
            "poeflask_answers",
            "Answers of bots, by model and outcome.",
            ("model", "outcome"),
            registry=registry,
        )
        self._tokens = Counter(
            "poeflask_tokens",
            "Tokens of answers, by model and kind; thoughts are part of the completion.",
            ("model", "kind"),
            registry=registry,
        )
        self._points = Counter(
            "poeflask_points",
            "Points spent at Poe, by model, as its price list tells.",
            ("model",),
            registry=registry,
        )
        self._first_token = Histogram(
            "poeflask_first_token_seconds",
            "From the request to the first piece of its answer.",
            ("dialect",),
            buckets=_FIRST_BOUNDS_S,
            registry=registry,
        )
        self._total = Histogram(
            "poeflask_answer_seconds",
            "From the request to the end of its answer.",
            ("dialect",),
            buckets=_TOTAL_BOUNDS_S,
            registry=registry,
        )
        self._gap = Histogram(
            "poeflask_gap_seconds",
            "Between two pieces of an answer.",
            buckets=GAP_BOUNDS_S,
            registry=registry,
        )
        self._open = Gauge(
            "poeflask_answers_open",
            "Answers that are being given.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._upstream = Gauge(
            "poeflask_upstream_connections",
            "Connections to Poe, by state: idle ones wait to be used again.",
            ("state",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._store = Histogram(
            "poeflask_store_seconds",
            "How long the store took, by operation.",
            ("operation",),
            buckets=_STORE_BOUNDS_S,
            registry=registry,
        )
        self._store_errors = Counter(
            "poeflask_store_errors",
            "Operations in which the store could not be reached.",
            ("operation",),
            registry=registry,
        )
        self._lag = Histogram(
            "poeflask_loop_lag_seconds",
            "How much later than it should a sleeping greenlet woke up.",
            buckets=_LAG_BOUNDS_S,
            registry=registry,
        )
        self._lost = Counter(
            "poeflask_ledger_lost_rows",
            "Rows of the ledger that the store did not take.",
            registry=registry,
        )
        self._memory = Gauge(
            "poeflask_resident_memory_bytes",
            "Memory of all workers.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._files = Gauge(
            "poeflask_open_fds",
            "Open file descriptors of all workers.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def requested(self, dialect: str, outcome: str) -> None:
        """A request was answered in full, or not."""
        self._of(self._requests, dialect, outcome).inc()
        if outcome != OK:
            self._of(self._errors, outcome, RULES[ErrorKind(outcome)].fault).inc()

    def began(self) -> None:
        """An answer is being given."""
        self._open.inc()

    def answered(self, row: LedgerRow, model: str, gaps: Sequence[int], gaps_s: float) -> None:
        """An answer is over.

        Args:
            row: how it went.
            model: the model's label, see `model`.
            gaps: how many gaps between its pieces fell into each bucket of `GAP_BOUNDS_S`.
            gaps_s: how long all gaps were together.
        """
        self._open.dec()
        self._of(self._answers, model, row.outcome).inc()
        for kind, number in (
            ("prompt", row.prompt_tokens),
            ("completion", row.completion_tokens),
            ("reasoning", row.reasoning_tokens),
            ("cached", row.cached_tokens),
        ):
            if number:
                self._of(self._tokens, model, kind).inc(number)
        if row.points:
            self._of(self._points, model).inc(row.points)
        if row.first_token_s is not None:
            self._of(self._first_token, row.dialect).observe(row.first_token_s)
        self._of(self._total, row.dialect).observe(row.total_s)
        _observe_many(self._gap, gaps, gaps_s)

    def _of(self, metric: Metric, *labels: str) -> Metric:
        """The number with these labels; the library's own way to it is longer."""
        found = self._labelled.get((metric, *labels))
        if found is None:
            found = self._labelled[metric, *labels] = metric.labels(*labels)
        return cast("Metric", found)

    def model(self, bot: str, *, listed: bool) -> str:
        """The label of a bot: its name if Poe lists it and there is room, else "other"."""
        if not listed:
            return OTHER
        if bot not in self._models and len(self._models) >= MOST_MODELS:
            return OTHER
        self._models.add(bot)
        return bot

    def store_used(self, operation: str, seconds: float, failed: bool) -> None:
        """The store did something, or could not."""
        self._of(self._store, operation).observe(seconds)
        if failed:
            self._of(self._store_errors, operation).inc()

    def lagged(self, seconds: float) -> None:
        """A greenlet woke up so much later than it should."""
        self._lag.observe(seconds)

    def lost_rows(self, number: int) -> None:
        """The ledger lost rows."""
        self._lost.inc(number)

    def look_around(self, *, idle: int, busy: int) -> None:
        """Take down how this process fares just now, and its connections to Poe."""
        self._upstream.labels("idle").set(idle)
        self._upstream.labels("busy").set(busy)
        self._memory.set(_resident_bytes())
        self._files.set(_open_files())

    @property
    def are_shared(self) -> bool:
        """Whether other processes add to these numbers: then `text` takes some milliseconds."""
        return "PROMETHEUS_MULTIPROC_DIR" in os.environ

    def text(self) -> bytes:
        """All numbers of all workers, as Prometheus reads them."""
        if not self.are_shared:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call] # the library has no types
        return generate_latest(together)


def _observe_many(histogram: Histogram, counts: Sequence[int], total_s: float) -> None:
    """Count many at once: one by one, a long answer would cost milliseconds at its end.

    The library has no word for it; this is what its `observe` does for each.
    """
    if not any(counts):
        return
    for bucket, number in zip(histogram._buckets, counts, strict=True):
        if number:
            bucket.inc(number)
    histogram._sum.inc(total_s)


def _resident_bytes() -> int:
    """What this process holds in memory; 0 where no /proc tells."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
