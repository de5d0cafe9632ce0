"""Rows of the ledger as values."""

from __future__ import annotations

import pytest
from hypothesis import given

from poeflask.core import json_text
from poeflask.core.ledger_row import LedgerRow, RowFilter
from tests.core.ledger_rows import ROW, rows


@given(rows())
def test_a_row_survives_json(row: LedgerRow) -> None:
    """Whatever it holds."""
    assert row == LedgerRow.of_record(json_text.read(json_text.write(row.record())))


def test_fields_of_another_version_are_no_obstacle() -> None:
    """Neither ones that this version does not know nor ones that it misses."""
    record = {**ROW.record(), "strange": 1}
    del record["replies"]

    assert ROW == LedgerRow.of_record(record)


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (RowFilter(), True),
        (RowFilter(since_s=1000.0), True),
        (RowFilter(since_s=1000.1), False),
        (RowFilter(until_s=1000.1), True),
        (RowFilter(until_s=1000.0), False),
        (RowFilter(key_id="key-1"), True),
        (RowFilter(key_id="key-2"), False),
        (RowFilter(model="echo"), True),
        (RowFilter(model="gpt-echo"), True),
        (RowFilter(model="ech"), False),
        (RowFilter(outcome="ok"), True),
        (RowFilter(outcome="error"), False),
        (RowFilter(outcome="rate_limited"), False),
        (RowFilter(dialect="chat"), True),
        (RowFilter(dialect="messages"), False),
    ],
)
def test_a_filter_takes_what_it_names(wanted: RowFilter, takes: bool) -> None:
    """And what it does not name it does not ask for."""
    assert takes is wanted.takes(ROW)
