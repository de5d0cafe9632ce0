"""Overview: what was asked and how it went, over time; what is being answered now, and its end.

The page holds no figure itself: its script asks for them, and again while somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gevent
from flask import Blueprint, Response, request

from poeflask.admin import layout
from poeflask.admin.figures import FIRST_SHOWN, PERIODS, Period, figures
from poeflask.admin.guard import RefusedError
from poeflask.core import json_text
from poeflask.stores.ledger import Bucket, Ledger
from poeflask.web.services import services

overview = Blueprint("overview", __name__)

_MOST_LIVE = 100
_LONGEST_ID = 100


@overview.get("")
def show() -> Response:
    """The page."""
    here = services()
    return layout.page(
        "admin/overview.html",
        title="overview.title",
        script_texts=("overview.script.",),
        periods=list(PERIODS),
        first_period=FIRST_SHOWN,
        has_ledger=here.metering.ledger is not None,
        example_key=here.example_key,
        base_url=request.host_url.rstrip("/") + request.script_root,
    )


@overview.get("/figures")
def show_figures() -> Response:
    """The figures of a period, as JSON."""
    here = services()
    period = PERIODS.get(request.args.get("period", ""), PERIODS[FIRST_SHOWN])
    ledger = here.metering.ledger
    if ledger is None:
        raise RefusedError(404, "overview.no_ledger")
    now_s = here.clock()
    return _json(figures(read(ledger, period, now_s), period, now_s))


@overview.get("/live")
def show_live() -> Response:
    """The answers that are being given, the longest first, as JSON."""
    here = services()
    answers = here.metering.live.answers()
    shown = [asdict(answer) for answer in answers[:_MOST_LIVE]]
    return _json({"now_s": here.clock(), "count": len(answers), "answers": shown})


@overview.post("/live/<live_id>/stop")
def stop(live_id: str) -> Response:
    """End one answer."""
    return _stopped([live_id[:_LONGEST_ID]])


@overview.post("/live/stop")
def stop_all() -> Response:
    """End all answers that are being given."""
    return _stopped(None)


def read(ledger: Ledger, period: Period, now_s: float) -> Iterator[Bucket]:
    """What the ledger counted in a period, read in parts, between which others have their turn."""
    starts = period.starts(now_s)
    until_s = starts[-1] + period.step_s
    for start_s in range(starts[0], until_s, period.read_s):
        end_s = min(start_s + period.read_s, until_s)
        yield from ledger.buckets(period.unit, since_s=start_s, until_s=end_s)
        gevent.sleep(0)


def _stopped(ids: list[str] | None) -> Response:
    live = services().metering.live
    chosen = [answer.id for answer in live.answers()] if ids is None else ids
    for live_id in chosen:
        live.stop(live_id)
    return _json({"stopped": len(chosen)})


def _json(value: Any) -> Response:
    return Response(json_text.write(value), mimetype="application/json")
