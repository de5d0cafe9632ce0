"""Counting tokens: of a text, and of a Prompt. Pure: whoever knows an encoding hands it in.

No bot's own way of counting is known here; one encoding stands for all of them, so every count is
an estimate, good to a few percent for prose.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from poeflask.core import json_text
from poeflask.core.prompt import (
    File,
    Message,
    Part,
    Prompt,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

PIECE = 32 * 1024
"""Letters that are encoded at once. tiktoken is slower than linear on long runs of one letter and
breaks (with a BaseException) on a million blanks; over pieces of this length both are harmless, and
a megabyte of prose counts 0.01% more."""

FILE_TOKENS = 765
"""What a file counts: OpenAI's number for a picture of 1024 x 1024 in high detail. No file is
opened to count it, and what a document costs depends on the bot."""

_PER_MESSAGE = 3
_PER_NAME = 1
_PER_PROMPT = 3
"""Each message, each name, and the lead of the reply, by OpenAI's cookbook."""

_QUICK_LETTERS = 16 * 1024
"""So many letters are counted in about a millisecond."""

_CACHED = 4096
"""Pieces whose counts are remembered, at most; the last half as many always are."""

_WORTH_CACHING = 256
_REACH = 32
"""Letters; within so many, one more letter may lower the count of tokens."""


class Encoding(Protocol):
    """The part of `tiktoken.Encoding` that is needed."""

    def encode_ordinary(self, text: str) -> list[int]:
        """The text's tokens; what looks like a special token is plain text."""


class TokenCounter:
    """Counts tokens; may be used from several threads at once."""

    def __init__(self, load: Callable[[], Encoding]) -> None:
        """`load` gives the encoding; it is called once, when the first text is counted."""
        self._load = load
        self._encoding: Encoding | None = None
        self._loading = threading.Lock()
        self._recent: dict[tuple[int, int], int] = {}
        self._before: dict[tuple[int, int], int] = {}
        self._roles: dict[str, int] = {}

    def is_quick(self, letters: int) -> bool:
        """Whether a text of so many letters is counted at once, not worth another thread."""
        return self._encoding is not None and letters <= _QUICK_LETTERS

    def count(self, text: str) -> int:
        """How many tokens the text has."""
        return sum(self._count_piece(text[at : at + PIECE]) for at in range(0, len(text), PIECE))

    def cut(self, text: str, max_tokens: int) -> str:
        """The longest start of the text that has at most so many tokens, in whole letters."""
        tokens = 0
        for at in range(0, len(text), PIECE):
            piece = text[at : at + PIECE]
            in_piece = self._count_piece(piece)
            if tokens + in_piece > max_tokens:
                return text[:at] + self._cut_piece(piece, max_tokens - tokens)
            tokens += in_piece
        return text

    def count_messages(self, prompt: Prompt) -> int:
        """How many tokens the bot has to read: messages, files, tools and the demanded form.

        Source: OpenAI's cookbook, "How to count tokens with tiktoken"; tools and calls are counted
        as the JSON text that a client sends.
        """
        said = (message for message in prompt.messages if not message.is_own)
        tokens = _PER_PROMPT + sum(self._count_message(message) for message in said)
        tokens += sum(self.count(_tool_text(tool)) for tool in prompt.tools)
        if prompt.output_format.schema is not None:
            tokens += self.count(json_text.write(prompt.output_format.schema))
        return tokens

    def _count_message(self, message: Message) -> int:
        role = self._roles.get(message.role)
        if role is None:
            role = self._roles[message.role] = self.count(message.role)
        tokens = _PER_MESSAGE + role
        if message.name:
            tokens += _PER_NAME + self.count(message.name)
        return tokens + sum(self._count_part(part) for part in message.parts)

    def _count_part(self, part: Part) -> int:
        match part:
            case Text() | Reasoning():
                return self.count(part.text)
            case File():
                return FILE_TOKENS
            case ToolCall():
                return self.count(part.name) + self.count(part.arguments)
            case ToolResult():
                return self.count(part.name) + self.count(part.text) + FILE_TOKENS * len(part.files)

    def _count_piece(self, piece: str) -> int:
        """Count at most one piece, from memory if it was counted before."""
        if len(piece) < _WORTH_CACHING:
            return len(self._encode(piece))
        # Nobody can foresee a text's hash: each process makes hashes in a way of its own.
        key = hash(piece), len(piece)
        known = self._recent.get(key)
        if known is not None:
            return known
        tokens = self._before.get(key)
        if tokens is None:
            tokens = len(self._encode(piece))
        if len(self._recent) >= _CACHED // 2:
            self._before, self._recent = self._recent, {}
        self._recent[key] = tokens
        return tokens

    def _cut_piece(self, piece: str, max_tokens: int) -> str:
        """The longest start of one piece that has at most so many tokens.

        A longer start can have fewer tokens than a shorter one ("hell" and "hello"), so halving
        only comes near; from there on every letter is tried for as far as a token may reach.
        """
        low, high = 0, len(piece)
        while low < high - 1:
            middle = (low + high) // 2
            if len(self._encode(piece[:middle])) <= max_tokens:
                low = middle
            else:
                high = middle
        return piece[: self._furthest(piece, low, max_tokens)]

    def _furthest(self, piece: str, low: int, max_tokens: int) -> int:
        for place in range(min(len(piece), low + _REACH), low, -1):
            if len(self._encode(piece[:place])) <= max_tokens:
                return place
        return low

    def _encode(self, text: str) -> list[int]:
        return self._ready().encode_ordinary(text)

    def _ready(self) -> Encoding:
        if self._encoding is None:
            with self._loading:
                if self._encoding is None:
                    self._encoding = self._load()
        return self._encoding


def letters(prompt: Prompt) -> int:
    """About how many letters `count_messages` has to look at; each tool counts as very many."""
    parts = (part for message in prompt.messages for part in message.parts)
    return sum(map(_letters_of_part, parts)) + _QUICK_LETTERS * len(prompt.tools)


def _letters_of_part(part: Part) -> int:
    match part:
        case Text() | Reasoning() | ToolResult():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
        case File():
            return 0


def _tool_text(tool: Tool) -> str:
    """The tool as the JSON text that stands in a request."""
    description = {"name": tool.name, "description": tool.description}
    if tool.kind == "custom":
        return json_text.write({**description, "format": tool.format})
    return json_text.write({**description, "parameters": tool.schema})
