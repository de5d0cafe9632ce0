"""Which links lead to files that may be fetched: Poe's own, and no others.

A bot's answer may hold any link, also one into the network that this machine stands in. So nothing
is fetched but what lies where Poe keeps files.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from poeflask.poe.attachments import on_poe

MayFetch = Callable[[str], bool]


def poe_files(base_url: str = "") -> MayFetch:
    """The rule for links: https to Poe's file servers, or anything at the very address `base_url`.

    The latter is for a Poe that keeps its files beside its API, as the simulator does.
    """
    base = urlsplit(base_url)

    def may_fetch(url: str) -> bool:
        parts = _split(url)
        if parts is None or parts.username is not None or parts.password is not None:
            return False
        if base.netloc and (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
            return True
        return parts.scheme == "https" and parts.port in (None, 443) and on_poe(parts)

    return may_fetch


def _split(url: str) -> SplitResult | None:
    """The link's parts; None if it has white space or control letters, or cannot be a link."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None
