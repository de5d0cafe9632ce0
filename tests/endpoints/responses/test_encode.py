"""Reply events as Responses: the grammar of every stream, and that stream and whole agree."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError, PoeflaskError
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
from poeflask.endpoints.responses.decode import decode
from poeflask.endpoints.responses.encode import ResponsesEncoder
from tests.endpoints.responses.grammar import Event, Grammar, deltas, fold, frames

META = ReplyMeta(id="resp_0123456789abcdef01234567", created=1_700_000_000, model="Some-Bot")
ASKED = decode(
    {
        "model": "Some-Bot",
        "input": "Hi",
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}},
            {"type": "custom", "name": "patch"},
            {
                "type": "namespace",
                "name": "agents",
                "tools": [{"type": "function", "name": "stop"}],
            },
            {"type": "local_shell"},
        ],
    }
)
BROKEN = Failure(PoeError(ErrorKind.POE_BROKEN, "The line broke."))


def encoder(**options: Any) -> ResponsesEncoder:
    """An encoder of a request with tools of all kinds, on a clock that stands still."""
    return ResponsesEncoder(
        META, ASKED.echo, ASKED.naming, clock=lambda: 1_700_000_009.5, **options
    )


def streamed(*batches: list[ReplyEvent]) -> list[Event]:
    """The events of a stream, checked against the grammar."""
    writer = encoder()
    body = "".join([*(writer.feed(batch) for batch in batches), writer.close()])
    events = frames(body)
    Grammar().check(events)
    return events


def whole(events: list[ReplyEvent]) -> dict[str, Any]:
    """The whole response, as a client reads it."""
    read: dict[str, Any] = json.loads(json.dumps(encoder().whole(events)))
    return read


def call(position: int, arguments: str, name: str = "", **more: Any) -> ToolCallDelta:
    """A piece of a call; with a name, its first."""
    call_id = f"call_{position}" if name else ""
    return ToolCallDelta(position=position, call_id=call_id, name=name, arguments=arguments, **more)


EVERYTHING: list[ReplyEvent] = [
    Pause(),
    ReasoningDelta("Let me "),
    ReasoningDelta("think."),
    TextDelta("Hel"),
    TextDelta("lo."),
    call(0, "", "f"),
    call(0, '{"a":'),
    call(0, "1}"),
    call(1, "*** Begin", "patch", kind="custom"),
    call(1, " Patch"),
    Usage(prompt_tokens=7, completion_tokens=5, reasoning_tokens=2, cached_tokens=1),
    Finish("tool_calls"),
]


def test_the_events_of_an_answer_with_everything() -> None:
    """Thoughts, text and calls are items of their own, each opened, filled and closed in turn."""
    kinds = [event["type"].removeprefix("response.") for event in streamed(EVERYTHING)]

    expected = """created in_progress
        output_item.added reasoning_summary_part.added reasoning_summary_text.delta
        reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done
        output_item.done
        output_item.added content_part.added output_text.delta output_text.delta
        output_text.done content_part.done output_item.done
        output_item.added function_call_arguments.delta function_call_arguments.delta
        function_call_arguments.done output_item.done
        output_item.added custom_tool_call_input.delta custom_tool_call_input.delta
        custom_tool_call_input.done output_item.done
        completed"""
    assert expected.split() == kinds


def test_the_whole_response() -> None:
    """All fields of Open Responses are there, the request's own among them."""
    response = whole(EVERYTHING)

    stem = META.id.removeprefix("resp_")
    assert response == {
        "id": META.id,
        "object": "response",
        "created_at": META.created,
        "completed_at": 1_700_000_009,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "Some-Bot",
        "output": [
            {
                "id": f"rs_{stem}_0",
                "type": "reasoning",
                "status": "completed",
                "summary": [{"type": "summary_text", "text": "Let me think."}],
            },
            {
                "id": f"msg_{stem}_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}
                ],
            },
            {
                "id": f"fc_{stem}_2",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_0",
                "name": "f",
                "arguments": '{"a":1}',
            },
            {
                "id": f"ctc_{stem}_3",
                "type": "custom_tool_call",
                "status": "completed",
                "call_id": "call_1",
                "name": "patch",
                "input": "*** Begin Patch",
            },
        ],
        "usage": {
            "input_tokens": 7,
            "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 12,
        },
        **ASKED.echo,
    }


def test_a_call_in_a_namespace_gets_its_name_back() -> None:
    """The bot's flat name becomes the client's name and namespace."""
    [item] = whole([call(0, "{}", "agents__stop"), Finish("tool_calls")])["output"]

    assert ("stop", "agents") == (item["name"], item["namespace"])


def test_a_shell_call_is_the_item_that_the_client_runs() -> None:
    """The arguments become the action; such an item has no pieces."""
    events = streamed(
        [call(0, '{"command":', "local_shell"), call(0, '["ls"]}'), Finish("tool_calls")]
    )

    [item] = fold(events)["output"]
    assert "local_shell_call" == item["type"]
    assert {"type": "exec", "env": {}, "command": ["ls"]} == item["action"]
    assert "call_0" == item["call_id"]


