"""Refuses requests that another program on the way may have understood otherwise.

gunicorn refuses nearly all of them before they come here: two lengths, a length beside chunks, bare
line ends. What it lets through is a host that is missing or no host at all, and a body that says to
be compressed below its chunks, which nobody here would uncompress.
"""

from __future__ import annotations

import re

from flask import Flask

from poeflask.core.errors import ClientError, ErrorKind
from poeflask.web.current import current_request

# Underscores are in no true host name, but in names of containers.
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def install(app: Flask) -> None:
    """Make the app refuse them, before any route is asked."""
    app.before_request(_screen)


def _screen() -> None:
    """Let the current request pass.

    Raises:
        ClientError: its host or its framing could be understood in two ways.
    """
    environ = current_request().environ
    host = environ.get("HTTP_HOST")
    if host is None and environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        # Older than the header.
        host = "none"
    if not _HOST.fullmatch(host or ""):
        raise ClientError(
            ErrorKind.INVALID_REQUEST,
            "The header 'Host' must be there, with a name or an address and perhaps a port.",
        )
    coding = environ.get("HTTP_TRANSFER_ENCODING", "chunked")
    if coding.strip().lower() != "chunked":
        raise ClientError(
            ErrorKind.INVALID_REQUEST,
            f"The body is sent with Transfer-Encoding {coding[:40]!r}; "
            "send it as 'chunked' alone or with a Content-Length.",
        )
