"""What can be looked at on this machine without asking anybody: probes for `poeflask check`."""

from __future__ import annotations

import lzma
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from poeflask import __version__
from poeflask.commands import nginx_site
from poeflask.commands.findings import Finding, fault, ok, remark
from poeflask.core.tokens import TokenCounter
from poeflask.poe.overrides import OverridesError
from poeflask.poe.overrides import read as read_overrides
from poeflask.settings import NO_TRACING, Settings
from poeflask.stores import STORE_FILE, open_store
from poeflask.stores.addresses import is_redis, shown
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.sqlite_file import faults as file_faults
from poeflask.vocabulary import o200k

Probe = Callable[[Settings], Iterator[Finding]]

GUNICORN_CONF = Path(str(resources.files("poeflask"))) / "gunicorn_conf.py"

_METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"

VOCABULARY = Path(str(resources.files("poeflask.vocabulary")))

_LEAST_FREE_BYTES = 256 * 2**20
_FILES_AN_ANSWER = 2
"""Descriptors that an answer needs: its client's connection and Poe's."""

_SENTENCE = "The quick brown fox jumps over the lazy dog."
_SENTENCE_TOKENS = 10


def store_findings(settings: Settings) -> Iterator[Finding]:
    """Whether state can be kept."""
    try:
        store = open_store(settings.store_url, settings.state_dir)
    except ValueError as error:
        yield fault("store", f"POEFLASK_STORE_URL: {error}.")
        return
    try:
        store.put("check", b"writable", ttl_s=1)
        store.delete("check")
    except StoreUnavailable as error:
        yield fault("store", str(error))
    else:
        yield ok(
            "store", f"{shown(settings.store_url, settings.state_dir)} keeps what it is given."
        )
    finally:
        store.close()
    if settings.store_url == "memory" and settings.workers != 1:
        yield remark(
            "store",
            "With POEFLASK_STORE_URL=memory each worker has records of its own; "
            "set POEFLASK_WORKERS=1 or keep them in the default file.",
        )


