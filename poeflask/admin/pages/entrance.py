"""Login, logout, and the setup of the first password."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from poeflask.admin import guard, layout
from poeflask.admin.guard import RefusedError
from poeflask.admin.parts import parts
from poeflask.admin.passwords import fault_of
from poeflask.log_lines import get_logger

entrance = Blueprint("entrance", __name__)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

_log = get_logger("poeflask")


@entrance.get("/login")
def show_login() -> AnyResponse:
    """The form, or the first page for who is logged in."""
    if guard.session() is not None:
        return redirect(guard.wanted_next(), 303)
    return _login_form()


@entrance.post("/login")
def log_in() -> AnyResponse:
    """Begin a session."""
    here = parts()
    _count_try()
    username = request.form.get("username", "")
    if not here.passwords.fits(username, request.form.get("password", "")):
        _log.warning("admin_login_refused", address=_address())
        return _login_form("entrance.wrong", status=403)
    here.throttle.forget(_address())
    return _begun(guard.wanted_next())


@entrance.post("/logout")
def log_out() -> AnyResponse:
    """End the session."""
    parts().sessions.end(guard.secret())
    response = redirect(url_for("admin.entrance.show_login"), 303)
    guard.forget(response)
    return response


@entrance.get("/setup")
def show_setup() -> Response:
    """The form; a script fills in the token, which the server does not see in the link."""
    return _setup_form()


@entrance.post("/setup")
def set_up() -> AnyResponse:
    """Set the password and begin a session."""
    here = parts()
    _count_try()
    if here.passwords.is_locked:
        return _setup_form(status=409)
    token = request.form.get("token", "").strip()
    password = request.form.get("password", "")
    if not here.setup_links.works(token):
        _log.warning("admin_setup_refused", address=_address())
        return _setup_form("entrance.token_wrong", status=403)
    fault = fault_of(password)
    if fault is not None:
        return _setup_form(f"entrance.{fault}", token=token, status=422)
    if password != request.form.get("again", ""):
        return _setup_form("entrance.differs", token=token, status=422)
    if not here.setup_links.take(token):
        return _setup_form("entrance.token_wrong", status=403)
    here.passwords.change(password)
    here.throttle.forget(_address())
    return _begun(url_for("admin.home"))


def _begun(where: str) -> AnyResponse:
    here = parts()
    _log.info("admin_login", address=_address())
    response = redirect(where, 303)
    guard.remember(response, here.sessions.begin(here.passwords.id()))
    return response


def _count_try() -> None:
    wait_s = parts().throttle.wait_s(_address())
    if wait_s:
        _log.warning("admin_login_throttled", address=_address())
        raise RefusedError(429, "errors.throttled", retry_after_s=wait_s)


def _login_form(fault: str = "", *, status: int = 200) -> Response:
    return layout.page(
        "admin/login.html",
        title="entrance.title",
        status=status,
        fault=fault,
        is_set=parts().passwords.is_set(),
        is_bare=not request.is_secure and request.host.rsplit(":", 1)[0] not in _LOOPBACK,
        username=request.form.get("username", ""),
    )


def _setup_form(fault: str = "", *, token: str = "", status: int = 200) -> Response:
    return layout.page(
        "admin/setup.html",
        title="entrance.setup_title",
        status=status,
        fault=fault,
        token=token,
        is_locked=parts().passwords.is_locked,
    )


def _address() -> str:
    return request.remote_addr or ""
