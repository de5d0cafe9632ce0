"""Settings: what each is, where it comes from; and the password of this page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from poeflask.admin import guard, languages, layout
from poeflask.admin.guard import RefusedError
from poeflask.admin.parts import Parts, parts
from poeflask.admin.passwords import fault_of
from poeflask.settings import Settings, Source

settings = Blueprint("settings", __name__)

_NOTES = frozenset({"changed", "wrong", "too_short", "too_long", "differs", "locked"})
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]*@")


class Shown(NamedTuple):
    """A setting as the table shows it.

    Attributes:
        value: empty if it is a secret or empty.
        doc_language: the reader's own, or English where that lacks the sentence.
        is_secret: only whether it is set is told.
    """

    variable: str
    value: str
    is_secret: bool
    is_set: bool
    source: Source
    doc: str
    doc_language: str


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


def rows(made: Settings, sources: dict[str, Source], language: str) -> list[Shown]:
    """Every setting as the table shows it; of secrets only whether they are set."""
    docs = languages.setting_docs(language)
    return [
        Shown(
            variable=row.variable,
            value="" if row.secret else shown(row.name, getattr(made, row.name)),
            is_secret=row.secret,
            is_set=bool(getattr(made, row.name)),
            source=sources.get(row.name, "default"),
            doc=docs.get(row.variable, row.doc.replace("`", "")),
            doc_language=language if row.variable in docs else "en",
        )
        for row in Settings.describe()
    ]


def shown(name: str, value: object) -> str:
    """A value for people, with the unit that its name ends in; never a password within a URL."""
    match value:
        case tuple():
            return ", ".join(map(str, value))
        case int() if name.endswith(("_bytes", "_bytes_per_key")):
            return _size(value)
        case int() | float() if name.endswith("_s"):
            return _time(value)
        case Path() | str():
            return _USER_IN_URL.sub("…@", str(value))
    return str(value)


def _time(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("MB", 10**6)):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} B"


def _page(note: str = "", *, status: int = 200) -> Response:
    here = parts()
    asked = request.args.get("note", "")
    note = note or (asked if asked in _NOTES else "")
    return layout.page(
        "admin/settings.html",
        title="settings.title",
        status=status,
        rows=rows(here.settings, dict(here.sources), layout.reader_language()),
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
