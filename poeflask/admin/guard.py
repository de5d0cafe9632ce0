"""Stands before every path under /admin, by whichever page: who is nobody gets nowhere.

Without login only what is in `OPEN` answers. What changes something must come from a page of this
very site (Origin, or Sec-Fetch-Site where a browser leaves it out) and bear the session's token; a
foreign site knows neither and its requests do not even bring the cookie (SameSite=Strict). The
token follows from the session's secret, which is why Flask-WTF's, kept in a session of Flask's own
with a secret key and a library of forms, would be a second session beside this one.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Request, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from poeflask.admin.parts import parts
from poeflask.admin.sessions import TOTAL_S, Session

OPEN = frozenset(
    {
        "admin.static_file",
        "admin.entrance.show_login",
        "admin.entrance.log_in",
        "admin.entrance.show_setup",
        "admin.entrance.set_up",
    }
)
"""What answers without login: how one logs in, and what those pages look like."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Pico draws its marks in forms with pictures inside the stylesheet.
        "img-src 'self' data:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""No code and no style in HTML, nothing from elsewhere, and no page that shows ours in a frame."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_COOKIE = "poeflask"
_COOKIE_TLS = "__Host-poeflask"
_LONGEST_NEXT = 500
_LARGEST_FORM = 512 * 1024


class RefusedError(Exception):
    """The request is refused; a page says why.

    Args:
        status: the HTTP status.
        name: the name of the text that says why.
        retry_after_s: when another try makes sense.
    """

    def __init__(self, status: int, name: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.retry_after_s = retry_after_s


def check() -> AnyResponse | None:
    """Refuse the current request, or let it through with `g.admin_session` set if it has one."""
    is_open = request.endpoint in OPEN
    is_safe = request.method in SAFE
    if request.endpoint == "admin.static_file":
        return None
    request.max_content_length = _LARGEST_FORM
    if not is_safe and not from_here(request):
        raise RefusedError(403, "errors.foreign")
    g.admin_session = found = find_session()
    if is_open:
        return None
    if found is None:
        return _to_login()
    if not is_safe and not _bears_token(found):
        raise RefusedError(403, "errors.csrf")
    return None


def protect(response: Response) -> Response:
    """Mark an answer: what the browser may do with it, and that nobody keeps it."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def from_here(asked: Request) -> bool:
    """Whether a page of this site sends the request; what says neither so nor so does not."""
    origin = asked.headers.get("Origin", "null")
    # A proxy's Referrer-Policy can make browsers keep the origin to themselves.
    if origin == "null":
        return asked.headers.get("Sec-Fetch-Site") == "same-origin"
    return origin == asked.host_url.rstrip("/")


def find_session() -> Session | None:
    """The session whose secret the browser brings, looked for in the store."""
    return parts().sessions.find(secret(), parts().passwords.id())


def session() -> Session | None:
    """The session of the current request."""
    found: Session | None = g.get("admin_session")
    return found


def secret() -> str:
    """The secret that the browser brings; empty if none."""
    return request.cookies.get(_cookie(), "")


def remember(response: AnyResponse, made: str) -> None:
    """Give the browser a session's secret."""
    response.set_cookie(
        _cookie(),
        made,
        max_age=round(TOTAL_S),
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def forget(response: AnyResponse) -> None:
    """Take the secret away from the browser."""
    response.delete_cookie(
        _cookie(), path="/", secure=request.is_secure, httponly=True, samesite="Strict"
    )


def wanted_next() -> str:
    """Where the reader was going before the login; the first page if that is not one of ours."""
    wanted = request.args.get("next", "")
    home = url_for("admin.home")
    is_ours = wanted.startswith(home) and wanted.isascii() and wanted.isprintable()
    return wanted if is_ours and "\\" not in wanted and len(wanted) <= _LONGEST_NEXT else home


def wants_page() -> bool:
    """Whether a person looks at the answer, and not a script."""
    is_script = request.headers.get("Sec-Fetch-Mode") in ("cors", "same-origin", "no-cors")
    return not is_script and request.accept_mimetypes.accept_html


def _bears_token(found: Session) -> bool:
    sent = request.headers.get("X-CSRF-Token", "")
    return found.sent(sent or request.form.get("csrf", ""))


def _to_login() -> AnyResponse:
    login = url_for("admin.entrance.show_login")
    if "HX-Request" in request.headers:
        return Response(status=401, headers={"HX-Redirect": login})
    if request.method not in SAFE or not wants_page():
        raise RefusedError(401, "errors.login")
    return redirect(f"{login}?next={quote(request.full_path.rstrip('?'), safe='/')}", 303)


def _cookie() -> str:
    """Over TLS a name that browsers let no other host or path set."""
    return _COOKIE_TLS if request.is_secure else _COOKIE
