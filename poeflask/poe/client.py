"""The way to Poe: queries, uploads, the list of bots, the balance.

requests speaks to Poe; queries use its connections, but ask in a shorter way (`exchange`).

Built for greenlets: everything blocks only its own, and killing the greenlet that reads a reply
closes its connection at once, also while Poe is silent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import gevent
import requests
from urllib3.connectionpool import HTTPConnectionPool

from poeflask.core import json_text, media
from poeflask.core.errors import ClientError, ErrorKind, PoeError
from poeflask.poe import faults
from poeflask.poe.body import READ_BYTES, Body, body_of
from poeflask.poe.connections import Connections
from poeflask.poe.exchange import Exchanges
from poeflask.poe.file_form import form_with
from poeflask.poe.links import MayFetch, poe_files
from poeflask.poe.reply import Reply
from poeflask.poe.transport import FAULTS, transport_faults
from poeflask.poe.wire import Reader

MAX_ERROR_BYTES = 64 * 1024
MAX_ERROR_S = 5.0
"""How much of a refusal is read for its reason, and how long."""

MAX_JSON_BYTES = 32 * 1024 * 1024
"""Poe's list of bots was 0.75 MB in 2026."""

MAX_FETCHED_BYTES = 64 * 1024 * 1024
"""Poe's bots may give files of up to 50 MB."""

