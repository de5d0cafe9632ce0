"""One line of the usage ledger: what a request was and how it went, never what was said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

OK = "ok"
"""The outcome of an answer that came to its proper end; every other is an error's kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """What is known of one request for an answer.

    Attributes:
        id: sorts the newest first; cannot be mistaken for a request's id.
        time_s: when it came, in seconds since 1970.
        request_id: as in the log and in `x-request-id`.
        key_id: the gateway key's id; "own-" and a few letters that lead back to no key if the
            client brought a key of Poe's.
        key_name: what the key is called.
        asked: the model as the client named it.
        bot: the bot that was asked for it.
        dialect: the API, by the name of its endpoint.
        streamed: whether the answer was sent piece by piece.
        prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens: of all replies together;
            thoughts are part of the completion.
        exact: whether the bot's provider counted them.
        points: what it cost at Poe; None if that is not known.
        points_estimated: whether the points follow from the bot's price list instead of from
            Poe's own record.
        first_token_s: from the request to the first piece of the answer; None if there was none.
        total_s: from the request to the end.
        outcome: "ok" or the kind of the error.
        client: what kind of program asked.
        replies: how many answers were asked for at once.
        tools: how many tools were offered.
        tool_calls: how many tools were called.
        files_in, files_out: how many files came with the prompt and with the answer.
    """

    id: str
    time_s: float
    request_id: str
    key_id: str
    key_name: str
    asked: str
    bot: str
    dialect: str
    streamed: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    exact: bool = False
    points: float | None = None
    points_estimated: bool = False
    first_token_s: float | None = None
    total_s: float = 0.0
    outcome: str = OK
    client: str = ""
    replies: int = 1
    tools: int = 0
    tool_calls: int = 0
    files_in: int = 0
    files_out: int = 0

    def record(self) -> dict[str, Any]:
        """The row as JSON says it."""
        return {name: getattr(self, name) for name in COLUMNS}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> LedgerRow:
        """The row that `record` told of; fields of another version are left aside."""
        return cls(**{name: record[name] for name in COLUMNS if name in record})


COLUMNS = tuple(made.name for made in fields(LedgerRow))
"""The fields, in the order in which they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows are wanted; what is empty or None asks for nothing.

    Attributes:
        since_s: not older than this, in seconds since 1970.
        until_s: older than this.
        key_id: of this key.
        model: whose bot or asked model has this name, in any case.
        outcome: with this outcome; "error" stands for all but "ok".
        dialect: in this API.
    """

    since_s: float | None = None
    until_s: float | None = None
    key_id: str = ""
    model: str = ""
    outcome: str = ""
    dialect: str = ""

    def takes(self, row: LedgerRow) -> bool:
        """Whether the row is one of them."""
        return (
            (self.since_s is None or row.time_s >= self.since_s)
            and (self.until_s is None or row.time_s < self.until_s)
            and self.key_id in ("", row.key_id)
            and self.dialect in ("", row.dialect)
            and (not self.model or self.model.lower() in (row.bot.lower(), row.asked.lower()))
            and self._takes_outcome(row.outcome)
        )

    def _takes_outcome(self, outcome: str) -> bool:
        if self.outcome == "error":
            return outcome != OK
        return self.outcome in ("", outcome)
