"""Tells the client, whatever API it speaks, which bot answered in place of the one it asked for."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, Response

from poeflask.bridge import Answer
from poeflask.web.current import kept

HEADER = "x-poeflask-fallback"

_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
"""All that may stand in a header as it is; the rest is written as in a URL."""


def install(app: Flask) -> None:
    """Give the answers of the app the header, where there is something to tell."""
    app.after_request(_mark)


def note(answer: Answer) -> None:
    """Keep for the current request who answers it, as far as that is known."""
    if answer.asked_bot:
        kept().fallback = answer.asked_bot


def _mark(response: Response) -> Response:
    bot = kept().get("fallback", "")
    if bot and response.status_code < 400:
        response.headers[HEADER] = quote(bot, safe=_PLAIN, errors="replace")
    return response
