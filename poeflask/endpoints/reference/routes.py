"""GET /openapi.json and /docs: the whole API, for programs and for people."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template

from poeflask import __version__
from poeflask.core import json_text
from poeflask.endpoints.describing import described

reference = Blueprint(
    "reference",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/docs/static",
)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NAME = "poeflask.openapi"


@reference.get("/openapi.json")
@described(open=True)
def openapi() -> Response:
    """This document."""
    made = current_app.extensions.get(_NAME)
    if made is None:
        # It takes a moment, and most never ask for it.
        from poeflask.web.openapi import document

        made = json_text.write(document(current_app, __version__))
        current_app.extensions[_NAME] = made
    return Response(made, mimetype="application/json")


@reference.get("/docs")
@described(open=True, gives=("text/html",))
def page() -> Response:
    """The reference as a page on which every operation can be tried."""
    response = Response(render_template("reference/reference.html"))
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
