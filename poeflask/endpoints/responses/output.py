"""What a response says: reply events as output items, told one after the other.

An item is opened by its first event and closed by what follows it. A teller hears of everything
that happens to items in the API's own words; the items themselves are kept in `items`.

What a failure breaks off is closed with the status "incomplete", but for a call: nobody may run
half a call, so it is never told as done and is none of the items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from poeflask.core import json_text
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
    renumbered,
)
from poeflask.endpoints.responses.calls import CallOrder, OpenCall
from poeflask.endpoints.responses.ids import output_id
from poeflask.endpoints.responses.local_tools import LocalTool
from poeflask.endpoints.responses.tools import Naming

_Object = dict[str, Any]


class Teller(Protocol):
    """Hears of everything that happens to items."""

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """An event of the API's: its type and its fields, without a sequence number."""

    def delta(self, name: str, place: str, text: str) -> None:
        """A piece of text has come.

        Args:
            name: the event's type.
            place: its other fields, the same for all pieces of an item: an object's JSON text
                without the brace that opens it.
            text: the piece.
        """


class _Item(Protocol):
    """One item while it is open."""

    def close(self, status: str, *, broken: bool) -> _Object | None:
        """Tell the item's end; gives the item, or None if it must not be shown."""


class Output:
    """The items of one response.

    Args:
        response_id: what the items' ids are made from.
        naming: how the bot's names for tools read in the client's words.
        teller: hears of everything.
    """

    def __init__(self, response_id: str, naming: Naming, teller: Teller) -> None:
        self.items: list[_Object] = []
        self.usage: Usage | None = None
        self._response_id = response_id
        self._naming = naming
        self._teller = teller
        self._open: _Item | None = None
        self._order = CallOrder()
        self._others: dict[int, list[ReplyEvent]] = {}

    def take(self, event: ReplyEvent) -> Finish | Failure | None:
        """Take the next event; gives it back if it ends the response, all items being closed."""
        if not isinstance(event, Pause) and event.index:
            self._others.setdefault(event.index, []).append(event)
            return None
        match event:
            case TextDelta(text):
                self._say(text)
            case ReasoningDelta(text):
                self._think(text)
            case FileEvent():
                self._say(_link(event))
            case ToolCallDelta():
                for delta in self._order.feed(event):
                    self._call(delta)
            case Usage():
                self.usage = event
            case Finish():
                self._end_first_answer()
                cut = event.reason in ("length", "content_filter")
                self._close("incomplete" if cut else "completed")
                return event
            case Failure():
                self._close("incomplete", broken=True)
                return event
        return None

    def _say(self, text: str) -> None:
        if not isinstance(self._open, _Message):
            self._close_calls()
            self._open = _Message(self._teller, *self._place("msg"))
        self._open.add(text)

    def _think(self, text: str) -> None:
        if not isinstance(self._open, _Thoughts):
            self._close_calls()
            self._open = _Thoughts(self._teller, *self._place("rs"))
        self._open.add(text)

    def _call(self, delta: ToolCallDelta) -> None:
        if isinstance(self._open, _Call | _LocalCall) and self._open.is_of(delta):
            self._open.add(delta.arguments)
            return
        self._close("completed")
        local = self._naming.local.get(delta.name)
        if local is not None and delta.kind == "function":
            self._open = _LocalCall(self._teller, *self._place(local.prefix), delta, local)
            return
        prefix = "ctc" if delta.kind == "custom" else "fc"
        self._open = _Call(self._teller, *self._place(prefix), delta, self._naming)

    def _release_calls(self) -> None:
        for delta in self._order.end():
            self._call(delta)

    def _close_calls(self) -> None:
        self._release_calls()
        self._close("completed")

    def _end_first_answer(self) -> None:
        """Tell the calls that were held, then the parallel answers, whatever ends they had."""
        self._release_calls()
        others, self._others = self._others, {}
        for index in sorted(others):
            self._close_calls()
            for event in others[index]:
                if not isinstance(event, Finish | Failure | Usage):
                    self.take(renumbered(event, 0))
            self._release_calls()

    def _close(self, status: str, *, broken: bool = False) -> None:
        if self._open is not None:
            item = self._open.close(status, broken=broken)
            self.items += [] if item is None else [item]
            self._open = None

    def _place(self, prefix: str) -> tuple[str, int]:
        index = len(self.items)
        return output_id(prefix, self._response_id, index), index


class _Message:
    """What the bot says."""

    def __init__(self, teller: Teller, item_id: str, index: int) -> None:
        self._teller = teller
        self._id = item_id
        self._index = index
        self._pieces: list[str] = []
        self._place = {"item_id": item_id, "output_index": index, "content_index": 0}
        self._delta_place = _written({**self._place, "logprobs": []})
        teller.tell("output_item.added", {"output_index": index, "item": self._item("in_progress")})
        teller.tell("content_part.added", {**self._place, "part": _text_part("")})

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._teller.delta("output_text.delta", self._delta_place, text)

    def close(self, status: str, *, broken: bool) -> _Object:
        text = "".join(self._pieces)
        part = _text_part(text)
        item = self._item(status, part)
        self._teller.tell("output_text.done", {**self._place, "text": text, "logprobs": []})
        self._teller.tell("content_part.done", {**self._place, "part": part})
        self._teller.tell("output_item.done", {"output_index": self._index, "item": item})
        return item

    def _item(self, status: str, *content: _Object) -> _Object:
        return {
            "id": self._id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": list(content),
        }