def test_a_shell_call_that_is_no_action_is_shown_as_it_is() -> None:
    """Nothing that a bot says is lost, not even a call that makes no sense."""
    events = streamed([call(0, '["ls"]', "local_shell"), Finish("tool_calls")])

    [item] = fold(events)["output"]
    assert ("function_call", '["ls"]') == (item["type"], item["arguments"])


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """Clients read arguments as JSON."""
    events = streamed([call(0, "", "f"), Finish("tool_calls")])

    assert ["{}"] == list(deltas(events, "function_call_arguments"))


def test_mixed_calls_are_told_one_after_the_other() -> None:
    """A later call waits until the one before it is complete."""
    events = streamed(
        [call(0, '{"a"', "f"), call(1, '{"b":', "f"), call(0, ":1}"), call(1, "2}")],
        [call(2, "{}", "f"), Finish("tool_calls")],
    )

    assert ['{"a":1}', '{"b":2}', "{}"] == [item["arguments"] for item in fold(events)["output"]]


def test_parallel_answers_follow_the_first() -> None:
    """A bot that answers several times at once gives one response with several messages."""
    events = streamed(
        [TextDelta("one "), TextDelta("two", 1), TextDelta("first"), call(0, "{}", "f", index=1)],
        [Finish("stop", 1), Finish("stop")],
    )

    output = fold(events)["output"]
    assert ["one first", "two"] == [item["content"][0]["text"] for item in output[:2]]
    assert "f" == output[2]["name"]


def test_a_file_is_a_link() -> None:
    """A file that no filter turned into text before is not lost."""
    file = FileEvent(url="https://x.test/a.png", content_type="image/png", name="a[1].png")

    [item] = whole([file, Finish()])["output"]
    assert "![a(1).png](https://x.test/a.png)" == item["content"][0]["text"].strip()


@pytest.mark.parametrize(
    ("reason", "status", "details", "item_status"),
    [
        ("stop", "completed", None, "completed"),
        ("tool_calls", "completed", None, "completed"),
        ("length", "incomplete", {"reason": "max_output_tokens"}, "incomplete"),
        ("content_filter", "incomplete", {"reason": "content_filter"}, "incomplete"),
    ],
)
def test_each_finish_has_its_status(
    reason: Any, status: str, details: Any, item_status: str
) -> None:
    """An answer that was cut says so, and so does its last item."""
    response = whole([TextDelta("Hello"), Finish(reason)])

    assert (status, details) == (response["status"], response["incomplete_details"])
    assert item_status == response["output"][0]["status"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BROKEN.error, "server_error"),
        (PoeError(ErrorKind.RATE_LIMITED, "Slow down."), "rate_limit_exceeded"),
        (PoeError(ErrorKind.BOT_REJECTED, "No."), "invalid_prompt"),
        (PoeError(ErrorKind.CONTEXT_TOO_LONG, "Long."), "context_length_exceeded"),
        (ClientError(ErrorKind.INVALID_REQUEST, "Bad.", code="own_code"), "own_code"),
        (PoeError(ErrorKind.NO_POINTS, "None."), "insufficient_quota"),
        (OwnError(ErrorKind.INTERNAL, "Oh."), "server_error"),
    ],
)
def test_a_failure_says_its_code(error: PoeflaskError, code: str) -> None:
    """After the first byte an error is the response's last event, in a code that clients know."""
    events = streamed([TextDelta("Hel")], [Failure(error)])

    assert "response.failed" == events[-1]["type"]
    assert {"code": code, "message": error.message} == events[-1]["response"]["error"]


@pytest.mark.parametrize("cut", range(len(EVERYTHING)))
def test_a_failure_in_every_phase(cut: int) -> None:
    """Wherever an answer breaks off, what is open is closed, and half a call is never done."""
    events = streamed(EVERYTHING[:cut], [BROKEN])

    response = events[-1]["response"]
    assert "failed" == response["status"]
    assert response["output"] == fold(events)["output"]
    statuses = {item["type"]: item["status"] for item in response["output"]}
    assert "custom_tool_call" not in statuses
    assert "incomplete" not in (statuses.get("function_call"),)


def test_a_failure_keeps_a_call_that_is_whole() -> None:
    """Its arguments are complete JSON, so nothing of it is missing."""
    [item] = whole([call(0, '{"a":1}', "f"), BROKEN])["output"]

    assert ("completed", '{"a":1}') == (item["status"], item["arguments"])


def test_a_failure_before_anything() -> None:
    """A stream that was opened early still has its opening before its error."""
    assert ["created", "in_progress", "failed"] == [
        event["type"].removeprefix("response.") for event in streamed([BROKEN])
    ]


