"""Writes one call whose arguments come one after the other, a long text among them as it comes.

A call is held until it is whole, because a call that breaks while it is held can be mended, asked
for again, or given back as text. What grows beyond that is a file being written, in a block that
only its closing tag can break: it streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from poeflask.core.coerce import coerce, keeps_text, property_named
from poeflask.core.prompt import Tool
from poeflask.core.reply import ToolCallDelta
from poeflask.filters.tool_calls.arguments import key_written, value_written, written
from poeflask.filters.tool_text import CUSTOM_KEY, escaped

HOLD_CHARS = 2048
"""How much of a call is held until it is whole."""


class CallWriter:
    """Makes deltas of one call whose arguments come one after the other, some piece by piece.

    Everything is held until `close`, unless it grows beyond `hold_chars`: then what is certain is
    let go, and the rest as it comes. However it is cut, the joined arguments are one JSON text.
    """

    def __init__(self, tool: Tool, call_id: str, position: int, hold_chars: int) -> None:
        self.tool = tool
        self.sent = False
        self.seen = 0
        self._first = ToolCallDelta(
            position=position, call_id=call_id, name=tool.name, kind=tool.kind
        )
        self._position = position
        self._hold_chars = hold_chars
        self._held_chars = 0
        self._values: dict[str, Any] = {}
        self._key = ""
        self._pieces: list[str] = []
        self._streams = False
        self._out: list[ToolCallDelta] = []

    def begin(self, key: str) -> None:
        """A text argument begins."""
        self.seen += 1
        self._key = key
        self._pieces = []
        self._streams = self._may_stream(key)
        if self.sent and self._streams:
            self._open_text()

    def text(self, piece: str) -> None:
        """The next piece of it."""
        if self.sent and self._streams:
            self._say(self._inside(piece))
            return
        self._pieces.append(piece)
        self._held_chars += len(piece)
        if self._streams and self._held_chars > self._hold_chars:
            self._let_go()

    def end(self) -> None:
        """It ends."""
        if self.sent and self._streams:
            self._close_text()
        else:
            self._keep(self._key, "".join(self._pieces))
        self._pieces = []

    def merge(self, values: Mapping[str, Any]) -> None:
        """Several arguments at once."""
        self.seen += 1
        for key, value in values.items():
            self._keep(key, value)

    def has(self, keys: Iterable[str]) -> bool:
        """Whether an argument has come, and all of these have."""
        return bool(self.seen) and all(key in self._values for key in keys)

    def close(self) -> list[ToolCallDelta]:
        """The call is whole: the last of its deltas."""
        if self.sent:
            self._say("" if self.tool.kind == "custom" else "}")
        else:
            self._out = [replace(self._first, arguments=written(self.tool, self._values))]
        return self.take()

    def take(self) -> list[ToolCallDelta]:
        """The deltas that may go."""
        out, self._out = self._out, []
        return out

    def _may_stream(self, key: str) -> bool:
        if self.tool.kind == "custom":
            return not self._values
        name = property_named(self.tool.schema, key)
        return name is not None and name not in self._values and self._stays_text(name)

    def _stays_text(self, name: str) -> bool:
        return coerce({name: ""}, self.tool.schema) == {name: ""} and keeps_text(
            self.tool.schema, name
        )

    def _let_go(self) -> None:
        self.sent = True
        self._out.append(self._first)
        values, self._values = self._values, {}
        if self.tool.kind != "custom":
            self._say("{")
            for key, value in values.items():
                self._keep(key, value)
        pieces, self._pieces = self._pieces, []
        self._open_text()
        self._say(self._inside("".join(pieces)))

    def _keep(self, key: str, value: Any) -> None:
        if not self.sent:
            self._values[key] = value
            return
        if self.tool.kind == "custom":
            return
        for name, made in coerce({key: value}, self.tool.schema).items():
            if name not in self._values:
                self._say(f"{self._comma()}{key_written(name)}{value_written(made)}")
                self._values[name] = True

    def _open_text(self) -> None:
        if self.tool.kind == "custom":
            self._values[CUSTOM_KEY] = True
            return
        name = property_named(self.tool.schema, self._key) or self._key
        self._say(f'{self._comma()}{key_written(name)}"')
        self._values[name] = True

    def _close_text(self) -> None:
        self._say("" if self.tool.kind == "custom" else '"')

    def _inside(self, piece: str) -> str:
        return piece if self.tool.kind == "custom" else escaped(piece)

    def _comma(self) -> str:
        return "," if self._values else ""

    def _say(self, text: str) -> None:
        if text:
            self._out.append(
                ToolCallDelta(position=self._position, arguments=text, kind=self.tool.kind)
            )
