"""The `poeflask` command: serve, simulator, check, backup, restore, settings, and `commands`."""

from __future__ import annotations

import lzma
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module, resources
from pathlib import Path
from typing import cast

import click

from poeflask import __version__
from poeflask.commands.admin import admin, first_setup_link
from poeflask.commands.chat import chat
from poeflask.commands.health import health
from poeflask.commands.poe_keys import poe_keys
from poeflask.core import json_text
from poeflask.poe.overrides import OverridesError
from poeflask.poe.overrides import read as read_overrides
from poeflask.settings import Settings, SettingsError, markdown_table, unknown_variables
from poeflask.stores import open_store
from poeflask.stores.addresses import is_redis, shown
from poeflask.stores.backup import BackupError, Summary, back_up, dated, prune
from poeflask.stores.backup import restore as restore_backup
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.sqlite_file import FileInUseError

_GUNICORN_CONF = Path(__file__).with_name("gunicorn_conf.py")

_BANNER = """\
poeflask {version} on {address} ({workers} workers, state in {state})

Try it:
  curl -N {base}/v1/chat/completions -H "Authorization: Bearer {key}" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "{bot}", "stream": true, "messages": [{{"role": "user", "content": "Hello!"}}]}}'
  curl {base}/v1/models -H "Authorization: Bearer {key}"
  curl {base}/v1/messages -H "x-api-key: {key}" -H "Content-Type: application/json" \\
    -d '{{"model": "{bot}", "max_tokens": 99, "messages": [{{"role": "user", "content": "Hi!"}}]}}'

OpenAI's SDKs take base_url "{base}/v1" and the key as api_key.
"""
_WITH_SIMULATOR = (
    'The key "demo" is answered by a Poe that runs here; your own Poe key by the real.'
)
_WITHOUT_SIMULATOR = "The key is your own Poe key, from https://poe.com/api_key."


_GROUPS = {"keys": "poeflask.commands.keys", "models": "poeflask.commands.models"}
"""Groups of commands by name: the modules that define them under the same name."""


