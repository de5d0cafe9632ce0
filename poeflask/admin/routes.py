"""All admin pages as one blueprint, behind one guard."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from poeflask.admin import assets, guard, languages, layout
from poeflask.admin.guard import RefusedError
from poeflask.admin.owner_list import owner_list
from poeflask.admin.pages.entrance import entrance
from poeflask.admin.pages.keys import keys
from poeflask.admin.pages.models import models
from poeflask.admin.pages.overview import overview
from poeflask.admin.pages.playground import playground
from poeflask.admin.pages.poe_keys import poe_keys
from poeflask.admin.pages.request_list import request_list
from poeflask.admin.pages.settings import settings
from poeflask.admin.parts import Parts, give
from poeflask.core import json_text
from poeflask.core.errors import PoeflaskError
from poeflask.log_lines import get_logger
from poeflask.stores.base import StoreUnavailable
from poeflask.web import errors, logging

_log = get_logger(__name__)

PAGES: tuple[Blueprint, ...] = (
    overview,
    models,
    keys,
    poe_keys,
    request_list,
    playground,
    settings,
)
"""Every page, in the order of the navigation; the first is the one that /admin leads to."""

_YEAR_S = 365 * 86_400
_OTHER_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def install(app: Flask, made: Parts) -> None:
    """Let the app answer under /admin, and with the owner's list of models."""
    give(app, made)
    app.register_blueprint(owner_list)
    app.register_blueprint(_blueprint())


def _blueprint() -> Blueprint:
    """The blueprint, made anew for each app."""
    admin = Blueprint("admin", __name__, template_folder="templates", url_prefix="/admin")
    admin.before_request(_know_pages)
    admin.before_request(guard.check)
    admin.before_request(_choose_language)
    admin.after_request(guard.protect)
    admin.register_error_handler(RefusedError, _refused)
    admin.register_error_handler(PoeflaskError, _failed)
    admin.register_error_handler(StoreUnavailable, _store_away)
    admin.register_error_handler(HTTPException, _http)
    admin.register_error_handler(Exception, _bug)
    admin.add_url_rule("/", "home", _home)
    admin.add_url_rule("", "bare", _home)
    admin.add_url_rule("/static/<version>/<path:name>", "static_file", _static_file)
    admin.register_blueprint(entrance)
    for page in PAGES:
        admin.register_blueprint(page, url_prefix=f"/{page.name}")
    # Also what is nowhere is behind the guard.
    admin.add_url_rule("/<path:_rest>", "nowhere", _nowhere, methods=["GET", *_OTHER_METHODS])
    for bare in ("/", ""):
        admin.add_url_rule(bare, f"nowhere{bare}", _nowhere, methods=_OTHER_METHODS)
    return admin


def _know_pages() -> None:
    g.admin_pages = [page.name for page in PAGES]


def _home() -> AnyResponse:
    return redirect(url_for("admin.home") + PAGES[0].name, 303)


def _static_file(version: str, name: str) -> Response:
    if version != assets.version() or name not in assets.names():
        raise RefusedError(404, "errors.nowhere")
    kind = assets.TYPES[name[name.rindex(".") :]]
    response = Response(assets.content(name), mimetype=kind)
    response.headers.update(assets.headers())
    return response


def _nowhere(_rest: str = "") -> Response:
    raise RefusedError(404, "errors.nowhere")


def _choose_language() -> AnyResponse | None:
    """?lang=... keeps a language and leads back to the page."""
    wanted = request.args.get("lang", "")
    if request.method != "GET" or wanted not in languages.NAMES:
        return None
    response = redirect(request.script_root + request.path, 303)
    response.set_cookie(
        layout.LANGUAGE_COOKIE,
        wanted,
        max_age=_YEAR_S,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return response


def _refused(error: RefusedError) -> Response:
    logging.line().outcome = error.name.removeprefix("errors.")
    message = layout.translator()(error.name)
    response = _told(error.status, message)
    if error.retry_after_s:
        response.headers["Retry-After"] = str(int(error.retry_after_s) + 1)
    return response


def _failed(error: PoeflaskError) -> Response:
    answer = errors.answer(error)
    return _told(answer.status_code, str(error)) if guard.wants_page() else answer


def _store_away(error: StoreUnavailable) -> Response:
    _log.warning("admin_store_away", reason=str(error))
    return _refused(RefusedError(503, "errors.store_away"))


def _http(error: HTTPException) -> Response:
    return _told(error.code or 500, layout.translator()("errors.request"))


def _bug(error: Exception) -> Response:
    return _failed(errors.bug(error, g.request_id))


def _told(status: int, message: str) -> Response:
    """The message as a page for a person, or as JSON for a script."""
    if not guard.wants_page():
        response = Response(status=status, mimetype="application/json")
        response.set_data(json_text.write({"error": {"message": message}}))
        return response
    return layout.page(
        "admin/error.html", title="errors.title", status=status, code=status, message=message
    )
