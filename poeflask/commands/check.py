"""`poeflask check`: what keeps poeflask from working, what could be better, and how to mend it."""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import click

from poeflask import __version__
from poeflask.commands.findings import Finding, fault, ok, remark, tell, tell_as_json
from poeflask.commands.probes import HERE, Probe
from poeflask.commands.surroundings import poe_client
from poeflask.core.errors import PoeflaskError
from poeflask.settings import Settings, SettingsError, unknown_variables

_MOST_SKEW_S = 60.0
_PATIENCE_S = 10.0


@click.command()
@click.option("--online", is_flag=True, help="Also ask Poe, and look at the clock by its answer.")
@click.option("--url", help="Also ask poeflask itself at its public address.", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="Tell all that was looked at as JSON.")
def check(online: bool, url: str | None, as_json: bool) -> None:
    """Look for what would keep poeflask from working; say how to mend it.

    The exit code is 1 if anything would. Without options nothing is asked of the network, so that
    a reload may wait for it.
    """
    findings = examined(os.environ, online=online, url=url or "")
    if not (tell_as_json if as_json else tell)(findings):
        raise SystemExit(1)


def examined(environ: Mapping[str, str], *, online: bool, url: str) -> Iterator[Finding]:
    """Everything that is found, one after the other."""
    try:
        settings = Settings.from_environ(environ)
    except SettingsError as error:
        yield from (fault("settings", sentence) for sentence in error.faults)
        return
    strangers = list(unknown_variables(environ))
    yield from (remark("settings", sentence) for sentence in strangers)
    if not strangers:
        yield ok("settings", "all variables are understood.")
    for probe in (*HERE, *(_ONLINE if online else ())):
        yield from probe(settings)
    if url:
        yield from _public(url)


def _poe(settings: Settings) -> Iterator[Finding]:
    client = poe_client(settings)
    try:
        bots = client.models()
    except PoeflaskError as error:
        yield fault(
            "Poe",
            f"{settings.poe_base_url}: {error.message} Look at the network, at a firewall, and at "
            "POEFLASK_PROXY_URL.",
        )
    else:
        yield ok("Poe", f"{settings.poe_base_url} lists {len(bots)} bots.")
    finally:
        client.close()


def _clock(settings: Settings) -> Iterator[Finding]:
    if settings.proxy_url:
        return
    try:
        status, date, _ = _got(f"{settings.poe_base_url}/v1/models", method="HEAD")
    except (OSError, http.client.HTTPException):
        return
    if not date or status >= 500:
        return
    ahead_s = time.time() - parsedate_to_datetime(date).timestamp()
    if abs(ahead_s) > _MOST_SKEW_S:
        way = "fast" if ahead_s > 0 else "slow"
        yield fault(
            "clock",
            f"This machine's clock is {abs(ahead_s):.0f} s {way}: limits and logins end at the "
            "wrong time. Switch on time synchronisation, such as `timedatectl set-ntp true`.",
        )
    else:
        yield ok("clock", "it agrees with Poe's.")


def _public(url: str) -> Iterator[Finding]:
    """Whether the service answers at the address that clients use."""
    try:
        status, _, body = _got(url.rstrip("/") + "/openapi.json")
    except ssl.SSLCertVerificationError as error:
        yield fault("public", f"{url} has no certificate that clients accept: {error.reason}.")
        return
    except (OSError, ValueError, http.client.HTTPException) as error:
        yield fault("public", f"{url} cannot be reached: {error}.")
        return
    if status == 200 and b'"poeflask"' in body:
        yield ok("public", f"{url} leads to poeflask.")
    else:
        yield fault(
            "public",
            f"{url} does not lead to poeflask: it answers with status {status}. Look at the name "
            "and at proxy_pass in the proxy's site.",
        )


def _got(url: str, method: str = "GET") -> tuple[int, str, bytes]:
    """Status, date and body of one answer, straight from there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('it should look like "https://poe.example.org"')
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=_PATIENCE_S)
    try:
        connection.request(method, parts.path, headers={"User-Agent": f"poeflask/{__version__}"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Date", ""), answer.read(2**20)
    finally:
        connection.close()


_ONLINE: tuple[Probe, ...] = (_poe, _clock)
