"""`models.yaml` on the disk: read again when it changes, the last good one kept when it is bad."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from poeflask.core.profile import Profile
from poeflask.poe.overrides import Override, OverridesError, read

LOOK_AGAIN_S = 1.0
"""How long a change may go unseen; a look is one question to the file system."""

_log = structlog.get_logger("poeflask")


class ModelsFile:
    """The owner's overrides, as the file says now.

    Args:
        path: the file; it need not exist.
        clock: seconds that only grow.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._overrides: Mapping[str, Override] = {}
        self._seen: tuple[int, int] | None = None
        self._next_look_s = float("-inf")

    def applied(self, profile: Profile) -> Profile:
        """The profile of a bot with what the owner says of it."""
        self._look()
        override = self._overrides.get(profile.bot.lower())
        return profile if override is None else override.applied(profile)

    def _look(self) -> None:
        """Read the file if it changed; a bad one is logged once and otherwise ignored."""
        now_s = self._clock()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_AGAIN_S
        seen = self._stamp()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._overrides = {} if seen is None else read(self._path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, OverridesError) as error:
            _log.error("bad_models_file", path=str(self._path), reason=str(error))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size
