"""`poeflask health`: whether the service that these settings describe answers, for supervisors."""

from __future__ import annotations

import http.client
import socket

import click

from poeflask.commands.environment import read_settings
from poeflask.settings import Settings

_PATIENCE_S = 4.0


@click.command()
def health() -> None:
    """Ask the running service whether it lives; the exit code says what it said."""
    settings = read_settings()
    try:
        status = _asked(settings)
    except (OSError, http.client.HTTPException) as error:
        raise click.ClickException(f"poeflask does not answer: {error}.") from error
    if status != 200:
        raise click.ClickException(f"poeflask answers with status {status}.")
    click.echo("poeflask lives.")


def _asked(settings: Settings) -> int:
    connection = _connection(settings)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status
    finally:
        connection.close()


def _connection(settings: Settings) -> http.client.HTTPConnection:
    if not settings.host.startswith("unix:"):
        anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
        host = anywhere.get(settings.host, settings.host)
        return http.client.HTTPConnection(host, settings.port, timeout=_PATIENCE_S)
    connection = http.client.HTTPConnection("localhost", timeout=_PATIENCE_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(_PATIENCE_S)
    try:
        connection.sock.connect(settings.host.removeprefix("unix:"))
    except OSError:
        connection.close()
        raise
    return connection
