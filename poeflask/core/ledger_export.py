"""Ledger rows as files that people open: CSV, JSON and JSON lines. Pure.

A spreadsheet runs a cell that begins like a formula, and some cells hold words of clients. So
such a text gets an apostrophe in front, and one that has it already gets another: who takes one
away from every text that begins with it has all texts back.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from poeflask.core import json_text
from poeflask.core.ledger_row import COLUMNS, LedgerRow

_UNSAFE = frozenset("=+-@\t\r\n'")

HEADER = ("time", *COLUMNS)
"""The columns of the CSV; `time` is UTC as people read it."""


def safe(text: str) -> str:
    """The text as a spreadsheet may show it without running it."""
    return f"'{text}" if text[:1] in _UNSAFE else text


def csv_lines(rows: Iterable[LedgerRow]) -> Iterator[str]:
    """A line of names, then one for each row, each with its CRLF (RFC 4180)."""
    yield csv_line(HEADER)
    for row in rows:
        yield csv_line((time_text(row.time_s), *row.record().values()))


def csv_line(cells: Iterable[object]) -> str:
    """One line: texts made safe, None empty."""
    pieces: list[str] = []
    csv.writer(_Into(pieces)).writerow(
        [safe(cell) if isinstance(cell, str) else cell for cell in cells]
    )
    return "".join(pieces)


class _Into:
    """What the writer takes for a file."""

    def __init__(self, pieces: list[str]) -> None:
        self.write = pieces.append


def json_lines(rows: Iterable[LedgerRow]) -> Iterator[str]:
    """One JSON object a line."""
    for row in rows:
        yield json_text.write(row.record()) + "\n"


def json_array(rows: Iterable[LedgerRow]) -> Iterator[str]:
    """One JSON array, a piece for each row."""
    start = "["
    for row in rows:
        yield start + json_text.write(row.record())
        start = ",\n"
    yield "]\n" if start == ",\n" else "[]\n"


def time_text(time_s: float) -> str:
    """A moment in UTC, to the millisecond: "2026-11-22T04:38:43.120Z"."""
    moment = datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
