"""What was said with keys whose owner wants it kept: texts, for some days, and nobody else's.

Nothing is kept unless it was switched on for the very key. A record holds the text of the prompt
and of the answer, cut to a bound, and no content of files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import NamedTuple

from poeflask.core import json_text
from poeflask.core.prompt import File, Message, Part, Prompt, Reasoning, Text, ToolCall, ToolResult
from poeflask.log_lines import get_logger
from poeflask.stores.base import Store, StoreUnavailable

MOST_LETTERS = 64 * 1024
"""Of a prompt and of an answer, each."""

_log = get_logger(__name__)

_NAME = "recordings:1"
_KEYS = f"{_NAME}/key/"
_RECORDS = f"{_NAME}/record/"
_LOOK_AGAIN_S = 2.0
_MOST_KEYS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One answer and what it answered.

    Attributes:
        row_id: the row of the ledger; the recording has the same id.
        prompt: the end of what was asked, each message behind its speaker's name.
        answer: the beginning of what was answered.
    """

    row_id: str
    time_s: float
    key_id: str
    key_name: str
    bot: str
    outcome: str
    prompt: str
    answer: str


class RecordingPage(NamedTuple):
    """Recordings, the newest first, and what the next page is asked with; "" at the end."""

    recordings: list[Recording]
    next: str


class Recordings:
    """The recordings of all keys.

    Args:
        store: where they are kept.
        ttl_s: for how long.
        most: how many; the oldest go first.
        clock: seconds since 1970.
    """

    def __init__(
        self, store: Store, *, ttl_s: float, most: int, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._ttl_s = ttl_s
        self._most = most
        self._clock = clock
        self._on: frozenset[str] = frozenset()
        self._look_again_s = 0.0

    def switch(self, key_id: str, *, on: bool) -> None:
        """Record what this key asks from now on, or no more; other workers follow in two seconds.

        Raises:
            StoreUnavailable: here and in all methods but `wants` and `keep`.
        """
        if on:
            self._store.put(_KEYS + key_id, b"1")
        else:
            self._store.delete(_KEYS + key_id)
        self._look_again_s = 0.0

    def switched_on(self) -> frozenset[str]:
        """The ids of the keys that are recorded."""
        items = self._store.items(_KEYS, limit=_MOST_KEYS)
        return frozenset(key.removeprefix(_KEYS) for key, _ in items)

    def wants(self, key_id: str) -> bool:
        """Whether the key is recorded; no, if that cannot be known."""
        if self._clock() >= self._look_again_s:
            self._look_again_s = self._clock() + _LOOK_AGAIN_S
            try:
                self._on = self.switched_on()
            except StoreUnavailable as error:
                _log.warning("recordings_unreachable", reason=str(error))
                self._on = frozenset()
        return key_id in self._on

    def keep(self, recording: Recording) -> None:
        """Keep a recording, cut to its bounds; if the store takes none, it is lost."""
        record = asdict(recording)
        record["prompt"] = recording.prompt[-MOST_LETTERS:]
        record["answer"] = recording.answer[:MOST_LETTERS]
        value = json_text.write(record).encode()
        try:
            self._store.put(_RECORDS + recording.row_id, value, self._ttl_s)
            self._trim()
        except StoreUnavailable as error:
            _log.warning("recording_lost", reason=str(error))

    def page(self, *, key_id: str = "", after: str = "", limit: int = 20) -> RecordingPage:
        """Recordings, the newest first, of one key or of all."""
        found: list[Recording] = []
        while page := self._store.items(_RECORDS, after=after, limit=limit):
            for key, value in page:
                after = key.removeprefix(_RECORDS)
                recording = Recording(**json_text.read(value))
                if key_id in ("", recording.key_id):
                    found.append(recording)
                if len(found) == limit:
                    return RecordingPage(found, after)
        return RecordingPage(found, "")

    def find(self, row_id: str) -> Recording | None:
        """The recording of a row of the ledger, if there is one."""
        value = self._store.get(_RECORDS + row_id)
        return None if value is None else Recording(**json_text.read(value))

    def forget(self, row_id: str) -> None:
        """Forget a recording, if there is one."""
        self._store.delete(_RECORDS + row_id)

    def forget_all(self, key_id: str) -> int:
        """Forget all recordings of a key; gives how many there were."""
        ids = []
        page = self.page(key_id=key_id)
        while page.recordings:
            ids += [recording.row_id for recording in page.recordings]
            if not page.next:
                break
            page = self.page(key_id=key_id, after=page.next)
        for row_id in ids:
            self.forget(row_id)
        return len(ids)

    def _trim(self) -> None:
        for key in islice(self._store.keys(_RECORDS), self._most, None):
            self._store.delete(key)


def text_of(prompt: Prompt) -> str:
    """The end of what a prompt says, as a person reads it."""
    pieces: list[str] = []
    letters = 0
    for message in reversed(prompt.messages):
        piece = _message_text(message)
        pieces.append(piece)
        letters += len(piece)
        if letters > MOST_LETTERS:
            break
    return "\n\n".join(reversed(pieces))[-MOST_LETTERS:]


def _message_text(message: Message) -> str:
    said = "\n".join(_part_text(part) for part in message.parts)
    return f"{message.role}: {said}"


def _part_text(part: Part) -> str:
    match part:
        case Text() | Reasoning():
            return part.text
        case File():
            return f"[file {part.name} {part.content_type}]"
        case ToolCall():
            return f"[calls {part.name} {part.arguments}]"
        case ToolResult():
            return f"[result {part.name} {part.text}]"
