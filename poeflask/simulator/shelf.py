"""The files that the simulator keeps: addressed by content, the longest unused go first."""

from __future__ import annotations

import re
from collections import OrderedDict
from urllib.parse import urlsplit

from poeflask.simulator.media import Media

_PATH = re.compile(r"/base/[a-z]+/[0-9a-f]{64}")


class Shelf:
    """Files by path, never more than `max_bytes` in all."""

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