class _Main(click.Group):
    """Reads a group's module when that group is asked for: serving should not wait for all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_GROUPS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _GROUPS:
            return cast("click.Command", getattr(import_module(_GROUPS[cmd_name]), cmd_name))
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Main)
@click.version_option(__version__, package_name="poeflask", prog_name="poeflask")
def main() -> None:
    """Every Poe bot behind the APIs that clients already speak."""


for _command in (admin, chat, health, poe_keys):
    main.add_command(_command)


@main.command()
def serve() -> None:
    """Serve the API. What can be set is told by `poeflask settings`."""
    settings = _settings(os.environ)
    bad_models = _models_faults(settings.state_dir / "models.yaml")
    for sentence in (*unknown_variables(os.environ), *bad_models):
        click.echo(sentence, err=True)
    inherited = "LISTEN_FDS" in os.environ
    faults = [*_store_faults(settings), *([] if inherited else _address_faults(settings))]
    if faults:
        raise click.ClickException("\n".join(faults))
    click.echo(banner(settings, inherited=inherited))
    _tell_setup(settings, inherited=inherited)
    sys.stdout.flush()
    arguments = gunicorn_arguments(settings, inherited=inherited)
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments])  # noqa: S606


@main.command()
@click.option("--port", default=8090, show_default=True, help="The TCP port; 0 for any.")
def simulator(port: int) -> None:
    """Run a Poe of your own on this machine, for offline work. Point POE_BASE_URL at it."""
    # The simulator is heavy and needs the patch before it; no other command needs either.
    from poeflask import _patch  # noqa: F401, I001
    import gevent
    from gevent.event import Event
    from poeflask.simulator.server import SimulatorServer

    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, stopped.set)
    server = SimulatorServer(port)
    click.echo(f"A simulated Poe answers on {server.start()}. Stop it with Ctrl+C.")
    stopped.wait()
    server.stop()


@main.command()
def check() -> None:
    """Look for what would keep poeflask from working; say how to mend it."""
    faults = list(_faults(os.environ))
    for fault in faults:
        click.echo(f"fault: {fault}")
    for remark in _remarks(os.environ):
        click.echo(f"remark: {remark}")
    if faults:
        raise SystemExit(1)
    click.echo("All is well.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="FILE is a folder: make a backup with a date in it, and keep so many of the latest.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell what was written as JSON.")
def backup(file: Path, keep: int | None, as_json: bool) -> None:
    """Write all state into FILE, also while poeflask runs."""
    settings = _settings(os.environ)
    if file.is_dir() != (keep is not None):
        raise click.UsageError("With --keep, FILE must be a folder; without it, a file.")
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


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Also while poeflask runs.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was restored as JSON.")
def restore(file: Path, force: bool, as_json: bool) -> None:
    """Put the state of a backup in the place of the present one, which is kept beside it."""
    settings = _settings(os.environ)
    with _backup_errors(), _progress() as progress:
        done = restore_backup(settings.state_dir, file, force=force, progress=progress)
    _tell(done, "Restored", as_json)


@main.command("settings")
@click.option("--markdown", is_flag=True, help="Print the table that stands in the README.")
def show_settings(markdown: bool) -> None:
    """Tell what can be set, by which variable, and what is set by default."""
    if markdown:
        click.echo(markdown_table(), nl=False)
        return
    for row in Settings.describe():
        variable = f"{row.variable}, {row.variable}_FILE" if row.secret else row.variable
        default = row.default.replace("`", "")
        click.echo(f"{variable} (default: {default})\n    {row.doc.replace('`', '')}")


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


def gunicorn_arguments(settings: Settings, *, inherited: bool) -> list[str]:
    """What gunicorn is told beside its configuration file.

    Args:
        settings: the settings.
        inherited: whether systemd hands over sockets that listen already.
    """
    arguments = {
        "config": str(_GUNICORN_CONF),
        "workers": str(settings.workers),
        "worker-connections": str(settings.worker_connections),
        "graceful-timeout": str(round(settings.drain_s)),
        "log-level": settings.log_level,
    }
    if not inherited:
        arguments["bind"] = settings.bind
    return [f"--{name}={value}" for name, value in arguments.items()]


def banner(settings: Settings, *, inherited: bool) -> str:
    """What is running, where, and three commands to try."""
    with_simulator = settings.demo_key_works
    text = _BANNER.format(
        version=__version__,
        address="an inherited socket" if inherited else _address(settings),
        workers=settings.workers,
        state=shown(settings.store_url, settings.state_dir),
        base=settings.local_url,
        key="demo" if with_simulator else "$POE_API_KEY",
        bot="Echo" if with_simulator else "Claude-Sonnet-4.5",
    )
    return text + "\n" + (_WITH_SIMULATOR if with_simulator else _WITHOUT_SIMULATOR)


def _tell_setup(settings: Settings, *, inherited: bool) -> None:
    """Print the link that sets the first password of the admin page, if there is none yet."""
    base = "https://your.proxy.example" if inherited else settings.local_url
    found = first_setup_link(settings, base)
    if found:
        click.echo(f"\nSet the password of the admin page within a day, by this link:\n  {found}")


def _settings(environ: Mapping[str, str]) -> Settings:
    try:
        return Settings.from_environ(environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _address(settings: Settings) -> str:
    bind = settings.bind
    return bind if bind.startswith("unix:") else f"http://{bind}"


def _faults(environ: Mapping[str, str]) -> Iterator[str]:
    try:
        settings = Settings.from_environ(environ)
    except SettingsError as error:
        yield from error.faults
        return
    yield from _store_faults(settings)
    yield from _models_faults(settings.state_dir / "models.yaml")
    yield from _vocabulary_faults(Path(str(resources.files("poeflask.vocabulary"))))
    yield from _app_faults()


def _store_faults(settings: Settings) -> Iterator[str]:
    try:
        store = open_store(settings.store_url, settings.state_dir)
    except ValueError as error:
        yield f"POEFLASK_STORE_URL: {error}."
        return
    try:
        store.put("check", b"writable", ttl_s=1)
        store.delete("check")
    except StoreUnavailable as error:
        yield f"{error} {_store_advice(settings)}"
    finally:
        store.close()


def _store_advice(settings: Settings) -> str:
    if is_redis(settings.store_url):
        return "Start it, or set POEFLASK_STORE_URL to where it is, with its password."
    return f"Let poeflask write in {settings.state_dir}, or set CONFIG_DIR to another."


def _address_faults(settings: Settings) -> Iterator[str]:
    """Why gunicorn could not listen at the address, which it would find out after long trying."""
    if settings.host.startswith("unix:"):
        return
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        yield (
            f"poeflask cannot listen on {_address(settings)}: {error.strerror}. "
            "Stop what listens there, or set HOST and PORT to another address."
        )


def _models_faults(path: Path) -> Iterator[str]:
    try:
        read_overrides(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, OverridesError) as error:
        yield f"{path} cannot be used: {error}"


def _vocabulary_faults(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.xz")):
        try:
            with lzma.open(path) as file:
                while file.read(2**20):
                    pass
        except (OSError, EOFError, lzma.LZMAError):
            yield f"The vocabulary {path} is damaged or cannot be read; install poeflask again."


def _app_faults() -> Iterator[str]:
    """Load the app as a worker would, in a process of its own."""
    command = [sys.executable, "-m", "gunicorn", "--check-config", f"--config={_GUNICORN_CONF}"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if loaded.returncode:
        yield f"poeflask does not start; install it again. It said:\n{loaded.stderr.strip()}"


def _remarks(environ: Mapping[str, str]) -> Iterator[str]:
    yield from unknown_variables(environ)
    memory = environ.get("POEFLASK_STORE_URL", "").strip().lower() == "memory"
    if memory and environ.get("POEFLASK_WORKERS", "").strip() != "1":
        yield (
            "With POEFLASK_STORE_URL=memory each worker has records of its own; "
            "set POEFLASK_WORKERS=1 or keep them in the default file."
        )
