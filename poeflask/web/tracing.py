"""A span for each answer, around all of it, for OpenTelemetry. Needs `poeflask[otel]`.

A span is made when its answer is over, with the times that were taken down, so that nothing is done
for it meanwhile. The names of its attributes are those of OpenTelemetry's conventions for
generative AI, written out here, since the packages move them about. No text of a prompt or answer
is ever one.
"""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from poeflask import __version__
from poeflask.core.ledger_row import OK, LedgerRow

_FLUSH_MS = 1000
_NS = 1_000_000_000


def exporter_to(endpoint: str) -> SpanExporter:
    """What sends spans to a collector at this base address, by OTLP over HTTP."""
    return OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")


class Tracing:
    """Makes spans of answers and lets them be sent in the background.

    Args:
        exporter: where they go.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        about = Resource.create({"service.name": "poeflask", "service.version": __version__})
        self._provider = TracerProvider(resource=about, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("poeflask", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def answered(self, row: LedgerRow, traceparent: str) -> None:
        """An answer is over.

        Args:
            row: how it went.
            traceparent: the client's own span, as its header of that name told; may be empty.
        """
        began_ns = int(row.time_s * _NS)
        span = self._tracer.start_span(
            f"{_OPERATION} {row.bot}",
            context=self._propagator.extract({"traceparent": traceparent}),
            kind=SpanKind.SERVER,
            attributes=_attributes(row),
            start_time=began_ns,
        )
        if row.outcome != OK:
            span.set_status(Status(StatusCode.ERROR))
        span.end(began_ns + int(row.total_s * _NS))

    def close(self) -> None:
        """Send what waits, if that is done within a second."""
        self._provider.force_flush(_FLUSH_MS)


_OPERATION = "chat"


def _attributes(row: LedgerRow) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue] = {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.provider.name": "poe",
        "gen_ai.request.model": row.asked,
        "gen_ai.response.model": row.bot,
        "gen_ai.request.stream": row.streamed,
        "gen_ai.usage.input_tokens": row.prompt_tokens,
        "gen_ai.usage.output_tokens": row.completion_tokens,
        "poeflask.request_id": row.request_id,
        "poeflask.dialect": row.dialect,
        "poeflask.key_name": row.key_name,
    }
    if row.first_token_s is not None:
        told["gen_ai.response.time_to_first_chunk"] = row.first_token_s
    if row.outcome != OK:
        told["error.type"] = row.outcome
    return told
