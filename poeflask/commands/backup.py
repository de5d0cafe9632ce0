"""`poeflask backup` and `poeflask restore`: all state in one file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from poeflask import __version__
from poeflask.commands.environment import read_settings
from poeflask.core import json_text
from poeflask.stores.addresses import is_redis, shown
from poeflask.stores.backup import BackupError, Summary, back_up, dated, prune
from poeflask.stores.backup import restore as restore_backup
from poeflask.stores.sqlite_file import FileInUseError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="FILE is a folder: make a backup with a date in it, and keep so many of the latest.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell what was written as JSON.")
def backup(file: Path, keep: int | None, as_json: bool) -> None:
    """Write all state into FILE, also while poeflask runs."""
    settings = read_settings()
    if file.is_dir() != (keep is not None):
        raise click.UsageError("With --keep, FILE must be a folder; without it, a file.")
    if not settings.state_dir.is_dir():
        # An empty backup would look like a good one, and push good ones out.
        raise click.ClickException(
            f"There is no folder {settings.state_dir}; set CONFIG_DIR to the one of the service."
        )
    if is_redis(settings.store_url):
        click.echo(
            f"What {shown(settings.store_url, settings.state_dir)} keeps is not in the backup: "
            "that Redis' own snapshots hold it. Only the state folder is backed up.",
            err=True,
        )
    with _backup_errors(), _progress() as progress:
        target = file if keep is None else dated(file)
        done = back_up(settings.state_dir, target, version=__version__, progress=progress)
        if keep is not None:
            prune(file, keep)
    _tell(done, "Backed up", as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Also while poeflask runs.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was restored as JSON.")
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Put the state of a backup in the place of the present one, which is kept beside it."""
    settings = read_settings()
    with _backup_errors(), _progress() as progress:
        done = restore_backup(settings.state_dir, file, force=force, progress=progress)
    _tell(done, "Restored", as_json)


@contextmanager
def _backup_errors() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    except FileInUseError as error:
        raise click.ClickException(
            f"{error}: stop poeflask first, or give --force to restore while it runs."
        ) from error


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Tells on a terminal's standard error how much is done, in one line that goes away."""
    shown_percent = -1
    on_terminal = sys.stderr.isatty()

    def tell(done: int, total: int) -> None:
        nonlocal shown_percent
        percent = 100 * done // max(total, 1)
        if on_terminal and percent != shown_percent:
            shown_percent = percent
            click.echo(f"\r{percent:3} %", err=True, nl=False)

    yield tell
    if shown_percent >= 0:
        click.echo("\r     \r", err=True, nl=False)


def _tell(done: Summary, verb: str, as_json: bool) -> None:
    if as_json:
        told = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(done).items()
        }
        click.echo(json_text.write(told))
        return
    click.echo(f"{verb} {done.files} files of {done.state_dir}, {done.bytes} bytes: {done.file}")
    if done.replaced is not None:
        click.echo(f"What was there before is in {done.replaced}")
