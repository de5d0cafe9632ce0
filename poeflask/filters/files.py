"""Files and the text that cites them.

Poe sends a file as an event of its own and lets the text cite it: `![title][ref]`. Some bots only
write a link. A dialect that knows text alone gets links in the text; any other gets FileEvents and
text without citations. A file is announced before the text that cites it (Poe's protocol), so a
citation is decided as soon as it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from poeflask.core.reply import Failure, FileEvent, Finish, Pause, ReplyEvent, TextDelta
from poeflask.filters.reply_side import ReplySide

_Cite = Callable[[str, str], str | None]
"""From title and reference to what stands in the text; None: the reference is not known."""

_CITATION = re.compile(r"!\[([^\[\]\n]{0,500})\]\[([^\[\]\n]{1,200})\]")
_OPEN_CITATION = re.compile(r"!(?:\[[^\[\]\n]{0,500}(?:\](?:\[[^\[\]\n]{0,200})?)?)?\Z")

_NAME = r"[^\[\]\n]{0,500}"
_STORED = r"https://(?:[\w-]{1,63}\.){1,8}poecdn\.net/[^\s()<>\[\]]{0,2000}"
_LINK = re.compile(
    rf"!?\[(?P<name>{_NAME})\]\((?P<target>{_STORED})\)|(?P<bare>{_STORED})(?=\s|\Z)", re.ASCII
)
"""A link to Poe's own store of files, and to nowhere else."""

_TARGET = r"[^\s()<>\[\]]{0,3000}"
_OPEN_LINK = re.compile(rf"!?(?:\[{_NAME}(?:\](?:\({_TARGET})?)?)?\Z|https://{_TARGET}\Z", re.ASCII)
_HTTPS = "https://"
_MOST_LINKS = 100
_MOST_BLANKS = 64

_ANY_TYPE = {
    "image": "image/*",
    "audio": "audio/*",
    "video": "video/*",
    "text": "text/plain",
}
"""By the path's segment behind /base/: Poe's links say the kind of a file, never the exact type."""

_LINK_LETTERS = str.maketrans({"(": "%28", ")": "%29", " ": "%20", "<": "%3C", ">": "%3E"})
_NAME_LETTERS = str.maketrans({"[": "(", "]": ")", "\n": " ", "\r": " "})


def files_filter(*, as_text: bool = True) -> ReplySide:
    """Joins files with the text that cites them.

    Args:
        as_text: every file becomes a link in the text; otherwise each stays an event.
    """
    return FilesAsText() if as_text else FilesAsEvents()


class FilesAsText(ReplySide):
    """Citations become links; files that the text does not show are linked behind it."""

    def __init__(self) -> None:
        self._citations = _Citations()
        self._files: list[FileEvent] = []
        self._text: list[str] = []

    def passes(self, text: str) -> bool:
        if self._citations.concerns(text):
            return False
        self._text.append(text)
        return True

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case TextDelta():
                self._say(self._citations.feed(event.text, self._cite), given)
            case FileEvent():
                self._files.append(event)
            case Pause():
                given.append(event)
            case Finish() | Failure():
                self._say(self._citations.end(), given)
                self._say(self._links(), given)
                given.append(event)
            case _:
                self._say(self._citations.end(), given)
                given.append(event)

    def _cite(self, title: str, ref: str) -> str | None:
        for file in reversed(self._files):
            if file.inline_ref == ref:
                return f"![{title}]({_url(file)})"
        return None

    def _say(self, text: str, given: list[ReplyEvent]) -> None:
        if text:
            self._text.append(text)
            given.append(TextDelta(text))

    def _links(self) -> str:
        """Links to the files whose address the text does not hold yet."""
        text = "".join(self._text)
        links: dict[str, str] = {}
        for file in self._files:
            if file.url not in text and _url(file) not in text:
                links.setdefault(file.url, _link(file))
        lead = "\n\n" if text and links else ""
        return lead + "\n\n".join(links.values())


