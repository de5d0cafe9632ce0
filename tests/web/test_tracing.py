"""Spans of answers."""

from __future__ import annotations

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import gevent
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from poeflask.core.ledger_row import LedgerRow
from poeflask.web.tracing import Tracing, exporter_to
from tests.core.ledger_rows import ROW

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans(row: LedgerRow, traceparent: str = "") -> list[dict[str, object]]:
    """What is sent for an answer."""
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    tracing.answered(row, traceparent)
    tracing.close()
    return [json.loads(span.to_json()) for span in exporter.get_finished_spans()]


def test_a_span_is_as_long_as_its_answer() -> None:
    """And says what was asked, how much it was, and how soon it began; never what was said."""
    (span,) = spans(replace(ROW, first_token_s=0.2))

    assert "chat Echo" == span["name"]
    assert ("1970-01-01T00:16:40.000000Z", "1970-01-01T00:16:40.500000Z") == (
        span["start_time"],
        span["end_time"],
    )
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "poe",
        "gen_ai.request.model": "gpt-echo",
        "gen_ai.response.model": "Echo",
        "gen_ai.request.stream": False,
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.response.time_to_first_chunk": 0.2,
        "poeflask.request_id": "req_1",
        "poeflask.dialect": "chat",
        "poeflask.key_name": "Ann",
    } == span["attributes"]


def test_a_client_s_trace_goes_on() -> None:
    """Its span is the parent; without one, or with nonsense, a trace begins here."""
    (continued,) = spans(ROW, PARENT)
    (begun,) = spans(ROW)
    (strange,) = spans(ROW, "nonsense")

    assert "0xb7ad6b7169203331" == continued["parent_id"]
    assert "0x0af7651916cd43dd8448eb211c80319c" == continued["context"]["trace_id"]  # type: ignore[index]
    assert (None, None) == (begun["parent_id"], strange["parent_id"])


def test_a_failed_answer_says_how() -> None:
    """In the one word of its kind."""
    (span,) = spans(replace(ROW, outcome="rate_limited"))

    assert "rate_limited" == span["attributes"]["error.type"]  # type: ignore[index]
    assert StatusCode.ERROR.name == span["status"]["status_code"]  # type: ignore[index]


def test_spans_reach_a_collector() -> None:
    """At the endpoint that is set, where OTLP over HTTP has its path."""
    paths: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        serving = gevent.spawn(server.handle_request)
        tracing = Tracing(exporter_to(f"http://127.0.0.1:{server.server_address[1]}"))
        tracing.answered(ROW, "")
        tracing.close()
        serving.join(2)

    assert ["/v1/traces"] == paths


@pytest.mark.parametrize("outcome", ["ok", "client_gone"])
def test_no_attribute_is_a_key(outcome: str) -> None:
    """What leads to a key's owner is its name alone."""
    (span,) = spans(replace(ROW, outcome=outcome))

    assert "key-1" not in json.dumps(span["attributes"])
