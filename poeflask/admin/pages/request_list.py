"""Requests: the rows of the ledger, one of them in detail, and all of them as a file.

Texts are there only of keys that are recorded; here that is switched on and off, and what was
recorded is read and deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import gevent
from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from poeflask.admin import layout
from poeflask.admin.figures import PERIODS
from poeflask.admin.guard import RefusedError
from poeflask.admin.pages.overview import read
from poeflask.core.errors import ErrorKind
from poeflask.core.ledger_export import csv_lines, json_array, time_text
from poeflask.core.ledger_row import OK, LedgerRow, RowFilter
from poeflask.stores.ledger import Ledger
from poeflask.web.services import services

request_list = Blueprint("requests", __name__)

DIALECTS = (
    *("chat", "completions", "responses", "messages", "gemini", "ollama"),
    *("images", "videos", "audio", "embeddings", "moderations"),
)
"""The endpoints that ask bots, as rows name them."""

OUTCOMES = (OK, *(kind.value for kind in ErrorKind))

_PAGE = 50
_LONGEST = 200
_LONGEST_ID = 100
_KEY_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_ROWS_AT_ONCE = 100
_KNOWN_FROM = "7d"

_EXPORTS: Mapping[str, tuple[str, Callable[[Iterable[LedgerRow]], Iterator[str]]]] = {
    "csv": ("text/csv", csv_lines),
    "json": ("application/json", json_array),
}


class Chosen(NamedTuple):
    """What the reader wants to see, as the address says it; what it is not is empty."""

    key: str
    model: str
    outcome: str
    dialect: str
    since: str

    def wanted(self, now_s: float) -> RowFilter:
        """The rows."""
        period = PERIODS.get(self.since)
        return RowFilter(
            since_s=None if period is None else now_s - period.length_s,
            key_id=self.key,
            model=self.model,
            outcome=self.outcome,
            dialect=self.dialect,
        )

    def query(self, **more: str) -> dict[str, str]:
        """The same as words of an address."""
        return {name: value for name, value in (self._asdict() | more).items() if value}


class Known(NamedTuple):
    """What was asked lately: keys with their names, and models."""

    keys: dict[str, str]
    models: list[str]


@request_list.get("")
def show() -> Response:
    """The page, with the newest rows or those behind a place."""
    ledger = services().metering.ledger
    if ledger is None:
        return layout.page("admin/no_ledger.html", title="requests.title")
    chosen = chosen_by(request.args)
    known = _known(ledger)
    recorded = services().metering.recordings.switched_on()
    rows = _rows(ledger, chosen)
    if chosen.key:
        known.keys.setdefault(chosen.key, chosen.key)
    return layout.page(
        "admin/requests.html",
        title="requests.title",
        chosen=chosen,
        known=known,
        periods=list(PERIODS),
        outcomes=OUTCOMES,
        dialects=DIALECTS,
        recorded={key: known.keys.get(key, key) for key in sorted(recorded)},
        note=_noted(request.args),
        **rows,
    )


@request_list.get("/rows")
def show_rows() -> Response:
    """The rows alone, for a page that is open."""
    return layout.fragment("admin/request_rows.html", **_rows(_ledger(), chosen_by(request.args)))


@request_list.get("/row/<row_id>")
def show_row(row_id: str) -> Response:
    """All that is known of one request."""
    recordings = services().metering.recordings
    row = _ledger().row(row_id) if len(row_id) <= _LONGEST_ID else None
    if row is None:
        raise RefusedError(404, "requests.gone")
    recording = recordings.find(row.id)
    is_recorded = row.key_id in recordings.switched_on()
    return layout.page(
        "admin/request.html",
        title="requests.one",
        row=row,
        time=time_text(row.time_s),
        recording=recording,
        is_recorded=is_recorded,
    )


@request_list.get("/export.<form>")
def export(form: str) -> Response:
    """The wanted rows as a file, written while it is read."""
    if form not in _EXPORTS:
        raise RefusedError(404, "errors.nowhere")
    media_type, written = _EXPORTS[form]
    wanted = chosen_by(request.args).wanted(services().clock())
    pieces = in_pieces(written(_ledger().all_rows(wanted)))
    first = next(pieces, "")
    response = Response(_all(first, pieces), mimetype=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="poeflask-requests.{form}"'
    return response


@request_list.post("/recording")
def switch_recording() -> AnyResponse:
    """Record what a key asks from now on, or no more."""
    key_id = _key_id()
    is_on = request.form.get("on", "") == "1"
    services().metering.recordings.switch(key_id, on=is_on)
    return _back(key_id, "recorded" if is_on else "not_recorded")


@request_list.post("/recordings/delete")
def delete_recordings() -> AnyResponse:
    """Delete all that was recorded of a key."""
    key_id = _key_id()
    services().metering.recordings.forget_all(key_id)
    return _back(key_id, "deleted")


def chosen_by(said: Mapping[str, str]) -> Chosen:
    """What the words of an address ask for; what they cannot mean asks for nothing."""
    words = {name: said.get(name, "").strip()[:_LONGEST] for name in Chosen._fields}
    offered = {
        "outcome": ("error", *OUTCOMES),
        "dialect": DIALECTS,
        "since": tuple(PERIODS),
    }
    for name, values in offered.items():
        words[name] = words[name] if words[name] in values else ""
    return Chosen(**words)


def in_pieces(lines: Iterator[str]) -> Iterator[str]:
    """Lines in larger pieces, between which other requests have their turn."""
    while piece := "".join(islice(lines, _ROWS_AT_ONCE)):
        yield piece
        gevent.sleep(0)


def _all(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _ledger() -> Ledger:
    ledger = services().metering.ledger
    if ledger is None:
        raise RefusedError(404, "overview.no_ledger")
    return ledger


def _rows(ledger: Ledger, chosen: Chosen) -> dict[str, Any]:
    """What the table of rows is made of."""
    after = request.args.get("after", "")[:_LONGEST_ID]
    page = ledger.rows(chosen.wanted(services().clock()), after=after, limit=_PAGE)
    return {
        "rows": [(row, time_text(row.time_s)) for row in page.rows],
        "newest": chosen.query(),
        "older": chosen.query(after=page.next) if page.next else None,
        "is_newest": not after,
        "is_filtered": any(chosen),
    }


def _known(ledger: Ledger) -> Known:
    period = PERIODS[_KNOWN_FROM]
    keys: dict[str, str] = {}
    models: set[str] = set()
    for bucket in read(ledger, period, services().clock()):
        keys |= {group.key_id: group.key_name for group in bucket.tallies if group.key_id}
        models |= {group.bot for group in bucket.tallies}
    return Known(dict(sorted(keys.items(), key=lambda item: item[1].lower())), sorted(models))


def _key_id() -> str:
    key_id = request.form.get("key", "")
    if not _KEY_ID.fullmatch(key_id):
        raise RefusedError(422, "requests.no_key")
    return key_id


def _back(key_id: str, note: str) -> AnyResponse:
    there = url_for("admin.requests.show", key=key_id, note=note, _anchor="recording")
    return redirect(there, 303)


def _noted(said: Mapping[str, str]) -> str:
    note = said.get("note", "")
    return note if note in ("recorded", "not_recorded", "deleted") else ""
