"""Reply events become Anthropic's messages, streamed and whole."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from anthropic.types import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, OwnError, PoeError
from poeflask.core.reply import (
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    ReplyMeta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from poeflask.endpoints.messages.decode import ThoughtsShown
from poeflask.endpoints.messages.encode import MessagesEncoder
from tests.endpoints.messages.grammar import check, frames, over_the_wire, plain, read_back

META = ReplyMeta(id="msg_1", created=1, model="some-bot")
SPENT = Usage(prompt_tokens=99, completion_tokens=7, reasoning_tokens=2)
EXACT = Usage(prompt_tokens=30, cached_tokens=10, completion_tokens=7, exact=True)
OVERLOADED = Failure(PoeError(ErrorKind.OVERLOADED, "The bot has too much to do."))
CALL = ToolCallDelta(position=0, call_id="toolu_1", name="f", arguments='{"a":')
REST = ToolCallDelta(position=0, arguments=' "ä"}')


def encoder(thoughts: ThoughtsShown = "text") -> MessagesEncoder:
    """An encoder for a prompt of 12 tokens."""
    return MessagesEncoder(META, request_id="req_1", input_tokens=lambda: 12, thoughts=thoughts)


def streamed(*events: ReplyEvent, thoughts: ThoughtsShown = "text") -> str:
    """The stream of an answer whose events come one by one."""
    made = encoder(thoughts)
    return "".join([*(made.feed([event]) for event in events), made.close()])


def events_of(*events: ReplyEvent, thoughts: ThoughtsShown = "text") -> list[dict[str, Any]]:
    """The stream's events."""
    return list(frames(streamed(*events, thoughts=thoughts)))


def whole(*events: ReplyEvent, thoughts: ThoughtsShown = "text") -> dict[str, Any]:
    """The message as one object."""
    return dict(encoder(thoughts).whole(events))


def test_a_stream_from_start_to_stop():
    """Every event of a plain answer, in Anthropic's order and with all of its fields."""
    got = events_of(TextDelta("Hel"), Pause(), TextDelta("lo"), SPENT, Finish())

    assert [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "some-bot",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 12,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 0,
                        "ephemeral_1h_input_tokens": 0,
                    },
                    "output_tokens": 0,
                    "service_tier": "standard",
                },
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hel"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "lo"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 2}},
        },
        {"type": "message_stop"},
    ] == got


def test_a_whole_message():
    """The same answer as one object, which the SDK's own type takes."""
    got = whole(ReasoningDelta("Hm."), TextDelta("Hello"), SPENT, Finish())
    message = Message.model_validate(got)

    assert ["thinking", "text"] == [block.type for block in message.content]
    assert {"type": "text", "text": "Hello"} == got["content"][1]
    assert ("end_turn", None) == (message.stop_reason, message.stop_sequence)
    assert (12, 7) == (message.usage.input_tokens, message.usage.output_tokens)


@pytest.mark.parametrize(
    ("end", "reason", "sequence"),
    [
        (Finish(), "end_turn", None),
        (Finish(stop="END"), "stop_sequence", "END"),
        (Finish("length"), "max_tokens", None),
        (Finish("tool_calls"), "end_turn", None),
        (Finish("content_filter"), "refusal", None),
    ],
)
def test_stop_reasons(end: Finish, reason: str, sequence: str | None):
    """Why an answer without calls ended, and before which text."""
    outcome = events_of(TextDelta("A"), end)[-2]["delta"]
    message = whole(TextDelta("A"), end)

    assert (reason, sequence) == (outcome["stop_reason"], outcome["stop_sequence"])
    assert (reason, sequence) == (message["stop_reason"], message["stop_sequence"])
    assert (reason == "refusal") == ("stop_details" in message) == ("stop_details" in outcome)


@pytest.mark.parametrize("end", [Finish(), Finish("tool_calls"), Finish(stop="END")])
def test_a_call_is_the_reason_to_stop(end: Finish):
    """Clients run tools for this word only, whatever the bot said at its end."""
    assert "tool_use" == events_of(CALL, REST, end)[-2]["delta"]["stop_reason"]
    assert "tool_use" == whole(CALL, REST, end)["stop_reason"]