class FilesAsEvents(ReplySide):
    """Citations leave the text; an answer of nothing but links to Poe's files becomes files."""

    def __init__(self) -> None:
        self._citations = _Citations()
        self._links = _OnlyLinks()
        self._refs: set[str] = set()
        self._urls: set[str] = set()

    def passes(self, text: str) -> bool:
        return not (self._links.possible or self._citations.concerns(text))

    def take(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        match event:
            case TextDelta():
                _say(self._links.feed(self._citations.feed(event.text, self._cite)), given)
            case Pause():
                given.append(event)
            case _:
                self._let_go(event, given)

    def _cite(self, _title: str, ref: str) -> str | None:
        return "" if ref in self._refs else None

    def _let_go(self, event: ReplyEvent, given: list[ReplyEvent]) -> None:
        _say(self._links.feed(self._citations.end()), given)
        files, text = self._links.end()
        _say(text, given)
        for file in files:
            self._show(file, given)
        if not isinstance(event, FileEvent):
            given.append(event)
            return
        self._refs.add(event.inline_ref)
        self._show(event, given)

    def _show(self, file: FileEvent, given: list[ReplyEvent]) -> None:
        if file.url not in self._urls:
            self._urls.add(file.url)
            given.append(file)


class _Citations:
    """Finds `![title][ref]` in text that arrives in pieces."""

    def __init__(self) -> None:
        self._held = ""

    def concerns(self, text: str) -> bool:
        """Whether a citation may be open in front of the text or begin in it."""
        return bool(self._held) or "!" in text

    def feed(self, text: str, cite: _Cite) -> str:
        """The text that is certain, each citation as `cite` says; None leaves it as it is."""
        if not self.concerns(text):
            return text
        text = self._held + text
        self._held = ""
        opened = _open_citation(text)
        self._held = text[opened:]
        return _CITATION.sub(lambda found: _cited(found, cite), text[:opened])

    def end(self) -> str:
        """What was held, as it came."""
        held, self._held = self._held, ""
        return held


class _OnlyLinks:
    """Holds an answer for as long as it is nothing but links to Poe's files.

    Attributes:
        possible: whether it may still be that; if not, all text passes.
    """

    def __init__(self) -> None:
        self.possible = True
        self._read: list[str] = []
        self._open = ""
        self._files: list[FileEvent] = []

    def feed(self, text: str) -> str:
        """The text that is certain to be text."""
        if not self.possible:
            return text
        self._open += text
        while found := self._next_link():
            self._files.append(_file(found))
            self._read.append(self._open[: found.end()])
            self._open = self._open[found.end() :]
        if self._may_be_link():
            return ""
        self.possible = False
        return self._everything()

    def _may_be_link(self) -> bool:
        rest = self._open.lstrip()
        if len(self._open) - len(rest) > _MOST_BLANKS or len(self._files) > _MOST_LINKS:
            return False
        return _HTTPS.startswith(rest) or bool(_OPEN_LINK.match(rest))

    def end(self) -> tuple[list[FileEvent], str]:
        """What was held: the files if it was nothing but links, or else the text."""
        rest = self._open.strip()
        files = list(self._files)
        if rest and (last := _LINK.fullmatch(rest)):
            files.append(_file(last))
        elif rest:
            self.possible = False
            files = []
        text = self._everything()
        return (files, "") if files else ([], text)

    def _next_link(self) -> re.Match[str] | None:
        """The link at the start of what is open, if it is certain where it ends."""
        start = len(self._open) - len(self._open.lstrip())
        found = _LINK.match(self._open, start)
        if start > _MOST_BLANKS or len(self._files) > _MOST_LINKS:
            return None
        if found and found["bare"] and found.end() == len(self._open):
            return None
        return found

    def _everything(self) -> str:
        text = "".join(self._read) + self._open
        self._read.clear()
        self._files.clear()
        self._open = ""
        return text


def _open_citation(text: str) -> int:
    """Where a citation begins that may still be completed, or the length of the text."""
    opened = text.rfind("![")
    if opened >= 0 and _OPEN_CITATION.match(text, opened):
        return opened
    return len(text) - text.endswith("!")


def _cited(found: re.Match[str], cite: _Cite) -> str:
    shown = cite(found[1], found[2])
    return found[0] if shown is None else shown


def _say(text: str, given: list[ReplyEvent]) -> None:
    if text:
        given.append(TextDelta(text))


def _url(file: FileEvent) -> str:
    """The file's address, with no letter that would end a markdown link."""
    return file.url.translate(_LINK_LETTERS)


def _link(file: FileEvent) -> str:
    picture = "!" if file.content_type.startswith("image/") else ""
    return f"{picture}[{file.name.translate(_NAME_LETTERS)}]({_url(file)})"


def _file(found: re.Match[str]) -> FileEvent:
    url = found["target"] or found["bare"]
    path = url.partition("?")[0].split("/")
    kind = path[4] if len(path) > 5 and path[3] == "base" else ""
    return FileEvent(
        url=url,
        content_type=_ANY_TYPE.get(kind, "application/octet-stream"),
        name=found["name"] or path[-1] or "file",
    )
