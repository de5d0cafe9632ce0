"""The simulator as a Flask application: Poe's routes, and windows on what happened.

    POST /bot/{name}                            a query; the answer is a stream of events
    POST /poe_api/file_upload_3RD_PARTY_POST    an upload, as a file or as a link
    GET  /base/{kind}/{sha256}                  a file that was uploaded or made by a bot
    GET  /v1/models                             the bots, in Poe's shape; needs no key
    GET  /usage/current_balance                 points left
    GET  /usage/points_history                  the queries answered for this key
    GET  /simulator/bots                        every bot, fault bots too, with what it does
    GET  /simulator/queries                     the last queries, without keys
    GET  /simulator/uploads                     the last uploads, without keys
    GET  /simulator/connections                 answers open, started, finished, aborted, cut
    POST /simulator/outage                      let a bot fail for a while
    POST /simulator/reset                       forget all of it

Any key will do, but some are special: `bad-key` is refused with 401, `no-points` and
`no-points-http` have no points, which the one is told in the stream and the other by HTTP 402. So
that there can be several of a kind, a key's first word counts as well: `dead` is refused with 401,
`poor` with 402, and `busy` with 429, as in `busy-1`; `tired` with 429 and Retry-After.
"""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from poeflask.core import json_text
from poeflask.simulator.faults import NO_POINTS
from poeflask.simulator.journal import Connections, Journal, fingerprint
from poeflask.simulator.media import Media, picture, sound
from poeflask.simulator.query import MalformedQueryError, Query, read_query
from poeflask.simulator.roster import ROSTER, bot_list, model_list
from poeflask.simulator.shelf import Files, Shelf
from poeflask.simulator.steps import error_body
from poeflask.simulator.stream import Client, respond

BAD_KEY = "bad-key"
NO_POINTS_KEY = "no-points"
NO_POINTS_HTTP_KEY = "no-points-http"

TIRED_S = 2
"""How long keys that are tired want to rest."""

MAX_OUTAGE_S = 3600.0

UPLOAD_PATH = "/poe_api/file_upload_3RD_PARTY_POST"

MAX_FILE_BYTES = 50 * 1024 * 1024
"""The largest file that is taken; what Poe allows for the files of an answer."""

MAX_SHELF_BYTES = 128 * 1024 * 1024

_FORM_BYTES = 64 * 1024
"""What a form needs around its file."""

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_credits",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