def test_a_call_s_input_comes_in_pieces():
    """It begins as an empty object; whole it is the object itself."""
    got = events_of(TextDelta("Look."), CALL, REST, Finish("tool_calls"))
    pieces = [event["delta"]["partial_json"] for event in got[5:7]]
    use = {"type": "tool_use", "id": "toolu_1", "name": "f"}

    assert {**use, "input": {}} == got[4]["content_block"]
    assert ['{"a":', ' "ä"}'] == pieces
    assert {**use, "input": {"a": "ä"}} == whole(CALL, REST, Finish())["content"][0]


@pytest.mark.parametrize("arguments", ["", " ", "{}", " {}"])
def test_a_call_without_arguments_has_an_empty_input(arguments: str):
    """Streamed as the text of an empty object, since some clients parse what they joined."""
    call = ToolCallDelta(position=0, call_id="toolu_1", name="f", arguments=arguments)
    stream = streamed(call, Finish("tool_calls"))

    assert {} == read_back(stream)["content"][0]["input"]
    assert {} == whole(call, Finish())["content"][0]["input"]
    assert '"partial_json":"{}"' in stream


@pytest.mark.parametrize("arguments", ["[1]", "no", '"{', "null"])
def test_input_that_is_no_object_is_shown_as_it_came(arguments: str):
    """It is not made into an empty object, and no client has to parse it."""
    call = ToolCallDelta(position=0, call_id="toolu_1", name="f", arguments=arguments[:1])
    rest = ToolCallDelta(position=0, arguments=arguments[1:])

    assert {"input": arguments} == whole(call, rest, Finish())["content"][0]["input"]
    assert {"input": arguments} == read_back(streamed(call, rest, Finish()))["content"][0]["input"]


def test_input_that_breaks_off_is_shown_as_it_came():
    """Whole, as text; a stream has let it go before it could be known."""
    call = ToolCallDelta(position=0, call_id="toolu_1", name="f", arguments='{"a": [1')

    assert {"input": '{"a": [1'} == whole(call, Finish("length"))["content"][0]["input"]
    assert {"a": [1]} == read_back(streamed(call, Finish("length")))["content"][0]["input"]


def test_thoughts_are_signed():
    """The same thought has the same signature, streamed or whole; another has another."""
    got = events_of(ReasoningDelta("H"), ReasoningDelta("m."), TextDelta("A"), Finish())
    signed = got[4]["delta"]
    (block, _) = whole(ReasoningDelta("Hm."), TextDelta("A"), Finish())["content"]
    (other,) = whole(ReasoningDelta("Oh."), Finish())["content"]

    assert {"type": "thinking", "thinking": "", "signature": ""} == got[1]["content_block"]
    assert ["H", "m."] == [event["delta"]["thinking"] for event in got[2:4]]
    assert {"type": "signature_delta", "signature": block["signature"]} == signed
    assert "Hm." == block["thinking"]
    assert other["signature"] != block["signature"]
    assert len(block["signature"]) > 40


def test_omitted_thoughts_leave_their_signature():
    """The block is there without its text."""
    said = (ReasoningDelta("Hm."), TextDelta("A"), Finish())
    streamed_types = [event["type"] for event in events_of(*said, thoughts="signature")][1:4]
    (block, _) = whole(*said, thoughts="signature")["content"]

    expected = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert expected == streamed_types
    assert "" == block["thinking"]
    assert whole(*said)["content"][0]["signature"] == block["signature"]


def test_thoughts_that_nobody_asked_for_make_no_block():
    """The first block is the answer's text, as old clients expect, and it is not cut in two."""
    said = (ReasoningDelta("Hm."), TextDelta("A"), ReasoningDelta("Oh."), TextDelta("B"), Finish())
    message = read_back(streamed(*said, thoughts="none"))

    assert [{"type": "text", "text": "AB"}] == message["content"]
    assert [{"type": "text", "text": "AB"}] == whole(*said, thoughts="none")["content"]