class _Thoughts:
    """What the bot thinks, as a summary: that is what clients show."""

    def __init__(self, teller: Teller, item_id: str, index: int) -> None:
        self._teller = teller
        self._id = item_id
        self._index = index
        self._pieces: list[str] = []
        self._place = {"item_id": item_id, "output_index": index, "summary_index": 0}
        self._delta_place = _written(self._place)
        teller.tell("output_item.added", {"output_index": index, "item": self._item("in_progress")})
        teller.tell("reasoning_summary_part.added", {**self._place, "part": _summary_part("")})

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._teller.delta("reasoning_summary_text.delta", self._delta_place, text)

    def close(self, status: str, *, broken: bool) -> _Object:
        text = "".join(self._pieces)
        part = _summary_part(text)
        item = self._item(status, part)
        self._teller.tell("reasoning_summary_text.done", {**self._place, "text": text})
        self._teller.tell("reasoning_summary_part.done", {**self._place, "part": part})
        self._teller.tell("output_item.done", {"output_index": self._index, "item": item})
        return item

    def _item(self, status: str, *summary: _Object) -> _Object:
        return {"id": self._id, "type": "reasoning", "status": status, "summary": list(summary)}


class _Call:
    """A call of a function or of a tool that takes free text."""

    def __init__(
        self, teller: Teller, item_id: str, index: int, first: ToolCallDelta, naming: Naming
    ) -> None:
        self._teller = teller
        self._id = item_id
        self._index = index
        self._call = OpenCall(first)
        self._naming = naming
        self._place = {"item_id": item_id, "output_index": index}
        self._delta_place = _written(self._place)
        custom = first.kind == "custom"
        self._field = "input" if custom else "arguments"
        self._event = "custom_tool_call_input" if custom else "function_call_arguments"
        added = {"output_index": index, "item": self._item("in_progress", "")}
        teller.tell("output_item.added", added)
        self._tell_piece(first.arguments)

    def is_of(self, delta: ToolCallDelta) -> bool:
        return delta.position == self._call.first.position and not delta.call_id

    def add(self, arguments: str) -> None:
        self._call.add(arguments)
        self._tell_piece(arguments)

    def close(self, status: str, *, broken: bool) -> _Object | None:
        if not self._call.arguments and self._field == "arguments" and not broken:
            # A call without arguments; every client reads them as JSON.
            self.add("{}")
        whole = self._call.is_whole()
        if broken and not whole:
            return None
        text = self._call.arguments
        item = self._item("completed" if whole else status, text)
        done = {**self._place, self._field: text, "name": item["name"]}
        self._teller.tell(f"{self._event}.done", done)
        self._teller.tell("output_item.done", {"output_index": self._index, "item": item})
        return item

    def _tell_piece(self, text: str) -> None:
        if text:
            self._teller.delta(f"{self._event}.delta", self._delta_place, text)

    def _item(self, status: str, text: str) -> _Object:
        first = self._call.first
        namespace, name = self._naming.spaced.get(first.name, ("", first.name))
        return {
            "id": self._id,
            "type": "custom_tool_call" if first.kind == "custom" else "function_call",
            "status": status,
            "call_id": first.call_id,
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            self._field: text,
        }


class _LocalCall:
    """A call of a tool that the client runs: told whole, since its items know no pieces."""

    def __init__(
        self, teller: Teller, item_id: str, index: int, first: ToolCallDelta, tool: LocalTool
    ) -> None:
        self._teller = teller
        self._id = item_id
        self._index = index
        self._call = OpenCall(first)
        self._tool = tool

    def is_of(self, delta: ToolCallDelta) -> bool:
        return delta.position == self._call.first.position and not delta.call_id

    def add(self, arguments: str) -> None:
        self._call.add(arguments)

    def close(self, status: str, *, broken: bool) -> _Object | None:
        action = self._action()
        if action is None and broken:
            return None
        if action is None:
            return self._as_function(status)
        item = {
            "id": self._id,
            "type": self._tool.item,
            "status": "in_progress",
            "call_id": self._call.first.call_id,
            self._tool.place: {**self._tool.fixed, **action},
        }
        self._teller.tell("output_item.added", {"output_index": self._index, "item": item})
        item = {**item, "status": "completed"}
        self._teller.tell("output_item.done", {"output_index": self._index, "item": item})
        return item

    def _action(self) -> _Object | None:
        try:
            action = json_text.read(self._call.arguments)
        except json_text.NotJsonError:
            return None
        return action if isinstance(action, dict) else None

    def _as_function(self, status: str) -> _Object | None:
        """The call as the bot wrote it, if that is no action."""
        call = _Call(self._teller, self._id, self._index, self._call.so_far(), Naming())
        return call.close(status, broken=False)


def _written(place: Mapping[str, Any]) -> str:
    return json_text.write(place)[1:]


def _text_part(text: str) -> _Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _summary_part(text: str) -> _Object:
    return {"type": "summary_text", "text": text}


def _link(file: FileEvent) -> str:
    """A file as a Markdown link in a paragraph of its own."""
    mark = "!" if file.content_type.startswith("image/") else ""
    return f"\n\n{mark}[{(file.name or 'file').translate(_NO_BRACKETS)}]({file.url})\n\n"


_NO_BRACKETS = str.maketrans("[]", "()")