_FIELDS = {
    "Accept": "text/event-stream",
    # What is compressed comes late: the compressor waits for more.
    "Accept-Encoding": "identity",
    "Connection": "keep-alive",
    "Content-Type": "application/json",
}
"""Header fields of each query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that Poe holds: what a query says of it. `size` in bytes; None if Poe did not say."""

    url: str
    content_type: str
    name: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file while it comes.

    Attributes:
        content_type: what its first bytes show, or else what was said of it.
        size: in bytes; None if the server did not say.
        pieces: its content; closing the iterator closes the connection.
    """

    content_type: str
    size: int | None
    pieces: Iterator[bytes]


def _nothing() -> None:
    """Whom nobody needs to tell."""


class PoeClient:
    """Speaks to Poe over connections that are kept alive and shared by all answers.

    Args:
        base_url: where Poe's API is, such as "https://api.poe.com".
        upload_url: where files are sent.
        connect_timeout_s: how long making a connection may take.
        idle_timeout_s: how long Poe may be silent, before and within an answer.
        pool_size: how many idle connections are kept.
        user_agent: how the requests name their sender.
        proxy: the URL of an HTTP or SOCKS proxy; empty means none.
        answer_timeout_s: how long Poe may be silent about the list of bots or a balance.
        upload_timeout_s: how long Poe may take to answer an upload.
        fetch_timeout_s: how long a file that a bot gave may take to be fetched.
        may_fetch: whether a link leads to a file that may be fetched; by default only Poe's own
            file servers and the address of its API.
        clock: seconds since 1970, for Retry-After dates.
        on_unknown: told of each event name that is not known, once in each answer.
    """

    def __init__(
        self,
        *,
        base_url: str,
        upload_url: str,
        connect_timeout_s: float,
        idle_timeout_s: float,
        pool_size: int,
        user_agent: str,
        proxy: str = "",
        answer_timeout_s: float = 30.0,
        upload_timeout_s: float = 120.0,
        fetch_timeout_s: float = 60.0,
        may_fetch: MayFetch | None = None,
        clock: Callable[[], float] = time.time,
        on_unknown: Callable[[str], None] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._upload_url = upload_url
        self._timeout_s = (connect_timeout_s, idle_timeout_s)
        self._answer_timeout_s = (connect_timeout_s, answer_timeout_s)
        self._upload_timeout_s = (connect_timeout_s, upload_timeout_s)
        self._fetch_timeout_s = fetch_timeout_s
        self._may_fetch = may_fetch or poe_files(self._base_url)
        self._clock = clock
        self._on_unknown = on_unknown
        self._connections = Connections(pool_size)
        self._session = _session(self._connections, user_agent, proxy)
        fields = {**_FIELDS, "User-Agent": user_agent}
        self._queries = Exchanges(self._pool, fields, connect_timeout_s)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def query(
        self,
        bot: str,
        body: Mapping[str, Any],
        key: str,
        sent: Callable[[], None] = _nothing,
    ) -> Reply:
        """Ask a bot; yield the events of each network read.

        Each list but the last ends in a Pause; the last ends in Finish or Failure. Nothing is sent
        before the first `next`. Closing the reply, or killing the greenlet that reads it, closes
        the connection.

        Args:
            bot: its name.
            body: the query.
            key: the key that pays.
            sent: called once the query has left, before anything has come back.

        Raises:
            PoeError: before the first list: Poe refused, could not be reached, or can have no bot
                of that name.
            ClientError: the key cannot be one.
        """
        post = partial(self._post_query, bot, body, key, sent)
        return Reply(post, Reader(self._on_unknown, secret=key))

    def models(self) -> list[dict[str, Any]]:
        """Poe's public list of bots, each as Poe describes it.

        Raises:
            PoeError: Poe refused, could not be reached, or sent something else.
        """
        url = f"{self._base_url}/v1/models"
        answer = self._exchange("GET", url, timeout=self._answer_timeout_s)
        data = answer.get("data")
        if not isinstance(data, list):
            raise PoeError(ErrorKind.POE_BROKEN, "Poe's list of bots holds no list.")
        return [entry for entry in data if isinstance(entry, dict)]

    def balance(self, key: str) -> dict[str, Any]:
        """What Poe says of the key's points.

        Raises:
            PoeError: Poe refused the key, could not be reached, or sent something else.
            ClientError: the key cannot be one.
        """
        url = f"{self._base_url}/usage/current_balance"
        headers = {"Authorization": f"Bearer {_checked(key)}"}
        timeout_s = self._answer_timeout_s
        return self._exchange("GET", url, secret=key, headers=headers, timeout=timeout_s)

    def usage_history(self, key: str, *, limit: int = 100, after: str = "") -> list[dict[str, Any]]:
        """What the key was charged for in the last 30 days, the newest first, as Poe tells it.

        Args:
            key: whose.
            limit: how many entries, at most 100.
            after: the `query_id` of the last entry of the page before.

        Raises:
            PoeError: Poe refused the key, could not be reached, or sent something else.
            ClientError: the key cannot be one.
        """
        url = f"{self._base_url}/usage/points_history"
        asked = {"limit": str(limit), **({"starting_after": after} if after else {})}
        headers = {"Authorization": f"Bearer {_checked(key)}"}
        timeout_s = self._answer_timeout_s
        answer = self._exchange(
            "GET", url, secret=key, headers=headers, params=asked, timeout=timeout_s
        )
        data = answer.get("data")
        if not isinstance(data, list):
            raise PoeError(ErrorKind.POE_BROKEN, "Poe's record of usage holds no list.")
        return [entry for entry in data if isinstance(entry, dict)]

    def connections(self) -> tuple[int, int]:
        """How many connections wait to be used again, and how many are in use."""
        return self._connections.counted()

    def upload(self, key: str, *, content: bytes, name: str, content_type: str) -> Attachment:
        """Give Poe a file.

        Raises:
            PoeError: Poe refused the file, or could not be reached.
            ClientError: the file is empty, or the key cannot be one.
        """
        if not content:
            raise ClientError(ErrorKind.INVALID_REQUEST, f"The file {name!r} is empty.")
        form, form_type = form_with(_sayable(name), content, _mime_type(content_type))
        return self._upload(key, name, data=form, headers={"Content-Type": form_type})

    def upload_link(self, key: str, *, url: str, name: str) -> Attachment:
        """Have Poe fetch a file from a link.

        Raises:
            PoeError: Poe refused the link, or could not be reached.
            ClientError: the key cannot be one.
        """
        form = {"download_url": _sayable(url), "download_filename": _sayable(name)}
        return self._upload(key, name, data=form)

    def fetch(self, url: str) -> tuple[bytes, str]:
        """A file that a bot gave, and its media type.

        Raises:
            PoeError: it does not lie with Poe, is not to be had, is too large, or comes too slowly.
        """
        late = PoeError(
            ErrorKind.POE_TIMEOUT,
            f"The bot's file did not arrive within {self._fetch_timeout_s:g} seconds.",
            allow_retry=False,
        )
        with gevent.Timeout(self._fetch_timeout_s, late):
            file = self.open_file(url)
            return b"".join(file.pieces), file.content_type

    def open_file(self, url: str) -> OpenFile:
        """A file that a bot gave, to be read piece by piece. No redirect is followed.

        Raises:
            PoeError: here or while it is read: it does not lie with Poe, is not to be had, is too
                large, or stops coming.
        """
        if not self._may_fetch(url):
            raise _lost("lies somewhere else than with Poe, where nothing is fetched from")
        with transport_faults():
            response = self._session.request(
                "GET", url, timeout=self._timeout_s, stream=True, allow_redirects=False
            )
        pieces = _file_pieces(response)
        if response.status_code != 200:
            response.close()
            raise _lost(f"cannot be had: its server answered with status {response.status_code}")
        first = next(pieces, b"")
        said = media.plain_type(response.headers.get("Content-Type", ""))
        return OpenFile(
            content_type=media.media_type(said, "", first),
            size=_length(response),
            pieces=_behind(first, pieces),
        )

    def _upload(
        self, key: str, name: str, *, headers: Mapping[str, str] | None = None, **form: Any
    ) -> Attachment:
        # Poe's own client sends the bare key here.
        headers = {"Authorization": _checked(key), **(headers or {})}
        try:
            answer = self._exchange(
                "POST",
                self._upload_url,
                secret=key,
                headers=headers,
                timeout=self._upload_timeout_s,
                **form,
            )
        except PoeError as error:
            raise _naming_file(error, name) from error
        return _attachment(answer, name)

    def _post_query(
        self, bot: str, body: Mapping[str, Any], key: str, sent: Callable[[], None]
    ) -> Body:
        fields = {"Authorization": f"Bearer {_checked(key)}"}
        path = f"/bot/{_quoted(bot)}"
        content = json_text.written(body)
        with transport_faults():
            exchange = self._queries.post(path, fields, content, sent)
            del content
            head = exchange.receive_head(self._timeout_s[1])
        answer = body_of(exchange, head)
        said = head.fields.get("content-type", "")
        if head.status == 200 and said.split(";")[0].strip().lower() == "text/event-stream":
            return answer
        try:
            reason = _at_most(iter(answer.read, b""), MAX_ERROR_BYTES, MAX_ERROR_S)
        finally:
            answer.close()
        raise self._told(head.status, head.fields, reason, key)

    def _pool(self) -> tuple[HTTPConnectionPool, str]:
        """The connections for queries."""
        session = self._session
        return self._connections.pool_for(self._base_url, session.verify, session.proxies)

    def _exchange(
        self, method: str, url: str, *, secret: str = "", **request: Any
    ) -> dict[str, Any]:
        """One request whose answer is one JSON object."""
        with transport_faults():
            response = self._session.request(
                method, url, stream=True, allow_redirects=False, **request
            )
        if response.status_code != 200:
            raise self._refusal(response, secret)
        try:
            with transport_faults():
                body = b"".join(_pieces(response, MAX_JSON_BYTES))
        finally:
            response.close()
        try:
            answer = json_text.read(body)
        except json_text.NotJsonError as error:
            raise self._told(response.status_code, response.headers, body, secret) from error
        if not isinstance(answer, dict):
            raise PoeError(ErrorKind.POE_BROKEN, "Poe's answer is no JSON object.")
        return answer

    def _refusal(self, response: requests.Response, secret: str) -> PoeError:
        """The error that an answer of the wrong status stands for; reads its body."""
        pieces = _pieces(response, MAX_ERROR_BYTES)
        try:
            body = _at_most(pieces, MAX_ERROR_BYTES, MAX_ERROR_S)
        finally:
            response.close()
        return self._told(response.status_code, response.headers, body, secret)

    def _told(self, status: int, fields: Mapping[str, str], body: bytes, secret: str) -> PoeError:
        return faults.from_status(
            status,
            fields,
            body[:MAX_ERROR_BYTES],
            fields.get("content-type", ""),
            now=self._clock(),
            secret=secret,
        )


def _session(connections: Connections, user_agent: str, proxy: str) -> requests.Session:
    session = requests.Session()
    # Else a ~/.netrc would replace the key, and variables of the environment would choose a proxy.
    session.trust_env = False
    # One session serves many keys: what Poe remembers of one must not reach another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity"})
    session.mount("https://", connections)
    session.mount("http://", connections)
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    return session


def _at_most(pieces: Iterator[bytes], max_bytes: int, max_s: float) -> bytes:
    """What comes in that time, also if the connection breaks; not much more than so many bytes."""
    came = b""
    with gevent.Timeout(max_s, False), suppress(*FAULTS):
        for piece in pieces:
            came += piece
            if len(came) >= max_bytes:
                break
    return came


def _pieces(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    left = max_bytes
    while left > 0 and (piece := response.raw.read1(left, decode_content=True)):
        left -= len(piece)
        yield piece


def _file_pieces(response: requests.Response) -> Iterator[bytes]:
    """The content of a file, which must be whole and not too large."""
    left = MAX_FETCHED_BYTES
    try:
        while left >= 0:
            with transport_faults():
                piece = response.raw.read1(READ_BYTES, decode_content=True)
            if not piece:
                return
            left -= len(piece)
            yield piece
        raise _lost(f"is larger than {MAX_FETCHED_BYTES} bytes, the most that is fetched")
    finally:
        response.close()


def _behind(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from pieces


def _length(response: requests.Response) -> int | None:
    said = response.headers.get("Content-Length", "")
    return int(said) if said.isdecimal() and not response.headers.get("Content-Encoding") else None


def _lost(what: str) -> PoeError:
    """The error for a bot's file; the same request would cost the same again and end the same."""
    return PoeError(ErrorKind.POE_BROKEN, f"The bot made a file that {what}.", allow_retry=False)