def test_the_provider_s_own_count_corrects_ours():
    """What came from a cache is counted apart; the stream says so at its end."""
    stream = streamed(TextDelta("A"), EXACT, Finish())
    usage = read_back(stream)["usage"]

    assert (20, 10, 7) == (
        usage["input_tokens"],
        usage["cache_read_input_tokens"],
        usage["output_tokens"],
    )
    assert usage == plain(Message.model_validate(whole(TextDelta("A"), EXACT, Finish())))["usage"]


def test_an_equal_count_is_not_said_twice():
    """Clients that add both up must not count a prompt double."""
    same = Usage(prompt_tokens=12, completion_tokens=1, exact=True)

    assert "input_tokens" not in events_of(TextDelta("A"), same, Finish())[-2]["usage"]


def test_a_failure_before_anything_is_only_an_error():
    """Nothing was opened, so nothing is closed."""
    got = events_of(OVERLOADED)

    assert [
        {
            "type": "error",
            "error": {"type": "overloaded_error", "message": "The bot has too much to do."},
            "request_id": "req_1",
        }
    ] == got


@pytest.mark.parametrize("said", [ReasoningDelta("Hm."), TextDelta("A"), CALL])
def test_a_failure_closes_what_is_open(said: ReplyEvent):
    """The error is the last word, behind the end of the block."""
    types = [event["type"] for event in events_of(said, OVERLOADED, TextDelta("B"))]

    assert ["content_block_stop", "error"] == types[-2:]
    assert "failed" == check(streamed(said, OVERLOADED)).state


def test_a_heartbeat_is_a_ping():
    """Before the message's start it opens the message, since nothing may come before that."""
    made = encoder()
    first, second = made.heartbeat(), made.heartbeat()
    rest = made.feed([TextDelta("A"), Finish()]) + made.close()

    assert ["message_start", "ping"] == [event["type"] for event in frames(first)]
    assert [{"type": "ping"}] == list(frames(second))
    assert "stopped" == check(first + second + rest).state


def test_the_tokens_are_counted_once_and_late():
    """Counting runs beside the bot's thinking; it is waited for when the number is needed."""
    asked: list[int] = []

    def count() -> int:
        asked.append(1)
        return 5

    made = MessagesEncoder(META, request_id="req_1", input_tokens=count)
    before = len(asked)
    made.feed([TextDelta("A"), TextDelta("B")])
    made.heartbeat()

    assert (0, 1) == (before, len(asked))


def test_another_answer_of_the_same_bot_is_left_out():
    """A message holds one answer; the end of another is not its end."""
    said = (TextDelta("A"), TextDelta("X", 1), Finish(index=1), TextDelta("B"), Finish())

    assert [{"type": "text", "text": "AB"}] == read_back(streamed(*said))["content"]
    assert [{"type": "text", "text": "AB"}] == whole(*said)["content"]


def test_a_file_is_a_link():
    """Should one come in spite of the filters, it is not lost."""
    file = FileEvent(url="https://x.example/a.png", content_type="image/png", name="a.png")

    assert "![a.png](https://x.example/a.png)" in whole(file, Finish())["content"][0]["text"]


def test_an_empty_answer_has_no_blocks():
    """A bot may end at the limit before its first word."""
    assert [] == whole(Finish("length"))["content"]
    assert [] == read_back(streamed(Finish("length")))["content"]


def test_nothing_follows_the_end():
    """What a bot says behind its end is not written."""
    made = encoder()
    made.feed([TextDelta("A"), Finish()])

    assert "" == made.feed([TextDelta("B"), OVERLOADED])


def test_half_an_emoji_can_be_written():
    """A lone surrogate is escaped, and signed if it is a thought."""
    got = streamed(ReasoningDelta("\ud83d"), TextDelta("\ud83d"), Finish())

    assert got.encode("utf-8")
    assert "stopped" == check(got).state


TEXTS = st.text(min_size=1, max_size=4)