def test_a_silent_stream_is_opened_once_and_then_kept_alive() -> None:
    """The first heartbeat tells that the response was made; later ones mean nothing."""
    writer = encoder()
    first, second = writer.heartbeat(), writer.heartbeat()
    body = first + second + writer.feed([TextDelta("Hi"), Finish()]) + writer.close()

    assert first.startswith("event: response.created\n")
    assert ": ping\n\n" == second
    Grammar().check(frames(body))


def test_what_comes_after_the_end_is_dropped() -> None:
    """There is exactly one end."""
    streamed([TextDelta("Hi"), Finish(), TextDelta("more"), Finish()], [BROKEN])


def test_the_finished_response_is_told_before_the_client_knows() -> None:
    """Who polls or continues at once finds it."""
    told: list[Any] = []
    writer = encoder(on_final=told.append)
    writer.feed([TextDelta("Hi")])
    before = len(told)
    writer.feed([Finish()])
    writer.close()

    assert 0 == before
    assert ["completed"] == [response["status"] for response in told]


def test_before_the_beginning() -> None:
    """A background response can be shown before anything of it has come."""
    queued = encoder().unfinished("queued")

    assert ("queued", [], None) == (queued["status"], queued["output"], queued["usage"])


_texts = st.text(min_size=1, max_size=12)


def _calls(position: int) -> st.SearchStrategy[list[ReplyEvent]]:
    """All pieces of one call, of any kind, cut anywhere."""
    whole_calls = st.sampled_from(
        [
            ("f", '{"a":[1,{"b":"}"}]}', "function"),
            ("f", "", "function"),
            ("f", '{"broken":', "function"),
            ("agents__stop", "{}", "function"),
            ("local_shell", '{"command":["ls"]}', "function"),
            ("local_shell", "nonsense", "function"),
            ("patch", "*** Begin Patch\né\n", "custom"),
            ("unknown", "12", "function"),
        ]
    )

    def cut(case: tuple[tuple[str, str, Any], list[int]]) -> list[ReplyEvent]:
        (name, arguments, kind), places = case
        ends = sorted({0, len(arguments), *(place % (len(arguments) + 1) for place in places)})
        pieces = [arguments[a:b] for a, b in pairwise(ends)]
        first = call(position, pieces[0] if pieces else "", name, kind=kind)
        return [first, *(call(position, piece, kind=kind) for piece in pieces[1:])]

    return st.tuples(whole_calls, st.lists(st.integers(0, 40), max_size=3)).map(cut)


_said: st.SearchStrategy[ReplyEvent] = st.one_of(
    _texts.map(TextDelta),
    _texts.map(ReasoningDelta),
    _texts.map(lambda text: TextDelta(text, 1)),
    st.just(Pause()),
    st.just(Note("meta", {})),
    st.builds(Usage, prompt_tokens=st.integers(0, 9), completion_tokens=st.integers(0, 9)),
    st.just(FileEvent(url="https://x.test/f", content_type="text/plain", name="f")),
)
_ends: st.SearchStrategy[ReplyEvent] = st.one_of(
    st.sampled_from(["stop", "length", "tool_calls", "content_filter"]).map(Finish),
    st.just(BROKEN),
)


@st.composite
def replies(draw: st.DrawFn) -> list[ReplyEvent]:
    """Any answer: talk, then calls with talk between them or their pieces mixed, then an end."""
    events = draw(st.lists(_said, max_size=6))
    count = draw(st.integers(0, 3))
    calls = [draw(_calls(position)) for position in range(count)]
    if draw(st.booleans()):
        while any(calls):
            begun = [pieces for pieces in calls if pieces]
            events.append(draw(st.sampled_from(begun)).pop(0))
    else:
        for pieces in calls:
            events += [*pieces, *draw(st.lists(_said, max_size=2))]
    return [*events, draw(_ends)]


@given(replies(), st.lists(st.integers(0, 30), max_size=4))
def test_every_stream_keeps_the_grammar_and_equals_the_whole(
    events: list[ReplyEvent], cuts: list[int]
) -> None:
    """However the events are batched, the stream folded is the whole response."""
    places = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
    batches = [events[a:b] for a, b in pairwise(places)]

    told = streamed(*batches)

    assert whole(events) == fold(told) == told[-1]["response"]


@given(replies())
def test_no_text_is_lost_or_doubled(events: list[ReplyEvent]) -> None:
    """What was said and thought stands in the stream once, in its order."""
    told = streamed(events)
    first = [event for event in events if not isinstance(event, Pause) and event.index == 0]
    text = "".join(event.text for event in first if isinstance(event, TextDelta))
    thoughts = "".join(event.text for event in first if isinstance(event, ReasoningDelta))
    said = "".join(deltas(told, "output_text")).replace("\n\n[f](https://x.test/f)\n\n", "")

    assert thoughts == "".join(deltas(told, "reasoning_summary_text"))
    assert said.startswith(text)
