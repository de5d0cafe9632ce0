"""The files that the simulator keeps, addressed by content: its own, or what several share."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

from poeflask.core import json_text
from poeflask.simulator.media import Media
from poeflask.stores.base import StoreUnavailable
from poeflask.stores.contents import Contents

PATH = r"/base/[a-z]+/[0-9a-f]{64}"
"""What the path of a file's link looks like, as a regular expression."""

_PATH = re.compile(PATH)


class Files(Protocol):
    """Keeps files for a simulator."""

    def put(self, media: Media) -> None:
        """Keep the file, if there is room for it."""

    def at(self, url: str) -> Media | None:
        """The file behind a link or a path, whatever its host; None if it is not kept."""

    def clear(self) -> None:
        """Keep nothing that is this simulator's alone."""


class Shelf:
    """Files by path, never more than `max_bytes` in all: the longest unused go first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._files: OrderedDict[str, Media] = OrderedDict()

    def put(self, media: Media) -> None:
        """Keep the file; what does not fit with it goes, or it is not kept if it is too large."""
        self._drop(media.path)
        self._files[media.path] = media
        self._bytes += len(media.content)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._files)))

    def at(self, url: str) -> Media | None:
        """The file behind a link or a path; None if it is not kept here."""
        path = urlsplit(url).path
        if not _PATH.fullmatch(path) or path not in self._files:
            return None
        self._files.move_to_end(path)
        return self._files[path]

    def clear(self) -> None:
        """Keep nothing."""
        self._files.clear()
        self._bytes = 0

    def _drop(self, path: str) -> None:
        gone = self._files.pop(path, None)
        self._bytes -= len(gone.content) if gone is not None else 0


class SharedShelf:
    """Files that the simulators of several processes see, and those that are started later.

    Args:
        contents: where they are kept.
        ttl_s: for how many seconds.
        clock: seconds since 1970.
    """

    def __init__(
        self, contents: Contents, *, ttl_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._contents = contents
        self._ttl_s = ttl_s
        self._clock = clock

    def put(self, media: Media) -> None:
        """Keep the file, anew if it was kept; what finds no room is not kept."""
        head = json_text.written([media.content_type, media.name])
        with suppress(StoreUnavailable):
            kept = head + b"\n" + media.content
            self._contents.put(_name(media.path), kept, self._clock() + self._ttl_s)

    def at(self, url: str) -> Media | None:
        """The file behind a link or a path; None if it is not kept."""
        path = urlsplit(url).path
        if not _PATH.fullmatch(path):
            return None
        with suppress(StoreUnavailable):
            kept = self._contents.get(_name(path))
            return None if kept is None else _media(kept)
        return None

    def clear(self) -> None:
        """Nothing: what is here is others' too."""


def _name(path: str) -> str:
    return path.removeprefix("/base/").replace("/", "-")


def _media(kept: bytes) -> Media:
    head, _, content = kept.partition(b"\n")
    content_type, name = json_text.read(head)
    return Media(content, content_type, name)
