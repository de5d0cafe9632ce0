"""The ledger as files."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.ledger_export import HEADER, csv_lines, json_array, json_lines, safe
from poeflask.core.ledger_row import LedgerRow
from tests.core.ledger_rows import ROW, rows

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil.example")']
)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    """A client's words do not run in the owner's spreadsheet."""
    assert f"'{text}" == safe(text)


@given(st.lists(rows(), max_size=5))
def test_a_csv_holds_every_row(some: list[LedgerRow]) -> None:
    """Read back, with the apostrophes taken away, it is what was written; no text is a formula."""
    text = "".join(csv_lines(some))
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    texts = {name for name, value in ROW.record().items() if isinstance(value, str)}

    assert list(HEADER) == header
    for line, row in zip(lines, some, strict=True):
        told = dict(zip(header, line, strict=True))
        assert not any(told[name].startswith(DANGEROUS) for name in texts)
        back = {name: told[name].removeprefix("'") for name in texts}
        assert {name: getattr(row, name) for name in texts} == back
        assert (row.prompt_tokens, row.total_s) == (
            int(told["prompt_tokens"]),
            float(told["total_s"]),
        )
        assert told["points"] == ("" if row.points is None else str(row.points))


@given(st.lists(rows(), max_size=5))
def test_json_holds_every_row(some: list[LedgerRow]) -> None:
    """As one array and as lines."""
    array = json.loads("".join(json_array(some)))
    lines = [json.loads(line) for line in json_lines(some)]

    assert array == lines
    assert some == [LedgerRow.of_record(record) for record in array]


def test_times_are_told_as_people_read_them() -> None:
    """In UTC."""
    _, line = csv_lines([ROW])

    assert line.startswith("1970-01-01T00:16:40.000Z,r-1,1000.0,")
    assert line.endswith("\r\n")
