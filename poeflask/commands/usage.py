"""`poeflask usage`: what was asked, by whom and what it cost; and all of it as a file."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from poeflask.commands.environment import read_settings
from poeflask.core.ledger_export import csv_line, csv_lines, json_array, json_lines
from poeflask.core.ledger_row import LedgerRow, RowFilter
from poeflask.core.tally import Group, Tally, percentile
from poeflask.stores import open_store
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.ledger import Bucket, Ledger, LedgerBounds

By = Literal["hour", "day", "key", "model"]

_AGO = re.compile(r"([0-9]{1,6})([mhdw])")
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
_BAR_CELLS = 14
_MOST_DRAWN = 200

_COLUMNS = (
    *("requests", "errors", "prompt_tokens", "completion_tokens", "reasoning_tokens"),
    *("points", "points_estimated", "first_token_p50_s", "first_token_p95_s", "total_p95_s"),
)

_EXPORTS: dict[str, Callable[[Iterable[LedgerRow]], Iterator[str]]] = {
    "csv": csv_lines,
    "json": json_array,
    "ndjson": json_lines,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary: what it is of, and the sum."""

    name: str
    tally: Tally

    def cells(self) -> dict[str, Any]:
        """What a program reads of it."""
        tally = self.tally
        return {
            "requests": tally.requests,
            "errors": tally.errors,
            "prompt_tokens": tally.prompt_tokens,
            "completion_tokens": tally.completion_tokens,
            "reasoning_tokens": tally.reasoning_tokens,
            "points": round(tally.points, 2),
            "points_estimated": round(tally.points_estimated, 2),
            "first_token_p50_s": _rounded(percentile(tally.first_token, 0.5)),
            "first_token_p95_s": _rounded(percentile(tally.first_token, 0.95)),
            "total_p95_s": _rounded(percentile(tally.total, 0.95)),
        }


def _moment(text: str) -> float:
    """A day, such as 2026-11-01, or how long ago, such as 12h or 7d, in seconds since 1970."""
    ago = _AGO.fullmatch(text)
    if ago:
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} should be a day such as 2026-11-01, or such as 12h or 7d ago."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@click.group(invoke_without_command=True)
@click.option(
    "--by",
    type=click.Choice(["hour", "day", "key", "model"]),
    default="day",
    show_default=True,
    help="What each line is of.",
)
@click.option(
    "--since", type=_moment, metavar="WHEN", default="30d", show_default=True, help="From when on."
)
@click.option("--key", default="", help="Only this key, by its id or name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.pass_context
def usage(
    context: click.Context, by: By, since: float, key: str, as_json: bool, as_csv: bool
) -> None:
    """Sum up what was asked and what it cost; times of day are UTC."""
    if context.invoked_subcommand is not None:
        return
    with _ledger() as ledger:
        unit: Literal["hour", "day"] = "hour" if by == "hour" else "day"
        buckets = ledger.buckets(unit, since_s=since, until_s=time.time() + 1)
    lines = summary(buckets, by, key)
    if as_json:
        told = [{by: line.name, **line.cells()} for line in lines]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif as_csv:
        rows = [[by, *_COLUMNS], *([line.name, *line.cells().values()] for line in lines)]
        click.echo("".join(map(csv_line, rows)), nl=False)
    else:
        show(lines, by, sys.stdout)


@usage.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(list(_EXPORTS)),
    default="csv",
    show_default=True,
    help="How the rows are written; in CSV no cell is a formula.",
)
@click.option(
    "--since", type=_moment, metavar="WHEN", default=None, help="From when on; by default all rows."
)
@click.option("--until", type=_moment, metavar="WHEN", default=None, help="Until when.")
@click.option("--key", default="", help="Only this key, by its id or name.")
@click.option("--model", default="", help="Only this model.")
@click.option("--outcome", default="", help='Only this outcome; "error" means all but "ok".')
def export(
    form: str, since: float | None, until: float | None, key: str, model: str, outcome: str
) -> None:
    """Print every row of the ledger, the newest first."""
    wanted = RowFilter(since_s=since, until_s=until, model=model, outcome=outcome)
    with _ledger() as ledger:
        rows = (row for row in ledger.all_rows(wanted) if key in ("", row.key_id, row.key_name))
        for piece in _EXPORTS[form](rows):
            click.echo(piece, nl=False)


def summary(buckets: Iterable[Bucket], by: By, key: str = "") -> list[Line]:
    """The sums by hour or day, in their order, or by key or model, the largest first.

    Args:
        buckets: what was counted.
        by: what each line is of.
        key: only this key, by its id or name; empty for all.
    """
    sums: dict[str, Tally] = {}
    for bucket in buckets:
        for group, tally in bucket.tallies.items():
            if key in ("", group.key_id, group.key_name):
                sums.setdefault(_name(by, bucket.start_s, group), Tally()).merge(tally)
    lines = [Line(name, tally) for name, tally in sums.items()]
    if by in ("key", "model"):
        lines.sort(key=lambda line: (-line.tally.tokens, line.name))
    return lines


def show(lines: list[Line], by: By, out: TextIO) -> None:
    """Write the summary: drawn if a person looks at it, else a line for each, tabs between."""
    if not out.isatty():
        for cells in ([by, *_COLUMNS], *([line.name, *line.cells().values()] for line in lines)):
            out.write("\t".join("" if cell is None else _plain(str(cell)) for cell in cells) + "\n")
        return
    if not lines:
        out.write("Nothing was asked in that time.\n")
        return
    Console(file=out).print(_table(lines[-_MOST_DRAWN:], by))


def _table(lines: list[Line], by: By) -> Table:
    most = max(line.tally.tokens for line in lines)
    table = Table(by, box=None, pad_edge=False, header_style="bold")
    for heading in ("requests", "errors", "tokens", "points", "first p50", "p95"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for line in lines:
        tally = line.tally
        points = tally.points + tally.points_estimated
        table.add_row(
            Text(_plain(line.name)),
            f"{tally.requests:,}",
            Text(f"{tally.errors:,}", style="red" if tally.errors else "dim"),
            f"{tally.tokens:,}",
            f"{'~' if tally.points_estimated else ''}{points:,.0f}",
            _seconds(percentile(tally.first_token, 0.5)),
            _seconds(percentile(tally.first_token, 0.95)),
            Text(bar(tally.tokens, most), style="cyan"),
        )
    return table


def bar(number: int, most: int) -> str:
    """A bar as long as the number is large beside the largest, to an eighth of a letter."""
    eighths = round(8 * _BAR_CELLS * number / most) if most else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


@contextmanager
def _ledger() -> Iterator[Ledger]:
    """The ledger of the service that the environment describes."""
    settings = read_settings()
    store = open_store(settings.store_url, settings.state_dir)
    try:
        yield Ledger(store, worker="command", bounds=LedgerBounds(), clock=time.time)
    except StoreUnavailable as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


def _name(by: By, start_s: int, group: Group) -> str:
    match by:
        case "hour":
            return datetime.fromtimestamp(start_s, UTC).strftime("%Y-%m-%d %H:00")
        case "day":
            return datetime.fromtimestamp(start_s, UTC).strftime("%Y-%m-%d")
        case "key":
            return group.key_name
        case "model":
            return group.bot


def _plain(text: str) -> str:
    """The text in one line and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}s"
