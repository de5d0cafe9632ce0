"""GET /api/models: every bot that is known, with all that the owner says of it.

It shows what clients are not shown, and asks for the login of the admin page.
"""

from __future__ import annotations

from flask import Blueprint, Response

from poeflask.admin import guard
from poeflask.admin.pages.models import at_hand
from poeflask.core import json_text
from poeflask.core.errors import ClientError, ErrorKind
from poeflask.endpoints.describing import described
from poeflask.endpoints.models.encode import known_list

owner_list = Blueprint("owner_list", __name__)


@owner_list.get("/api/models")
@described(
    open=True,
    note="Needs no key but the cookie of a login to the admin page, and is there only with that.",
)
def list_known() -> Response:
    """Every bot, hidden, disabled and the owner's own ones too, and where each value comes from."""
    if guard.find_session() is None:
        raise ClientError(
            ErrorKind.UNAUTHENTICATED,
            "This list is for the one who runs poeflask: log in under /admin with this browser. "
            "GET /v1/models lists what clients see.",
        )
    response = Response(json_text.write(known_list(at_hand().known)), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
