"""How commands show what has rows and columns: drawn on a terminal, plain for other programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output; without its lines if that is no terminal."""
    if sys.stdout.isatty():
        _draw(Console(), head, rows)
        return
    for line in plain([head, *rows]):
        click.echo(line)


def plain(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, their columns below each other, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _draw(console: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*head)
    for row in rows:
        # As text: what stands in brackets is no markup.
        table.add_row(*map(Text, row))
    console.print(table)