class RefusedError(Exception):
    """The request is answered with an HTTP error."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


_REFUSED_WORDS: Mapping[str, tuple[int, str, Mapping[str, str]]] = {
    "poor": (402, "You do not have enough points to message this bot.", {}),
    "busy": (429, "Rate limit exceeded.", {}),
    "tired": (429, "Rate limit exceeded.", {"Retry-After": str(TIRED_S)}),
}
"""First words of keys that no bot answers: status, sentence, headers."""


def create_simulator(
    *,
    clock: Callable[[], float] = time.time,
    public_url: str | None = None,
    max_file_bytes: int = MAX_FILE_BYTES,
    shelf: Files | None = None,
) -> Flask:
    """A simulator with a memory of its own.

    Args:
        clock: seconds since 1970; only the points history shows it.
        public_url: how links to files begin; None takes what the request was addressed to.
        max_file_bytes: the largest file, and nearly the largest query, that is taken.
        shelf: where files are kept; None makes one in memory.
    """
    app = Flask("poeflask.simulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_file_bytes + _FORM_BYTES
    simulator = _Simulator(
        clock, public_url, Shelf(MAX_SHELF_BYTES) if shelf is None else shelf, max_file_bytes
    )
    for method, path, view in simulator.routes():
        app.add_url_rule(path, path, view, methods=[method])
    app.register_error_handler(RefusedError, _refusal)
    app.register_error_handler(HTTPException, _http_error)
    return app


class _Simulator:
    def __init__(
        self,
        clock: Callable[[], float],
        public_url: str | None,
        shelf: Files,
        max_file_bytes: int,
    ) -> None:
        self._clock = clock
        self._public_url = public_url
        self._shelf = shelf
        self._max_file_bytes = max_file_bytes
        self._journal = Journal()
        self._connections = Connections()
        self._outages: dict[str, float] = {}

    def routes(self) -> tuple[tuple[str, str, Callable[..., Response]], ...]:
        return (
            ("POST", "/bot/<name>", self.ask),
            ("POST", UPLOAD_PATH, self.upload),
            ("GET", "/base/<kind>/<sha256>", self.file),
            ("GET", "/v1/models", lambda: _json(model_list(self._base_url))),
            ("GET", "/usage/current_balance", self.balance),
            ("GET", "/usage/points_history", self.history),
            ("GET", "/simulator/bots", lambda: _json(bot_list())),
            ("GET", "/simulator/queries", lambda: _json(self._journal.queries)),
            ("GET", "/simulator/uploads", lambda: _json(self._journal.uploads)),
            ("GET", "/simulator/connections", lambda: _json(self._connections.summary())),
            ("GET", "/simulator/icon", lambda: _file(picture("icon"))),
            ("POST", "/simulator/outage", self.outage),
            ("POST", "/simulator/reset", self.reset),
        )

    @property
    def _base_url(self) -> str:
        return (self._public_url or request.host_url).rstrip("/")

    def ask(self, name: str) -> Response:
        key = _key(bare=False)
        query = _query()
        bot = ROSTER.get(name.lower())
        if bot is None:
            raise RefusedError(404, f"Bot {name!r} does not exist.")
        if key == NO_POINTS_HTTP_KEY:
            raise RefusedError(402, "You do not have enough points to message this bot.")
        attempt = self._journal.query(bot.name, fingerprint(key), query.body, self._clock())
        if _word(key) in _REFUSED_WORDS:
            raise RefusedError(*_REFUSED_WORDS[_word(key)])
        if self._clock() < self._outages.get(bot.name, 0.0):
            raise RefusedError(503, f"Bot {bot.name!r} is out of order.")
        query = replace(query, base_url=self._base_url, attempt=attempt, file_at=self._shelf.at)
        steps = iter((NO_POINTS,)) if key == NO_POINTS_KEY else bot.act(query)
        visit = self._connections.begin(bot.name)
        return respond(steps, visit, Client(request.environ), self._shelf.put)

    def upload(self) -> Response:
        key = _key(bare=True)
        part, url = request.files.get("file"), request.form.get("download_url", "")
        if (part is None) == (not url):
            raise RefusedError(400, "Send either a part 'file' or a field 'download_url'.")
        media = self._sent(part) if part is not None else self._downloaded(url)
        self._shelf.put(media)
        self._journal.upload(
            key=fingerprint(key),
            form="file" if part is not None else "download_url",
            download_url=url or None,
            name=media.name,
            mime_type=media.content_type,
            size=len(media.content),
        )
        return _json(
            {
                "attachment_url": self._base_url + media.path,
                "mime_type": media.content_type,
                "size": len(media.content),
                "file_id": f"file-{media.sha256[:24]}",
            }
        )

    def _sent(self, part: FileStorage) -> Media:
        content = part.stream.read()
        if not content:
            raise RefusedError(400, "The file is empty.")
        if len(content) > self._max_file_bytes:
            raise RefusedError(413, f"The file is larger than {self._max_file_bytes} bytes.")
        name = part.filename or "file"
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Media(content, part.mimetype or guessed, name)

    def _downloaded(self, url: str) -> Media:
        """The file behind a link: its own if it is kept here, else one that stands in for it.

        The simulator fetches nothing from anywhere.
        """
        name = request.form.get("download_filename") or url.rpartition("/")[2] or "file"
        own = self._shelf.at(url)
        if own is not None:
            return replace(own, name=name)
        guessed = mimetypes.guess_type(name)[0] or mimetypes.guess_type(url)[0] or "text/plain"
        makers: dict[str, Callable[[str], Media]] = {"image": picture, "audio": sound}
        maker = makers.get(guessed.partition("/")[0])
        content = maker(url).content if maker is not None else f"What stands at {url}".encode()
        return Media(content, guessed, name)

    def file(self, kind: str, sha256: str) -> Response:
        media = self._shelf.at(f"/base/{kind}/{sha256}")
        if media is None:
            raise RefusedError(404, "There is no such file; it may have been dropped by now.")
        return _file(media)

    def balance(self) -> Response:
        key = _key(bare=False)
        poor = key in {NO_POINTS_KEY, NO_POINTS_HTTP_KEY} or _word(key) == "poor"
        points = 0 if poor else self._journal.balance(fingerprint(key))
        return _json({"current_point_balance": points})

    def history(self) -> Response:
        key = _key(bare=False)
        limit = request.args.get("limit", 20, type=int)
        if not 1 <= limit <= 100:
            raise RefusedError(400, "'limit' must be from 1 to 100.")
        after = request.args.get("starting_after")
        return _json(self._journal.history(fingerprint(key), limit, after))

    def outage(self) -> Response:
        """Let the bot of the parameter `bot` answer 503 for so many `seconds`; 0 ends that."""
        bot = ROSTER.get(request.args.get("bot", "").lower())
        seconds = request.args.get("seconds", type=float)
        if bot is None or seconds is None or not 0 <= seconds <= MAX_OUTAGE_S:
            raise RefusedError(
                400, f"Name a 'bot' there is, and 'seconds' from 0 to {MAX_OUTAGE_S:g}."
            )
        self._outages[bot.name] = self._clock() + seconds
        return _json({})

    def reset(self) -> Response:
        self._outages.clear()
        self._journal = Journal()
        self._connections = Connections()
        self._shelf.clear()
        return _json({})


def _key(*, bare: bool) -> str:
    """The request's key.

    Args:
        bare: whether it may stand there without "Bearer".

    Raises:
        RefusedError: 401, if there is none or it is the bad one.
    """
    given = request.headers.get("Authorization", "").strip()
    scheme, _, token = given.partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else given * bare
    if not key:
        raise RefusedError(401, "Send your key in the header 'Authorization: Bearer KEY'.")
    if key == BAD_KEY or _word(key) == "dead":
        raise RefusedError(401, "Invalid API key.")
    return key


def _word(key: str) -> str:
    return key.partition("-")[0]


def _query() -> Query:
    try:
        return read_query(json_text.read(request.get_data(cache=False)))
    except (json_text.NotJsonError, MalformedQueryError) as error:
        raise RefusedError(400, f"Malformed query: {error}") from error


def _json(value: Any) -> Response:
    return Response(json_text.write(value), content_type="application/json")


def _file(media: Media) -> Response:
    return Response(media.content, content_type=media.content_type)


def _refusal(error: RefusedError) -> Response:
    response = _error(error.status, error.message)
    response.headers.update(error.headers)
    return response


def _http_error(error: HTTPException) -> Response:
    return _error(error.code or 500, error.description or error.name)


def _error(status: int, message: str) -> Response:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "provider_error")
    return Response(error_body(message, kind), status, content_type="application/json")
