"""GET /: a page that says what this is and how to use it."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from poeflask.endpoints.describing import described
from poeflask.endpoints.home.examples import examples
from poeflask.web.services import services

home = Blueprint(
    "home",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/home",
)

_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'"


@home.get("/")
@described(open=True, gives=("text/html",))
def front_page() -> Response:
    """The page for people, which needs no key; Ollama's own clients get the words they look for."""
    if request.user_agent.string.lower().startswith("ollama"):
        return Response("Ollama is running", mimetype="text/plain")
    key = services().example_key
    page = render_template(
        "home/home.html", examples=examples(request.host_url.rstrip("/"), key), demo=bool(key)
    )
    response = Response(page)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
