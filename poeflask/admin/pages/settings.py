"""Settings: what each is, where it comes from; and the password of this page."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from poeflask.admin import guard, languages, layout
from poeflask.admin.guard import RefusedError
from poeflask.admin.parts import Parts, parts
from poeflask.admin.passwords import fault_of
from poeflask.shown_settings import in_force

settings = Blueprint("settings", __name__)

_NOTES = frozenset({"changed", "wrong", "too_short", "too_long", "differs", "locked"})


@settings.get("")
def show() -> Response:
    """All settings, and the form that changes the password."""
    return _page()


@settings.post("/password")
def change_password() -> AnyResponse:
    """Change the password; all sessions end, this one goes on as a new one."""
    here = parts()
    fault = _password_fault(here)
    if fault:
        return _page(fault, status=422)
    here.passwords.change(request.form["new"])
    response = redirect(url_for("admin.settings.show", note="changed", _anchor="access"), 303)
    guard.remember(response, here.sessions.begin(here.passwords.id()))
    return response


@settings.post("/sessions/end")
def end_sessions() -> AnyResponse:
    """End all other sessions."""
    ended = parts().sessions.end_others(guard.secret())
    if "HX-Request" in request.headers:
        return layout.fragment("admin/sessions.html", sessions=1, ended=ended)
    return redirect(url_for("admin.settings.show"), 303)


def _page(note: str = "", *, status: int = 200) -> Response:
    here = parts()
    asked = request.args.get("note", "")
    note = note or (asked if asked in _NOTES else "")
    return layout.page(
        "admin/settings.html",
        title="settings.title",
        status=status,
        rows=in_force(here.settings, here.sources),
        docs=languages.setting_docs(layout.reader_language()),
        docs_language=layout.reader_language(),
        note=note,
        is_locked=here.passwords.is_locked,
        sessions=here.sessions.count(),
    )


def _password_fault(here: Parts) -> str:
    """Why the password is not changed; empty if it can be."""
    if here.passwords.is_locked:
        return "locked"
    address = request.remote_addr or ""
    wait_s = here.throttle.wait_s(address)
    if wait_s:
        raise RefusedError(429, "errors.throttled", retry_after_s=wait_s)
    if not here.passwords.fits(here.settings.admin_username, request.form.get("current", "")):
        return "wrong"
    here.throttle.forget(address)
    new = request.form.get("new", "")
    differs = new != request.form.get("again", "")
    return fault_of(new) or ("differs" if differs else "")
