"""How the address of a store is told to people: without a password, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

REDIS_SCHEMES = ("redis", "rediss", "unix")


def is_redis(url: str) -> bool:
    """Whether the setting names a Redis."""
    return url.partition("://")[0] in REDIS_SCHEMES and "://" in url


def place_of(url: str) -> str:
    """Where a Redis is: scheme, host, port and number, or the path of a socket.

    Raises:
        ValueError: it has no such place; the message quotes nothing of it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL of the Redis cannot be read") from None
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = f"[{host}]" if host and ":" in host else host
    return f"{parts.scheme}://{host or 'localhost'}:{port or 6379}{parts.path.rstrip('/')}"


def shown(url: str, state_dir: Path) -> str:
    """Where state is kept, for people."""
    if is_redis(url):
        return place_of(url)
    return str(state_dir) if url == "sqlite" else url
