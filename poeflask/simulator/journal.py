"""What the simulator remembers: queries, uploads, connections, points. Never a key, and bounded."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from poeflask.core import json_text

Outcome = Literal["finished", "aborted", "cut"]

START_POINTS = 1_000_000
"""Every key's points before its first query."""

_ENTRIES = 200
_HISTORY = 100
_KEYS = 100
_ATTEMPTS = 1000
_BODY_BYTES = 16 * 1024 * 1024
"""Longer memories than any test or demonstration looks at."""


def fingerprint(key: str) -> str:
    """A name for a key that does not give it away."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:12]


@dataclass(slots=True)
class _Counts:
    open: int = 0
    started: int = 0
    finished: int = 0
    aborted: int = 0
    cut: int = 0


class Visit:
    """One answer being given: open until `end` says how it ended."""

    def __init__(self, counts: Iterable[_Counts]) -> None:
        self._counts = tuple(counts)
        for one in self._counts:
            one.open += 1
            one.started += 1

    def end(self, outcome: Outcome) -> None:
        """Say how the answer ended: to its end, by the client's leaving, or cut by the bot."""
        for one in self._counts:
            one.open -= 1
            setattr(one, outcome, getattr(one, outcome) + 1)


class Connections:
    """How many answers are open, were started and how they ended: in all and for each bot."""

    def __init__(self) -> None:
        self._total = _Counts()
        self._bots: dict[str, _Counts] = {}

    def begin(self, bot: str) -> Visit:
        """Count one more answer of the bot; there are only as many bots as the roster has."""
        return Visit((self._total, self._bots.setdefault(bot, _Counts())))

    def summary(self) -> dict[str, Any]:
        """The counts, as JSON."""
        bots = {name: _plain(counts) for name, counts in self._bots.items()}
        return {**_plain(self._total), "bots": bots}


def _plain(counts: _Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _Counts.__slots__}


class Journal:
    """Queries, uploads and points."""

    def __init__(self) -> None:
        self._queries: deque[tuple[int, dict[str, Any]]] = deque()
        self._bytes = 0
        self._number = 0
        self._uploads: deque[dict[str, Any]] = deque(maxlen=_ENTRIES)
        self._attempts: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._histories: OrderedDict[str, deque[dict[str, Any]]] = OrderedDict()

    def query(self, bot: str, key: str, body: Mapping[str, Any], at_s: float) -> int:
        """Remember a query; give which attempt of this key at this very conversation it is."""
        seen = {name: value for name, value in body.items() if not name.endswith("_key")}
        written = json_text.write(seen)
        attempt = self._attempt(bot, key, json_text.write(body["query"]))
        self._number += 1
        entry = {"number": self._number, "bot": bot, "key": key, "attempt": attempt, "body": seen}
        self._keep(len(written), entry)
        self._charge(bot, key, len(written), at_s)
        return attempt

    def upload(self, **what: object) -> None:
        """Remember an upload."""
        self._uploads.append(what)

    @property
    def queries(self) -> list[dict[str, Any]]:
        """The last queries, oldest first."""
        return [entry for _, entry in self._queries]

    @property
    def uploads(self) -> list[dict[str, Any]]:
        """The last uploads, oldest first."""
        return list(self._uploads)

    def history(self, key: str, limit: int, starting_after: str | None) -> dict[str, Any]:
        """What GET /usage/points_history answers: newest first."""
        entries = list(reversed(self._histories.get(key, ())))
        ids = [entry["query_id"] for entry in entries]
        start = ids.index(starting_after) + 1 if starting_after in ids else 0
        page = entries[start : start + limit]
        more = start + limit < len(entries)
        return {"has_more": more, "length": len(page), "data": page}

    def balance(self, key: str) -> int:
        """The points that the key's owner has left, as far as the history reaches."""
        spent: int = sum(entry["cost_points"] for entry in self._histories.get(key, ()))
        return START_POINTS - spent

    def _keep(self, size: int, entry: dict[str, Any]) -> None:
        self._queries.append((size, entry))
        self._bytes += size
        while len(self._queries) > _ENTRIES or self._bytes > _BODY_BYTES:
            self._bytes -= self._queries.popleft()[0]

    def _attempt(self, bot: str, key: str, conversation: str) -> int:
        what = (bot, key, hashlib.sha256(conversation.encode()).hexdigest())
        self._attempts[what] = self._attempts.pop(what, 0) + 1
        if len(self._attempts) > _ATTEMPTS:
            self._attempts.popitem(last=False)
        return self._attempts[what]

    def _charge(self, bot: str, key: str, size: int, at_s: float) -> None:
        history = self._histories.pop(key, None) or deque(maxlen=_HISTORY)
        self._histories[key] = history
        if len(self._histories) > _KEYS:
            self._histories.popitem(last=False)
        points = 10 + size // 100
        total = {"Total": f"{points} points"}
        history.append(
            {
                "creation_time": int(at_s * 1_000_000),
                "bot_name": bot,
                "query_id": f"q-{self._number}",
                "usage_type": "API",
                "cost_points": points,
                "cost_breakdown_in_points": total,
            }
        )
