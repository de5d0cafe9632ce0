"""How gunicorn serves poeflask, where the settings do not say: its configuration file.

gunicorn runs this file before anything else, so the patch comes first: patched later, every HTTPS
call would end in a RecursionError. It imports nothing of poeflask, since what is imported here
would stay the old version after a reload. `poeflask serve` adds what the settings decide.
"""

from gevent import events, monkey

# Or gevent looks for plugins in the metadata of every installed package, 25 times; there are none.
events.notify_and_call_entry_points = events.notify
monkey.patch_all()

import gc  # noqa: E402 - the patch comes before every other import
import logging  # noqa: E402 - as above
import os  # noqa: E402 - as above
import shutil  # noqa: E402 - as above
import signal  # noqa: E402 - as above
import socket  # noqa: E402 - as above
import sys  # noqa: E402 - as above
import tempfile  # noqa: E402 - as above
from pathlib import Path  # noqa: E402 - as above
from typing import Any  # noqa: E402 - as above

import gevent  # noqa: E402 - as above
from gunicorn import glogging  # noqa: E402 - as above

wsgi_app = "poeflask.app:create_app()"
worker_class = "gevent"
workers = len(os.sched_getaffinity(0))
worker_connections = 4000
backlog = 4096

# A worker whose loop is blocked for so long is killed; a long answer is not meant.
timeout = 60
graceful_timeout = 60
# Longer, and connections that a proxy keeps idle hold up each restart for graceful_timeout.
keepalive = 2
# A worker that counted its requests would stop serving until its longest answer ends.
max_requests = 0
# Preloaded code would not be loaded again by a reload.
preload_app = False
# The sign of life of the workers; on a slow disk they would be taken for dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - gunicorn unlinks it
control_socket_disable = True

# poeflask itself decides which forwarded headers it believes (POEFLASK_TRUSTED_PROXIES), and logs
# each request itself.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
accesslog = None


class _ForJournal(logging.Formatter):
    """Tells the level in front of each line, as sd-daemon(3) has it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines."""
        error, warning = record.levelno >= logging.ERROR, record.levelno >= logging.WARNING
        mark = "<3>" if error else "<4>" if warning else "<6>"
        return mark + super().format(record).replace("\n", f"\n{mark}")


class DiscreetLogger(glogging.Logger):  # type: ignore[misc] # gunicorn has no types
    """Repeats of a request only what holds no key: Google's clients may send theirs in the line."""

    def setup(self, cfg):  # type: ignore[no-untyped-def] # as above
        """As gunicorn, and tell systemd's journal, if it reads, the level of each line."""
        super().setup(cfg)
        about = os.fstat(2)
        if os.environ.get("JOURNAL_STREAM") == f"{about.st_dev}:{about.st_ino}":
            for handler in self.error_log.handlers:
                handler.setFormatter(_ForJournal(self.error_fmt, self.datefmt))

    def warning(self, msg, *args, **kwargs):  # type: ignore[no-untyped-def] # as above
        """Log the sort of a fault without what was sent: "Invalid request from ip=...: sort"."""
        if msg.startswith("Invalid request "):
            msg = ": ".join(msg.split(": ")[:2])
        super().warning(msg, *args, **kwargs)

    def exception(self, msg, *args, **kwargs):  # type: ignore[no-untyped-def] # as above
        """Log a fault of ours, and of the request's address only the path."""
        super().exception(msg, *(str(one).partition("?")[0] for one in args), **kwargs)


logger_class = DiscreetLogger

# A socket that gunicorn binds itself is for its owner and its group, as the proxy's user may be.
umask = 0o007

limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 16380


_METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Where workers keep the numbers that Prometheus reads, so that each can tell those of all."""

_OWN_METRICS_DIR = "poeflask-metrics-"


def on_starting(server):  # type: ignore[no-untyped-def] # gunicorn has no types
    """Make a folder for the workers' numbers, or empty the one that is named."""
    named = Path(os.environ.get(_METRICS_DIR, ""))
    # One of ours is that of the master which this one replaces.
    if named.name and not named.name.startswith(_OWN_METRICS_DIR):
        named.mkdir(parents=True, exist_ok=True)
        _unlink(named, "*.db")
        return
    os.environ[_METRICS_DIR] = tempfile.mkdtemp(prefix=_OWN_METRICS_DIR, dir=worker_tmp_dir)


def on_exit(server):  # type: ignore[no-untyped-def] # gunicorn has no types
    """Leave nothing behind."""
    folder = Path(os.environ[_METRICS_DIR])
    if folder.name.startswith(_OWN_METRICS_DIR):
        shutil.rmtree(folder, ignore_errors=True)


def child_exit(server, worker):  # type: ignore[no-untyped-def] # gunicorn has no types
    """What a dead worker has open is open no more; what it counted still counts."""
    _unlink(Path(os.environ[_METRICS_DIR]), f"gauge_live*_{worker.pid}.db")


def worker_exit(server, worker):  # type: ignore[no-untyped-def] # gunicorn has no types
    """Write down what the worker has not written yet."""
    # A worker that could not load the app has none.
    metering = getattr(getattr(worker, "wsgi", None), "extensions", {}).get("poeflask.metering")
    if metering is not None:
        metering.end_work()


def _unlink(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)


def post_fork(server, worker):  # type: ignore[no-untyped-def] # gunicorn has no types
    """Let the worker load the app without looking for garbage: a sixth of its time, for nothing."""
    gc.disable()


def post_worker_init(worker):  # type: ignore[no-untyped-def] # gunicorn has no types
    """Let the app see when its worker is told to stop, and how long it may go on from then."""
    # What has been loaded stays; looking through it again and again would find nothing to free.
    gc.freeze()
    gc.enable()
    # A terminal sends Ctrl+C to all processes, but the master sends the workers home itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # gunicorn's own handler lets the worker's loop end while it waits, and then ends the process a
    # second time, with a traceback.
    signal.signal(signal.SIGQUIT, lambda *_: gevent.spawn(sys.exit, 0))
    _bound_sending(worker)
    extensions = getattr(worker.wsgi, "extensions", {})
    if "poeflask.drain" in extensions:
        extensions["poeflask.drain"].follow(lambda: worker.alive, worker.cfg.graceful_timeout)
    if "poeflask.metering" in extensions:
        extensions["poeflask.metering"].begin_work()


def _bound_sending(worker: Any) -> None:
    """Let the system cut connections on which nothing was acknowledged for too long.

    Clients that keep a connection and read nothing would hold their greenlets for ever. What is
    accepted takes the option over from what listens, so it costs nothing for each request; and any
    progress counts, so a slow reader is not taken for one that has stopped.
    """
    limit_s = getattr(worker.wsgi, "config", {}).get("SEND_TIMEOUT_S", 0)
    for listener in worker.sockets if limit_s else ():
        if listener.family != socket.AF_UNIX:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limit_s * 1000))
