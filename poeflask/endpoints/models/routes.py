"""GET /v1/models and /v1/models/{id}."""

from __future__ import annotations

from flask import Blueprint, Response, request

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.endpoints.describing import ANTHROPIC_PAGE, described
from poeflask.endpoints.models.encode import model, model_list, model_page
from poeflask.web import auth
from poeflask.web.asking import is_shown, perhaps, shown
from poeflask.web.family import speaks_anthropic
from poeflask.web.services import services

models = Blueprint("models", __name__)


@models.get("/v1/models")
@described(query=ANTHROPIC_PAGE, note="Without a limit all of them.")
def list_models() -> Response:
    """All bots that the caller may ask; page by page for clients that speak as Anthropic's do."""
    caller = auth.caller_of(request.headers)
    catalogue = services().upstream_for(caller).catalogue
    bots = shown(caller, catalogue, catalogue.bots())
    if not speaks_anthropic(request):
        return _json(model_list(bots))
    names = ("limit", "after_id", "before_id")
    return _json(model_page(bots, **{name: request.args.get(name, "") for name in names}))


@models.get("/v1/models/<path:name>")
@described()
def retrieve_model(name: str) -> Response:
    """One bot, by its name in whatever case, or by what another API calls it."""
    caller = auth.caller_of(request.headers)
    catalogue = services().upstream_for(caller).catalogue
    catalogue.bots()
    bot = catalogue.look_up(name)
    if bot is None or not is_shown(caller, catalogue, bot):
        raise PoeError(
            ErrorKind.UNKNOWN_MODEL,
            f"Poe lists no bot {name[:100]!r}.{perhaps(name, caller, catalogue)} A private bot may "
            "answer all the same.",
            param="model",
        )
    return _json(model(bot))


def _json(value: object) -> Response:
    return Response(json_text.write(value), mimetype="application/json")
