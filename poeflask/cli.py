"""The `poeflask` command: serve, simulator, settings, and those of `commands`."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import cast

import click

from poeflask import __version__
from poeflask.commands.admin import first_setup_link
from poeflask.commands.environment import read_settings
from poeflask.commands.probes import (
    GUNICORN_CONF,
    files_wanted,
    models_findings,
    store_findings,
    tracing_findings,
)
from poeflask.core import json_text
from poeflask.core.errors import PoeflaskError
from poeflask.log_lines import to_standard_error
from poeflask.settings import ELSEWHERE, Settings, markdown_table, unknown_variables
from poeflask.shown_settings import ShownSetting, in_force
from poeflask.stores.addresses import shown
from poeflask.stores.base import StoreUnavailable

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


_ROOM = "poeflask.commands"

COMMANDS = {
    "admin": "admin",
    "backup": "backup",
    "chat": "chat",
    "check": "check",
    "health": "health",
    "keys": "keys",
    "models": "models",
    "poe-keys": "poe_keys",
    "restore": "backup",
    "usage": "usage",
}
"""Commands by name: the module of `commands` that defines each under the same name."""


class _Main(click.Group):
    """Reads a command's module when that command is asked for: none should wait for all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = import_module(f"{_ROOM}.{COMMANDS[cmd_name]}")
            return cast("click.Command", getattr(module, cmd_name.replace("-", "_")))
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what no command foresees of the store is told in one sentence."""
        try:
            return super().invoke(ctx)
        except (PoeflaskError, StoreUnavailable) as error:
            raise click.ClickException(_reason(error)) from error


@click.group(cls=_Main)
@click.version_option(__version__, package_name="poeflask", prog_name="poeflask")
def main() -> None:
    """Every Poe bot behind the APIs that clients already speak."""
    to_standard_error()


@main.command()
def serve() -> None:
    """Serve the API. What can be set is told by `poeflask settings`."""
    settings = read_settings()
    bad_models = (found.text for found in models_findings(settings) if found.level == "fault")
    for sentence in (*unknown_variables(os.environ), *bad_models):
        click.echo(sentence, err=True)
    inherited = "LISTEN_FDS" in os.environ
    findings = (*store_findings(settings), *tracing_findings(settings))
    faults = [found.text for found in findings if found.level == "fault"]
    faults += [] if inherited else _address_faults(settings)
    if faults:
        raise click.ClickException("\n".join(faults))
    click.echo(banner(settings, inherited=inherited))
    _tell_setup(settings, inherited=inherited)
    sys.stdout.flush()
    _allow_files(files_wanted(settings))
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


@main.command("settings")
@click.option("--markdown", is_flag=True, help="Print the table that stands in the README.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def show_settings(markdown: bool, as_json: bool) -> None:
    """Tell what can be set, what is in force, and where that comes from."""
    if markdown:
        click.echo(markdown_table(), nl=False)
        return
    found = in_force(read_settings(), Settings.sources(os.environ))
    if as_json:
        click.echo(json_text.write([asdict(one) for one in found]))
        return
    for one in found:
        click.echo(f"{one.variable} = {_value(one)} ({_source(one)})\n    {one.doc}")
    for sentence in unknown_variables(os.environ):
        click.echo(sentence, err=True)


def gunicorn_arguments(settings: Settings, *, inherited: bool) -> list[str]:
    """What gunicorn is told beside its configuration file.

    Args:
        settings: the settings.
        inherited: whether systemd hands over sockets that listen already.
    """
    arguments = {
        "config": str(GUNICORN_CONF),
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
    with_simulator = settings.simulator_enabled
    text = _BANNER.format(
        version=__version__,
        address="an inherited socket" if inherited else _address(settings),
        workers=settings.workers,
        state=shown(settings.store_url, settings.state_dir),
        base=_base(settings, inherited=inherited),
        key="demo" if with_simulator else "$POE_API_KEY",
        bot="Echo" if with_simulator else "Claude-Sonnet-4.5",
    )
    return text + "\n" + (_WITH_SIMULATOR if with_simulator else _WITHOUT_SIMULATOR)


def _value(setting: ShownSetting) -> str:
    return setting.value or ("set, not shown" if setting.is_set else "empty")


def _source(setting: ShownSetting) -> str:
    if setting.source == "default":
        return "default"
    variable = setting.variable + ("_FILE" if setting.source == "file" else "")
    return f"from {variable}; default: {setting.default}"


def _reason(error: PoeflaskError | StoreUnavailable) -> str:
    """What an owner is told: why the store fails, where a client would only learn that it does."""
    if isinstance(error.__cause__, StoreUnavailable):
        return str(error.__cause__)
    return error.message if isinstance(error, PoeflaskError) else str(error)


def _allow_files(wanted: int) -> None:
    """Let what this process becomes open so many files, or as many as it may.

    Shells and containers often begin with 1,024, and have more for the asking.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _tell_setup(settings: Settings, *, inherited: bool) -> None:
    """Print the link that sets the first password of the admin page, if there is none yet."""
    found = first_setup_link(settings, _base(settings, inherited=inherited))
    if found:
        click.echo(f"\nSet the password of the admin page within a day, by this link:\n  {found}")


def _base(settings: Settings, *, inherited: bool) -> str:
    """What addresses begin with; where an inherited socket is reached only its owner knows."""
    return ELSEWHERE if inherited else settings.local_url


def _address(settings: Settings) -> str:
    bind = settings.bind
    return bind if bind.startswith("unix:") else f"http://{bind}"


def _address_faults(settings: Settings) -> Iterator[str]:
    """Why gunicorn could not listen at the address, which it would find out after long trying."""
    if settings.host.startswith("unix:"):
        folder = os.path.dirname(settings.host.removeprefix("unix:"))
        if not os.access(folder, os.W_OK | os.X_OK):
            yield (
                f"poeflask cannot make its socket in {folder}. Make that a folder that it may "
                "write, or set HOST to another address."
            )
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
