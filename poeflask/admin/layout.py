"""The frame around every page: navigation, language, colours, and what templates can call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from flask import Response, g, render_template, request, url_for

from poeflask.admin import assets, guard, languages

LANGUAGE_COOKIE = "poeflask-language"
THEME_COOKIE = "poeflask-theme"
"""Choices of the reader; the browser keeps them, and scripts may set the second."""

_THEMES = frozenset({"light", "dark"})
_FRAME_TEXTS = ("frame.script.",)


class Entry(NamedTuple):
    """A line of the navigation."""

    name: str
    text: str
    url: str
    is_here: bool


def page(
    template: str,
    *,
    title: str,
    status: int = 200,
    script_texts: Sequence[str] = (),
    **values: Any,
) -> Response:
    """A whole page.

    Args:
        template: such as "admin/keys.html".
        title: the name of the text that is its title.
        status: the HTTP status.
        script_texts: beginnings of the names of texts that its scripts use, such as
            "playground.script."; a script finds them by what follows.
        values: what else the template uses.
    """
    language = reader_language()
    texts: dict[str, str] = {}
    for prefix in (*_FRAME_TEXTS, *script_texts):
        texts |= languages.begins(language, prefix)
    body = render_template(template, title=title, script_texts=texts, **_tools(), **values)
    return Response(body, status=status, mimetype="text/html")


def fragment(template: str, *, status: int = 200, **values: Any) -> Response:
    """A part of a page, for htmx to put into its place."""
    body = render_template(template, **_tools(), **values)
    return Response(body, status=status, mimetype="text/html")


def reader_language() -> str:
    """The language of the current request's reader."""
    accepted = [tag for tag, _ in request.accept_languages]
    return languages.chosen(request.cookies.get(LANGUAGE_COOKIE, ""), accepted)


def translator() -> Callable[..., str]:
    """Gives a text in the reader's language by its name, its places filled in."""
    return partial(languages.text, reader_language())


def asset(name: str) -> str:
    """The address of a file in static/, such as "js/keys.js"."""
    return url_for("admin.static_file", version=assets.version(), name=name)


def _tools() -> dict[str, Any]:
    """What every template can use."""
    theme = request.cookies.get(THEME_COOKIE, "")
    session = guard.session()
    return {
        "t": translator(),
        "asset": asset,
        "language": reader_language(),
        "language_names": languages.NAMES,
        "theme": theme if theme in _THEMES else "",
        "csrf": "" if session is None else session.csrf,
        "is_logged_in": session is not None,
        "navigation": _navigation() if session is not None else (),
    }


def _navigation() -> list[Entry]:
    here = (request.blueprint or "").removeprefix("admin.")
    names: Sequence[str] = g.admin_pages
    return [
        Entry(name, f"{name}.nav", url_for("admin.home") + name, name == here) for name in names
    ]
