"""Tables on the terminal for people, and as plain lines for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO | None = None
) -> None:
    """Write a table: drawn if a person looks at it, else a line for each row, tabs between.

    Args:
        columns: their headings, which the plain form has too.
        rows: a text for each column.
        out: where to; standard output by default.
    """
    out = out or sys.stdout
    if out.isatty():
        _draw(columns, rows, out)
        return
    for row in (columns, *rows):
        out.write("\t".join(_plain(cell) for cell in row) + "\n")


def _plain(cell: str) -> str:
    """The cell in one line and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in cell)


def _draw(columns: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO) -> None:
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        # As text, not as rich's markup: names may hold brackets.
        table.add_row(*(Text(_plain(cell)) for cell in row))
    Console(file=out).print(table)
