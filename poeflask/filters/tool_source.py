"""The characters of an answer as they come in, and the tags among them.

A reader takes what it has understood and waits for more where it has not: whatever is decided is
decided on the same characters, however the answer was cut.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Set
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]
"""A reader: yields when it needs more characters, returns what it read."""

MAX_RECORD_CHARS = 8 * 1024 * 1024
"""The longest call that is held; a longer one is text."""

_MAX_PREFIX_CHARS = 16
_HEAD = re.compile(
    r"<[\u200b-\u200d\u2060\ufeff|｜]*(?P<slash>/?)[ \t]?[\u200b-\u200d\u2060\ufeff|｜]*"
    r"(?:DSML[|｜])?(?P<names>[\w▁-]*(?::[\w▁-]*){0,2})"
)
_REST = re.compile(r"(?P<rest>[^<>]{0,300})>")
_OPEN_REST = re.compile(r"[^<>]{0,300}\Z")
_AFTER_NAME = re.compile(r"[\s=/>|｜\u200b-\u200d\u2060\ufeff]")
_GIVEN = re.compile(
    r"""(?:^|\b(?:tool_?)?name)\s*=\s*(?:["“](?P<a>[^"”]*)["”]|'(?P<b>[^']*)'|(?P<c>[^\s"'/>]+))"""
)


class NotACallError(Exception):
    """What was read is no call after all: it is text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag as it stands.

    Attributes:
        name: the known name it has, without any prefix.
        given: what it names, by `name="..."` or `=...`; empty if nothing.
        mark: what stands behind the name's colon.
        closing: it is a closing tag.
        empty: it closes itself.
        size: its characters.
    """

    name: str
    given: str = ""
    mark: str = ""
    closing: bool = False
    empty: bool = False
    size: int = 0


class Source:
    """What has come and is not yet taken. `ended` is true once nothing more will come."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.ended = False
        self._record: list[str] | None = None
        self._recorded_chars = 0

    def feed(self, text: str) -> None:
        """The next characters."""
        self.text = self.text[self.at :] + text
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        """The character that many places ahead; empty if it has not come."""
        place = self.at + ahead
        return self.text[place : place + 1]

    def comes(self, text: str) -> Steps[bool]:
        """Whether this text comes next. Takes nothing."""
        while self.left < len(text) and text.startswith(self.text[self.at :]) and not self.ended:
            yield
        return self.text.startswith(text, self.at)

    @property
    def left(self) -> int:
        """How many characters are waiting."""
        return len(self.text) - self.at

    def take(self, count: int) -> str:
        """The next so many characters.

        Raises:
            NotACallError: the record has become too long to be one call.
        """
        taken = self.text[self.at : self.at + count]
        self.at += len(taken)
        if self._record is not None and taken:
            self._record.append(taken)
            self._recorded_chars += len(taken)
            if self._recorded_chars > MAX_RECORD_CHARS:
                raise NotACallError
        return taken

    @property
    def records(self) -> bool:
        """Whether what is taken is remembered."""
        return self._record is not None

    def record(self) -> None:
        """Remember what is taken from here on."""
        self._record = []
        self._recorded_chars = 0

    def forget(self) -> None:
        """Stop remembering."""
        self._record = None

    def recorded(self) -> str:
        """What was taken since `record`, which ends; empty after `forget`."""
        taken = "".join(self._record or ())
        self._record = None
        return taken

    def put_back(self, text: str) -> None:
        """Undo the taking of this text, the last that was taken."""
        self.text = text + self.text[self.at :]
        self.at = 0
        if self._record is not None:
            kept = "".join(self._record)
            kept = kept[: len(kept) - len(text)]
            self._record = [kept]
            self._recorded_chars = len(kept)

    def tag(self, ahead: int, known: Set[str]) -> Steps[Tag | None]:
        """The tag that begins that many places ahead; None if no known one does. Takes nothing."""
        while True:
            found, may_come = _look(self.text, self.at + ahead, known)
            if found is not None or not may_come or self.ended:
                return found
            yield

    def past_space(self, ahead: int, limit: int) -> Steps[int | None]:
        """How far ahead the next character that is no space is; None if too far. Takes nothing.

        At the end of the answer it is where the characters end.
        """
        place = ahead
        while True:
            while self.peek(place).isspace():
                place += 1
                if place - ahead > limit:
                    return None
            if self.peek(place) or self.ended:
                return place
            yield


def _look(text: str, place: int, known: Set[str]) -> tuple[Tag | None, bool]:
    """The known tag at this place, and whether one may still come of what stands there."""
    head = _HEAD.match(text, place)
    if head is None:
        return None, place >= len(text)
    names = head["names"]
    if head.end() == len(text):
        return None, _may_grow(names, known)
    name, mark = _known_name(names, known)
    if not name or not _AFTER_NAME.match(text, head.end()):
        return None, False
    rest = _REST.match(text, head.end())
    if rest is None:
        return None, _OPEN_REST.match(text, head.end()) is not None
    return _tag(head, rest, name, mark), False


def _tag(head: re.Match[str], rest: re.Match[str], name: str, mark: str) -> Tag:
    given = _GIVEN.search(rest["rest"])
    return Tag(
        name=name,
        given=(given["a"] or given["b"] or given["c"] or "").strip() if given else "",
        mark=mark,
        closing=bool(head["slash"]) or name.endswith("_end"),
        empty=rest["rest"].endswith("/"),
        size=rest.end() - head.start(),
    )


def _plain(part: str) -> str:
    return part.lower().replace("-", "_").replace("▁", "_")


def _known_name(names: str, known: Set[str]) -> tuple[str, str]:
    """The known one of the names around colons, and the one behind it."""
    parts = names.split(":")
    for place, part in enumerate(parts):
        for form in (part, _plain(part)):
            if form and form in known:
                return form, ":".join(parts[place + 1 :])
    return "", ""


def _may_grow(names: str, known: Set[str]) -> bool:
    if _known_name(names, known)[0]:
        return True
    last = names.rsplit(":", 1)[-1]
    if ":" not in names and len(last) <= _MAX_PREFIX_CHARS:
        return True
    return any(name.startswith((last, _plain(last))) for name in known)
