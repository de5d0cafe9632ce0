"""An open answer as the body of a response."""

from __future__ import annotations

import gevent
from flask import Flask, request

from poeflask.bridge import Answer, Batch
from poeflask.core.reply import Finish, ReasoningDelta, ReplyMeta, TextDelta
from poeflask.endpoints.messages.encode import MessagesEncoder
from poeflask.web import respond

META = ReplyMeta(id="msg_1", created=1, model="m")


def body_of(batches: list[Batch], *, every_s: float, heartbeat_s: float) -> str:
    """What a client reads of an answer whose batches come one by one; thoughts are not shown."""
    answer = Answer(1)
    encoder = MessagesEncoder(META, request_id="r", input_tokens=lambda: 1, thoughts="none")

    def bring() -> None:
        for batch in batches:
            answer.put(0, batch)
            gevent.sleep(every_s)

    answer.attach(0, gevent.spawn(bring))
    with Flask("test").test_request_context():
        response = respond.stream(
            request, answer, encoder, first_event_wait_s=1, heartbeat_s=heartbeat_s, headers={}
        )
        return response.get_data(as_text=True)


def test_an_answer_that_comes_quickly_needs_no_heartbeat():
    """Only what the encoder makes of the events is written."""
    batches: list[Batch] = [[TextDelta("A")], [TextDelta("B"), Finish()]]

    assert "ping" not in body_of(batches, every_s=0, heartbeat_s=5)


def test_silence_is_filled():
    """While nothing comes, heartbeats do."""
    batches: list[Batch] = [[TextDelta("A")], [Finish()]]

    assert body_of(batches, every_s=0.05, heartbeat_s=0.01).count("event: ping") >= 2


def test_events_that_say_nothing_are_silence_too():
    """Thoughts that a client does not see must not let its connection die."""
    thoughts: list[Batch] = [[ReasoningDelta("Hm. ")] for _ in range(20)]
    body = body_of([*thoughts, [TextDelta("A"), Finish()]], every_s=0.005, heartbeat_s=0.03)

    assert 1 <= body.count("event: ping") <= 10
    assert "Hm." not in body
    assert body.endswith('data: {"type":"message_stop"}\n\n')


def test_no_heartbeats_if_none_are_wanted():
    """0 seconds mean never."""
    batches: list[Batch] = [[ReasoningDelta("Hm.")], [TextDelta("A"), Finish()]]

    assert "ping" not in body_of(batches, every_s=0.02, heartbeat_s=0)
