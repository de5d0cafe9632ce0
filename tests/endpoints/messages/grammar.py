"""The grammar of a Messages stream as a state machine, and the official SDK as its reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
from anthropic import Anthropic
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

_EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)

_DELTAS = {
    "text": {"text_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
}


def frames(stream: str) -> Iterator[dict[str, Any]]:
    """The data of each frame; the frame's name must be the data's type."""
    assert stream == "" or stream.endswith("\n\n")
    for frame in stream.split("\n\n")[:-1]:
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert f"event: {event['type']}" == name
        yield event


class Grammar:
    """Takes a stream's events one by one and fails on the first that must not come there."""

    def __init__(self) -> None:
        self.state = "new"
        self.blocks = 0
        self.open: dict[str, Any] | None = None
        self.signed = False

    def take(self, event: dict[str, Any]) -> None:
        """Check one event."""
        assert self.state not in ("stopped", "failed"), f"{event} behind the end"
        getattr(self, f"_{event['type']}")(event)

    def _message_start(self, event: dict[str, Any]) -> None:
        assert self.state == "new"
        message = event["message"]
        assert ([], None, None) == (
            message["content"],
            message["stop_reason"],
            message["stop_sequence"],
        )
        assert isinstance(message["usage"]["input_tokens"], int)
        self.state = "started"

    def _ping(self, event: dict[str, Any]) -> None:
        assert self.state != "new"
        assert {"type": "ping"} == event

    def _content_block_start(self, event: dict[str, Any]) -> None:
        assert self.state == "started"
        assert self.open is None
        assert self.blocks == event["index"]
        self.open, self.signed = event["content_block"], False
        self.blocks += 1
        empty = {"text": "text", "thinking": "thinking", "tool_use": "input"}
        assert not self.open[empty[self.open["type"]]]

    def _content_block_delta(self, event: dict[str, Any]) -> None:
        assert self.open is not None
        assert self.blocks - 1 == event["index"]
        assert event["delta"]["type"] in _DELTAS[self.open["type"]]
        assert not self.signed
        self.signed = event["delta"]["type"] == "signature_delta"

    def _content_block_stop(self, event: dict[str, Any]) -> None:
        assert self.open is not None
        assert self.blocks - 1 == event["index"]
        assert self.signed == (self.open["type"] == "thinking")
        self.open = None

    def _message_delta(self, event: dict[str, Any]) -> None:
        assert self.state == "started"
        assert self.open is None
        assert event["delta"]["stop_reason"]
        assert isinstance(event["usage"]["output_tokens"], int)
        self.state = "told"

    def _message_stop(self, event: dict[str, Any]) -> None:
        assert self.state == "told"
        assert {"type": "message_stop"} == event
        self.state = "stopped"

    def _error(self, event: dict[str, Any]) -> None:
        assert self.open is None
        assert {"type", "message"} <= event["error"].keys()
        self.state = "failed"


def check(stream: str) -> Grammar:
    """Hold a whole stream to the grammar; give the machine in its last state."""
    grammar = Grammar()
    for event in frames(stream):
        grammar.take(event)
    return grammar


def read_back(stream: str) -> dict[str, Any]:
    """The message that the official SDK makes of a stream's events."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in frames(stream):
        if event["type"] != "ping":
            parsed = _EVENTS.validate_python(event)
            snapshot = accumulate_event(event=parsed, current_snapshot=snapshot, json_bufs=buffers)
    return plain(snapshot)


def plain(message: Message) -> dict[str, Any]:
    """What a message of the SDK says, without what it leaves open."""
    return message.to_dict(mode="json", exclude_none=True)


def over_the_wire(stream: str) -> Anthropic:
    """The official client, whose server answers everything with this stream."""
    answer = httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, content=stream.encode()
    )
    transport = httpx2.MockTransport(lambda request: answer)
    client = httpx2.Client(transport=transport)
    return Anthropic(api_key="k", base_url="http://x.example", http_client=client, max_retries=0)
