"""The grammar of a Responses stream as a state machine, and what a client makes of a stream.

Both are written from OpenAI's reference alone and know nothing of the encoder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Event = dict[str, Any]

TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def frames(body: str) -> list[Event]:
    """The events of a stream's body; every frame must have a name and data that agree."""
    *parts, last, rest = body.split("\n\n")
    assert "data: [DONE]" == last
    assert "" == rest
    return [_event(part) for part in parts if not part.startswith(":")]


def _event(frame: str) -> Event:
    name_line, data_line = frame.split("\n")
    event: Event = json.loads(data_line.removeprefix("data: "))
    assert f"event: {event['type']}" == name_line
    return event


class Grammar:
    """Follows one stream and asserts at each event that it may come here."""

    def __init__(self) -> None:
        self.count = 0
        self.next_index = 0
        self.phase = "start"
        self.item: Event | None = None
        self.text = ""

    def check(self, events: list[Event]) -> None:
        for event in events:
            assert self.count == event["sequence_number"]
            self.count += 1
            self._step(event["type"].removeprefix("response."), event)
        assert "end" == self.phase

    def _step(self, kind: str, event: Event) -> None:
        allowed = self._allowed()
        assert kind in allowed, f"{kind} came in phase {self.phase}"
        self.phase = allowed[kind]
        if kind == "output_item.added":
            self._begin(event)
        elif "output_index" in event:
            self._inside(kind, event)
        elif self.phase == "end" and self.item is not None:
            assert "failed" == kind
            assert self.item["type"] in ("function_call", "custom_tool_call")

    def _allowed(self) -> dict[str, str]:
        """What may come in this phase, and the phase after it."""
        ends = {"completed": "end", "incomplete": "end", "failed": "end"}
        return {
            "start": {"created": "created"},
            "created": {"in_progress": "between"},
            "between": {"output_item.added": "added", **ends},
            "added": self._after_added(),
            "part": {"output_text.delta": "part", "output_text.done": "part done"},
            "part done": {"content_part.done": "closing"},
            "summary": {
                "reasoning_summary_text.delta": "summary",
                "reasoning_summary_text.done": "summary done",
            },
            "summary done": {"reasoning_summary_part.done": "closing"},
            "arguments": {
                "function_call_arguments.delta": "arguments",
                "function_call_arguments.done": "closing",
                "failed": "end",
            },
            "input": {
                "custom_tool_call_input.delta": "input",
                "custom_tool_call_input.done": "closing",
                "failed": "end",
            },
            "closing": {"output_item.done": "between"},
            "end": {},
        }[self.phase]

    def _after_added(self) -> dict[str, str]:
        if self.item is None:
            return {}
        arguments = {"function_call_arguments.delta": "arguments"}
        return {
            "message": {"content_part.added": "part"},
            "reasoning": {"reasoning_summary_part.added": "summary"},
            "function_call": {
                **arguments,
                "function_call_arguments.done": "closing",
                "failed": "end",
            },
            "custom_tool_call": {
                "custom_tool_call_input.delta": "input",
                "custom_tool_call_input.done": "closing",
                "failed": "end",
            },
        }.get(self.item["type"], {"output_item.done": "between"})

    def _begin(self, event: Event) -> None:
        assert self.item is None
        assert self.next_index == event["output_index"]
        assert "in_progress" == event["item"]["status"]
        self.next_index += 1
        self.item = event["item"]
        self.text = ""

    def _inside(self, kind: str, event: Event) -> None:
        assert self.item is not None
        assert self.next_index - 1 == event["output_index"]
        if kind == "output_item.done":
            assert self.item["id"] == event["item"]["id"]
            assert self.item["type"] == event["item"]["type"]
            assert event["item"]["status"] in ("completed", "incomplete")
            self.item = None
            return
        assert self.item["id"] == event["item_id"]
        self.text += event.get("delta", "")
        said = [event[name] for name in ("text", "arguments", "input") if name in event]
        assert not said or [self.text] == said


def fold(events: list[Event]) -> Event:
    """The response that a client has put together when the stream ends, from its pieces alone."""
    response: Event = {}
    items: dict[int, Event] = {}
    done: dict[int, Event] = {}
    for event in events:
        kind = event["type"].removeprefix("response.")
        if "response" in event:
            response = event["response"]
        elif kind == "output_item.added":
            items[event["output_index"]] = deepcopy(event["item"])
        elif kind == "output_item.done":
            done[event["output_index"]] = event["item"]
        else:
            _grow(items[event["output_index"]], kind, event)
    assert all(_content(items[index]) == _content(done[index]) for index in done)
    return {**response, "output": [done[index] for index in sorted(done)]}


def _grow(item: Event, kind: str, event: Event) -> None:
    match kind:
        case "content_part.added":
            item["content"].append(deepcopy(event["part"]))
        case "reasoning_summary_part.added":
            item["summary"].append(deepcopy(event["part"]))
        case "output_text.delta":
            item["content"][event["content_index"]]["text"] += event["delta"]
        case "reasoning_summary_text.delta":
            item["summary"][event["summary_index"]]["text"] += event["delta"]
        case "function_call_arguments.delta":
            item["arguments"] += event["delta"]
        case "custom_tool_call_input.delta":
            item["input"] += event["delta"]


def _content(item: Event) -> Event:
    return {name: value for name, value in item.items() if name != "status"}


def deltas(events: list[Event], kind: str) -> Iterator[str]:
    """The pieces that events of this kind carry."""
    return (event["delta"] for event in events if event["type"] == f"response.{kind}.delta")