def models_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the owner's file of models is understood."""
    path = settings.state_dir / "models.yaml"
    try:
        read_overrides(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        yield ok("models", f"there is no {path}; Poe's list stands as it is.")
    except (OSError, UnicodeDecodeError, OverridesError) as error:
        yield fault("models", f"{path} cannot be used: {error}")
    else:
        yield ok("models", f"{path} is understood.")


def kept_findings(settings: Settings) -> Iterator[Finding]:
    """Whether what the store was given is still there, and stays; told if it can be reached."""
    found = list(store_findings(settings))
    yield from found
    if any(finding.level == "fault" for finding in found):
        return
    if is_redis(settings.store_url):
        yield from _eviction_findings(settings)
    yield from file_findings(settings)


def _eviction_findings(settings: Settings) -> Iterator[Finding]:
    # As in `open_store`.
    from poeflask.stores.redis import KEEPS_ALL, RedisStore

    store = RedisStore(settings.store_url)
    try:
        policy = store.eviction()
    except StoreUnavailable:
        return
    finally:
        store.close()
    if policy != KEEPS_ALL:
        yield remark(
            "store",
            f"With its maxmemory-policy {policy}, that Redis forgets keys and budgets once it is "
            f"full; set it to {KEEPS_ALL}.",
        )


def file_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the store's file is whole."""
    path = settings.state_dir / STORE_FILE
    if settings.store_url != "sqlite" or not path.exists():
        return
    found = file_faults(path)
    if found is not None:
        yield fault("store", f"{found} Restore the last backup with `poeflask restore FILE`.")


def folder_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the state folder is private and has room."""
    folder = settings.state_dir
    if settings.store_url == "memory" or not folder.is_dir():
        return
    sound = True
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        sound = False
        yield remark("folder", f"Others can look into {folder}; say `chmod 700 {folder}`.")
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < _LEAST_FREE_BYTES:
        sound = False
        yield remark(
            "folder",
            f"Only {free_bytes // 2**20} MiB are free on the disk of {folder}; make room.",
        )
    if sound:
        yield ok("folder", f"{folder} is private and has room.")


def vocabulary_findings(_settings: Settings, folder: Path = VOCABULARY) -> Iterator[Finding]:
    """Whether tokens can be counted."""
    for path in sorted(folder.glob("*.xz")):
        try:
            with lzma.open(path) as file:
                while file.read(2**20):
                    pass
        except (OSError, EOFError, lzma.LZMAError):
            yield fault(
                "tokenizer",
                f"The vocabulary {path} is damaged or cannot be read; install poeflask again.",
            )
            return
    counted = TokenCounter(o200k.load).count(_SENTENCE)
    if counted == _SENTENCE_TOKENS:
        yield ok("tokenizer", "tokens are counted as they should be.")
    else:
        yield fault(
            "tokenizer",
            f"A sentence of {_SENTENCE_TOKENS} tokens is counted as {counted}; install poeflask "
            "again.",
        )


def files_wanted(settings: Settings) -> int:
    """How many files a worker may need to have open."""
    return _FILES_AN_ANSWER * settings.worker_connections + 256


def descriptor_findings(settings: Settings) -> Iterator[Finding]:
    """Whether as many connections may be open as the settings allow."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files_wanted(settings)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        answers = (hard - 256) // _FILES_AN_ANSWER
        yield remark(
            "files",
            f"No more than {hard} files may be open here, enough for {max(answers, 0)} answers at "
            f"a time in each worker; for {settings.worker_connections} let root say "
            f"`ulimit -n {wanted}`, or say LimitNOFILE={wanted} to systemd.",
        )
    else:
        yield ok("files", "as many files may be open as the workers may need.")


def tracing_findings(settings: Settings) -> Iterator[Finding]:
    """Whether what is to send traces is there."""
    if settings.otlp_endpoint and find_spec("opentelemetry") is None:
        yield fault("traces", NO_TRACING)


def app_findings(settings: Settings) -> Iterator[Finding]:
    """Load the app as a worker would, in a process of its own."""
    # It would say the same, at the end of a traceback.
    if any(tracing_findings(settings)):
        return
    command = [sys.executable, "-m", "gunicorn", "--check-config", f"--config={GUNICORN_CONF}"]
    # The folder that it names is made by a start, and by nothing else.
    environ = {name: value for name, value in os.environ.items() if name != _METRICS_DIR}
    # gunicorn looks for the app where it is started: in a checkout it would find that one.
    home = GUNICORN_CONF.parent.parent
    loaded = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env=environ, cwd=home
    )
    if loaded.returncode:
        said = loaded.stderr.strip()
        yield fault("app", f"poeflask does not start; install it again. It said:\n{said}")
    else:
        yield ok("app", f"poeflask {__version__} loads.")


def nginx_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the nginx of this machine, if there is one, lets answers through as they come."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        return
    dumped = subprocess.run([nginx, "-T"], capture_output=True, text=True, check=False)  # noqa: S603
    if dumped.returncode and "ermission denied" in dumped.stderr:
        return
    if dumped.returncode:
        said = dumped.stderr.strip().splitlines()
        yield remark("nginx", f"its configuration is not sound: {said[0] if said else 'unknown'}")
        return
    needs = nginx_site.Needs(
        addresses=("poeflask", settings.bind),
        max_request_bytes=settings.max_request_bytes,
        idle_s=settings.idle_timeout_s,
        trusted_proxies=settings.trusted_proxies,
    )
    yield from nginx_site.examined(dumped.stdout, needs)


HERE: tuple[Probe, ...] = (
    kept_findings,
    folder_findings,
    models_findings,
    vocabulary_findings,
    descriptor_findings,
    nginx_findings,
    tracing_findings,
    app_findings,
)
"""All of them, in the order in which they are told."""