@st.composite
def answers(draw: st.DrawFn) -> list[ReplyEvent]:
    """Answers of anything that may come, calls in turns, cut off anywhere by a failure."""
    sides = st.one_of(
        TEXTS.map(TextDelta),
        TEXTS.map(ReasoningDelta),
        st.just(Pause()),
        st.just(Note("meta", {})),
        st.builds(TextDelta, TEXTS, st.just(1)),
    )
    queues: list[list[ReplyEvent]] = [draw(st.lists(sides, max_size=6))]
    for position in range(draw(st.integers(0, 2))):
        arguments = json.dumps(draw(st.dictionaries(TEXTS, TEXTS, max_size=2)))
        cut = draw(st.integers(0, len(arguments)))
        first = ToolCallDelta(
            position=position, call_id=f"c{position}", name="f", arguments=arguments[:cut]
        )
        queues.append([first, ToolCallDelta(position=position, arguments=arguments[cut:])])
    events: list[ReplyEvent] = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(queue.pop(0))
    end = draw(st.sampled_from((Finish(), Finish("length"), Finish(stop="x"), None)))
    if end is None:
        return [*events[: draw(st.integers(0, len(events)))], OVERLOADED]
    usage = draw(st.sampled_from((SPENT, EXACT)))
    return [*events, usage, end]


THOUGHTS = st.sampled_from(("none", "signature", "text"))


@settings(max_examples=150, deadline=None)
@given(answers(), THOUGHTS, st.data())
def test_every_stream_keeps_the_grammar(
    events: list[ReplyEvent], thoughts: ThoughtsShown, data: st.DataObject
):
    """However events are batched and wherever pings fall, the stream is well formed."""
    made = encoder(thoughts)
    pieces: list[str] = []
    start = 0
    while start < len(events):
        size = data.draw(st.integers(1, 4))
        if data.draw(st.booleans()):
            pieces.append(made.heartbeat())
        pieces.append(made.feed(events[start : start + size]))
        start += size
    stream = "".join([*pieces, made.close()])
    without_pings = stream.replace('event: ping\ndata: {"type":"ping"}\n\n', "")

    ended = check(stream).state
    assert ("failed" if events[-1] == OVERLOADED else "stopped") == ended
    if events[0] != OVERLOADED:
        assert without_pings.endswith(streamed(*events, thoughts=thoughts)[-40:])


@settings(max_examples=150, deadline=None)
@given(answers().filter(lambda events: events[-1] != OVERLOADED), THOUGHTS)
def test_a_stream_read_back_is_the_whole_message(events: list[ReplyEvent], thoughts: ThoughtsShown):
    """The official SDK's accumulator makes of the stream what a whole answer says."""
    expected = Message.model_validate(whole(*events, thoughts=thoughts))

    assert plain(expected) == read_back(streamed(*events, thoughts=thoughts))


def test_the_sdk_s_stream_helper_reads_it():
    """Over its own transport and decoder, not only its accumulator."""
    stream = streamed(
        ReasoningDelta("Hm."), TextDelta("A\n\nB\r\u2028"), CALL, REST, SPENT, Finish()
    )
    asked = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
    with over_the_wire(stream) as client, client.messages.stream(**asked) as reader:
        message = reader.get_final_message()

    assert ["thinking", "text", "tool_use"] == [block.type for block in message.content]
    assert "A\n\nB\r\u2028" == message.content[1].text
    assert {"a": "ä"} == message.content[2].input


@pytest.mark.parametrize(
    ("failure", "type_"),
    [
        (OVERLOADED, "overloaded_error"),
        (Failure(PoeError(ErrorKind.NO_POINTS, "No points.")), "billing_error"),
        (Failure(PoeError(ErrorKind.RATE_LIMITED, "Too many.")), "rate_limit_error"),
        (Failure(OwnError(ErrorKind.INTERNAL, "A bug.")), "api_error"),
    ],
)
def test_the_sdk_raises_an_error_of_the_stream(failure: Failure, type_: str):
    """Behind the text that was said before, as its own exception with the type in it."""
    asked = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
    with over_the_wire(streamed(TextDelta("A"), failure)) as client:
        stream = client.messages.create(**asked, stream=True)
        with pytest.raises(anthropic.APIStatusError) as caught:
            list(stream)

    assert type_ == caught.value.body["error"]["type"]