def _quoted(bot: str) -> str:
    """The bot's name as one step of a path."""
    if bot in ("", ".", ".."):
        raise PoeError(ErrorKind.UNKNOWN_MODEL, f"There is no bot with the name {bot!r}.")
    return quote(bot, safe="", errors="replace")


def _sayable(text: str) -> str:
    """The text without halves of characters, which no form can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _mime_type(content_type: str) -> str:
    """The type, if it can stand in a header."""
    is_plain = content_type.isascii() and content_type.isprintable()
    return content_type if content_type and is_plain else "application/octet-stream"


def _checked(key: str) -> str:
    """The key, if it can stand in a header."""
    if key and key.isascii() and key.isprintable() and " " not in key:
        return key
    raise ClientError(
        ErrorKind.UNAUTHENTICATED,
        "The Poe key holds characters that no key has; keys are at poe.com/api_key.",
    )


def _naming_file(error: PoeError, name: str) -> PoeError:
    return PoeError(
        error.kind,
        f"The file {name!r} could not be given to Poe: {error.message}",
        code=error.code,
        retry_after_s=error.retry_after_s,
        allow_retry=error.allow_retry,
    )


def _attachment(answer: Mapping[str, Any], name: str) -> Attachment:
    url, content_type, size = (answer.get(key) for key in ("attachment_url", "mime_type", "size"))
    if not isinstance(url, str) or not isinstance(content_type, str):
        raise PoeError(
            ErrorKind.POE_BROKEN,
            f"Poe took the file {name!r} but did not say where it is.",
        )
    return Attachment(
        url=url,
        content_type=content_type,
        name=name,
        size=size if isinstance(size, int) else None,
    )
