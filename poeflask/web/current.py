"""The current request and what is kept with it, themselves and not Flask's proxies for them.

Each look through a proxy costs more than what is read behind it, so what runs for every request
and reads several things asks here once.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Request, g, request


def current_request() -> Request:
    """The request that is being handled."""
    return cast("Any", request)._get_current_object()  # type: ignore[no-any-return] # werkzeug's own word


def kept() -> Any:
    """What `g` stands for while the request is being handled."""
    return cast("Any", g)._get_current_object()
