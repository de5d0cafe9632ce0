"""Reply events become chunks and completions that OpenAI's own client reads alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from poeflask.core.errors import ErrorKind, PoeError
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
from poeflask.endpoints.chat.encode import ChatEncoder

META = ReplyMeta(id="chatcmpl-1", created=1_780_000_000, model='Some "Bot"')
USAGE = Usage(prompt_tokens=7, completion_tokens=5, reasoning_tokens=2, cached_tokens=3)
USAGE_JSON = {
    "prompt_tokens": 7,
    "completion_tokens": 5,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 2,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
BROKEN = PoeError(ErrorKind.POE_BROKEN, "Poe stopped in the middle.")
CALL = [
    ToolCallDelta(position=0, call_id="c1", name="look", extra={"google": {"sign": "x"}}),
    ToolCallDelta(position=0, arguments='{"at":'),
    ToolCallDelta(position=0, arguments="1}"),
    ToolCallDelta(position=1, call_id="c2", name="see", arguments="{}"),
]
ANSWER: list[ReplyEvent] = [
    ReasoningDelta("hm"),
    TextDelta("Hello"),
    Pause(),
    TextDelta(' "world"\n'),
    *CALL,
    USAGE,
    Finish("tool_calls"),
]


def streamed(encoder: ChatEncoder, *batches: Sequence[ReplyEvent]) -> str:
    """The whole body of a stream."""
    return "".join(encoder.feed(batch) for batch in batches) + encoder.close()


def frames(body: str) -> list[str]:
    """The data of every frame; each must be one line of data and nothing else."""
    assert body.endswith("\n\n")
    lines = body.removesuffix("\n\n").split("\n\n")
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [line.removeprefix("data: ") for line in lines]


def chunks(body: str) -> list[dict[str, Any]]:
    """The chunks of a stream that ends as it should."""
    *data, last = frames(body)
    assert last == "[DONE]"
    return [json.loads(text) for text in data]


def deltas(body: str, index: int = 0) -> list[dict[str, Any]]:
    """What the chunks add to one choice."""
    choices = [choice for chunk in chunks(body) for choice in chunk["choices"]]
    return [choice["delta"] for choice in choices if choice["index"] == index]


def folded(body: str) -> dict[int, dict[str, Any]]:
    """A stream read back as a client would: each choice's message and finish_reason."""
    folds: dict[int, dict[str, Any]] = {}
    for choice in (choice for chunk in chunks(body) for choice in chunk["choices"]):
        fold = folds.setdefault(choice["index"], {"content": "", "reasoning": "", "calls": {}})
        _add(fold, choice["delta"])
        if choice["finish_reason"]:
            assert "finish_reason" not in fold
            fold["finish_reason"] = choice["finish_reason"]
    return folds


def _add(fold: dict[str, Any], delta: dict[str, Any]) -> None:
    fold["content"] += delta.get("content", "")
    fold["reasoning"] += delta.get("reasoning_content", "")
    for piece in delta.get("tool_calls", ()):
        _join(fold["calls"].setdefault(piece["index"], {}), piece)
    if "function_call" in delta:
        _join(fold.setdefault("function_call", {}), delta["function_call"])


def _join(call: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add one piece of a call to what is there: objects by key, the growing texts by joining."""
    for key, value in piece.items():
        if isinstance(value, dict) and key != "extra_content":
            _join(call.setdefault(key, {}), value)
        elif key in ("arguments", "input"):
            call[key] = call.get(key, "") + value
        else:
            assert key in ("index",) or key not in call
            call[key] = value


def as_folded(completion: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """A whole completion in the form of `folded`."""
    return {choice["index"]: _fold_of(choice) for choice in completion["choices"]}


def _fold_of(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice["message"]
    calls = message.get("tool_calls", [])
    fold = {
        "content": message["content"] or "",
        "reasoning": message.get("reasoning_content", ""),
        "calls": {index: {"index": index, **call} for index, call in enumerate(calls)},
        "finish_reason": choice["finish_reason"],
    }
    legacy = message.get("function_call")
    return fold if legacy is None else {**fold, "function_call": legacy}


def test_the_smallest_stream_is_written_letter_for_letter():
    """Role, text, finish, end mark: one id, time and model everywhere, and no usage unasked."""
    body = streamed(ChatEncoder(META), [TextDelta("Hi"), Finish()])

    head = (
        'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1780000000,'
        '"model":"Some \\"Bot\\"","choices":[{"index":0,"delta":'
    )
    tail = ',"logprobs":null,"finish_reason":null}]}\n\n'
    expected = (
        f'{head}{{"role":"assistant","content":""}}{tail}'
        f'{head}{{"content":"Hi"}}{tail}'
        f'{head}{{}},"logprobs":null,"finish_reason":"stop"}}]}}\n\n'
        "data: [DONE]\n\n"
    )
    assert expected == body


def test_the_smallest_answer_is_whole():
    """Every key that OpenAI's answers have, and usage always."""
    expected = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": 'Some "Bot"',
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE_JSON,
    }
    assert expected == ChatEncoder(META).whole([TextDelta("Hi"), USAGE, Finish()])


def test_every_text_has_a_chunk_of_its_own():
    """Clients watch the words come; several events of one batch are still one write."""
    body = ChatEncoder(META).feed([TextDelta("a"), TextDelta("b"), Pause(), TextDelta("c")])

    assert [json.loads(data)["choices"][0]["delta"]["content"] for data in frames(body)] == [
        "",
        "a",
        "b",
        "c",
    ]


def test_nothing_new_writes_nothing():
    """A pause or a note after the opening adds no byte."""
    encoder = ChatEncoder(META)
    opening = encoder.feed([])

    expected = {"role": "assistant", "content": ""}
    assert expected == json.loads(frames(opening)[0])["choices"][0]["delta"]
    assert not encoder.feed([Pause(), Note("suggested_reply", {"text": "More?"}), USAGE])


def test_calls_are_written_as_clients_need_them():
    """The first piece has index, id, type and name; later ones index and arguments alone."""
    got = deltas(streamed(ChatEncoder(META), CALL, [Finish("tool_calls")]))

    expected = [
        {"role": "assistant", "content": ""},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "look", "arguments": ""},
                    "extra_content": {"google": {"sign": "x"}},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"at":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "c2",
                    "type": "function",
                    "function": {"name": "see", "arguments": "{}"},
                }
            ]
        },
        {},
    ]
    assert expected == got


def test_custom_calls_have_their_own_shape():
    """Free text goes under custom.input, also where later pieces no longer say their kind."""
    events = [
        ToolCallDelta(position=0, call_id="c1", name="patch", arguments="*** ", kind="custom"),
        ToolCallDelta(position=0, arguments="End"),
        Finish("tool_calls"),
    ]
    got = deltas(streamed(ChatEncoder(META), events))
    whole = ChatEncoder(META).whole(events)["choices"][0]["message"]

    first = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** "}}
    expected = [
        {"tool_calls": [{"index": 0, **first}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "End"}}]},
    ]
    assert expected == got[1:-1]
    assert whole["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** End"}}
    ]


def test_an_answer_of_calls_alone_has_no_content():
    """No text is null, as clients expect beside tool_calls; text beside calls stays."""
    encoder = ChatEncoder(META)
    silent = encoder.whole([*CALL, Finish("tool_calls")])["choices"][0]
    spoken = encoder.whole([TextDelta("a"), *CALL, Finish("tool_calls")])["choices"][0]

    assert silent["message"]["content"] is None
    assert spoken["message"]["content"] == "a"
    assert silent["finish_reason"] == "tool_calls"


def test_an_answer_without_text_or_calls_has_empty_content():
    """The content is a text unless calls stand in its place."""
    assert ChatEncoder(META).whole([Finish()])["choices"][0]["message"]["content"] == ""


def test_old_clients_get_function_calls():
    """The old spelling has room for one call: the first."""
    events = [*CALL, Finish("tool_calls")]
    body = streamed(ChatEncoder(META, legacy_functions=True), events)
    whole = ChatEncoder(META, legacy_functions=True).whole(events)["choices"][0]

    expected = [
        {"function_call": {"name": "look", "arguments": ""}},
        {"function_call": {"arguments": '{"at":'}},
        {"function_call": {"arguments": "1}"}},
        {},
    ]
    assert expected == deltas(body)[1:]
    assert chunks(body)[-1]["choices"][0]["finish_reason"] == "function_call"
    assert whole["finish_reason"] == "function_call"
    assert whole["message"]["function_call"] == {"name": "look", "arguments": '{"at":1}'}
    assert "tool_calls" not in whole["message"]


def test_usage_comes_last_if_it_was_asked_for():
    """One extra chunk without choices; all others say that usage is null."""
    got = chunks(streamed(ChatEncoder(META, include_usage=True), ANSWER))

    assert got[-1]["choices"] == []
    assert got[-1]["usage"] == USAGE_JSON
    assert all(chunk["usage"] is None for chunk in got[:-1])
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in got}) == 1


def test_usage_does_not_come_unasked():
    """A client that did not ask sees neither the chunk nor the key."""
    got = chunks(streamed(ChatEncoder(META), ANSWER))

    assert all("usage" not in chunk and chunk["choices"] for chunk in got)


def test_usage_of_several_answers_counts_their_prompt_once():
    """The prompt is one; what was answered adds up, in the stream as in the whole."""
    events = [
        Usage(prompt_tokens=7, completion_tokens=5, index=0),
        Finish(index=0),
        Usage(prompt_tokens=7, completion_tokens=4, index=1),
        Finish(index=1),
    ]
    encoder = ChatEncoder(META, include_usage=True, choices=2)
    whole = encoder.whole(events)["usage"]

    assert (whole["prompt_tokens"], whole["completion_tokens"], whole["total_tokens"]) == (7, 9, 16)
    assert whole == chunks(streamed(encoder, events))[-1]["usage"]


def test_parallel_answers_are_opened_together_and_kept_apart():
    """Each choice has its own role, texts and end; a choice that nobody promised opens itself."""
    events = [
        TextDelta("b", 1),
        TextDelta("a", 0),
        Finish("length", 1),
        TextDelta("c", 2),
        Finish("stop", 0),
        Finish("stop", 2),
    ]
    body = streamed(ChatEncoder(META, choices=2), events)

    opened = [chunk["choices"][0]["index"] for chunk in chunks(body)[:2]]
    ends = {index: fold["finish_reason"] for index, fold in folded(body).items()}
    assert opened == [0, 1]
    assert ends == {0: "stop", 1: "length", 2: "stop"}
    assert [deltas(body, 2)[0]["role"], deltas(body, 2)[1]["content"]] == ["assistant", "c"]


def test_a_failure_is_the_last_word():
    """The error in OpenAI's shape and the end mark; no finish, no usage, no other answer."""
    encoder = ChatEncoder(META, include_usage=True, choices=2)
    body = streamed(
        encoder,
        [TextDelta("a"), Failure(BROKEN), TextDelta("b", 1)],
        [TextDelta("c", 1), Finish(index=1)],
    )

    *before, error, done = frames(body)
    assert len(before) == 3
    assert done == "[DONE]"
    assert json.loads(error) == {
        "error": {
            "message": "Poe stopped in the middle.",
            "type": "server_error",
            "param": None,
            "code": "poe_broken",
        }
    }


def test_a_failure_before_any_word_opens_nothing():
    """A stream that fails at once holds the error and the end mark only."""
    body = streamed(ChatEncoder(META), [Pause(), Failure(BROKEN)])

    assert [data[:9] for data in frames(body)] == ['{"error":', "[DONE]"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (FileEvent(url="https://a/b", content_type="image/png", name="b"), "![b](https://a/b)"),
        (FileEvent(url="https://a/b", content_type="video/mp4", name=""), "[file](https://a/b)"),
        (FileEvent(url="https://a/b", content_type="a/b", name="x[1]"), "[x(1)](https://a/b)"),
    ],
)
def test_a_file_that_comes_nevertheless_is_a_link(file: FileEvent, text: str):
    """Nothing that the bot gave is lost in a dialect of text."""
    events = [TextDelta("See"), file, Finish()]
    whole = ChatEncoder(META).whole(events)["choices"][0]["message"]["content"]

    assert f"See\n\n{text}\n\n" == whole
    assert whole == folded(streamed(ChatEncoder(META), events))[0]["content"]


def test_a_silent_stream_is_kept_alive_by_a_comment():
    """A comment is no event to any reader."""
    assert ChatEncoder(META).heartbeat() == ": ping\n\n"


def test_half_an_emoji_survives():
    """A piece that ends inside a character is escaped, and can be sent as UTF-8."""
    events = [TextDelta("\ud83d"), TextDelta("\ude00"), Finish()]
    body = streamed(ChatEncoder(META), events)

    assert "\\ud83d" in body
    assert body.encode("utf-8")
    assert folded(body)[0]["content"] == "\ud83d\ude00"


def joined_halves(text: str) -> str:
    """The text with neighbouring halves of a character made one, as JSON's readers do."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


TEXTS = st.text(min_size=1, max_size=6) | st.sampled_from(
    ['"', "\\", "\n\n", "data: [DONE]", "\u2028", "\ud800", "😀", "\x00", "\x7f"]
)
REASONS = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])


@st.composite
def answers(draw: st.DrawFn, index: int) -> list[ReplyEvent]:
    """All events of one answer, as they come out of the filters."""
    plain = (
        st.builds(TextDelta, TEXTS, st.just(index))
        | st.builds(ReasoningDelta, TEXTS, st.just(index))
        | st.just(Pause())
        | st.just(Note("meta", {}, index))
        | st.just(FileEvent(url="https://a/b", content_type="image/png", name="b", index=index))
    )
    events = list(draw(st.lists(plain, max_size=6)))
    for position in range(draw(st.integers(0, 2))):
        events.extend(draw(calls(position, index)))
    if draw(st.booleans()):
        events.append(
            Usage(prompt_tokens=3, completion_tokens=draw(st.integers(0, 9)), index=index)
        )
    return [*events, Finish(draw(REASONS), index)]


@st.composite
def calls(draw: st.DrawFn, position: int, index: int) -> list[ReplyEvent]:
    """All pieces of one call."""
    kind = draw(st.sampled_from(["function", "custom"]))
    first = ToolCallDelta(
        position=position,
        call_id=f"c{position}",
        name=draw(TEXTS),
        arguments=draw(st.text(max_size=3)),
        kind=kind,
        extra=draw(st.none() | st.just({"a": {"b": 1}})),
        index=index,
    )
    rest = draw(st.lists(TEXTS, max_size=3))
    later = [ToolCallDelta(position=position, arguments=text, index=index) for text in rest]
    return [first, *later]


@st.composite
def streams(draw: st.DrawFn) -> list[list[ReplyEvent]]:
    """One to three answers, their events shuffled into each other and cut into batches."""
    waiting = [draw(answers(index)) for index in range(draw(st.integers(1, 3)))]
    batches: list[list[ReplyEvent]] = [[]]
    while any(waiting):
        turn = draw(st.sampled_from([events for events in waiting if events]))
        batches[-1].append(turn.pop(0))
        if draw(st.booleans()):
            batches.append([])
    return batches


def flat(batches: Iterable[Sequence[ReplyEvent]]) -> list[ReplyEvent]:
    """All events, however they were cut."""
    return [event for batch in batches for event in batch]


@given(batches=streams(), legacy=st.booleans(), include_usage=st.booleans())
@settings(max_examples=120, deadline=None)
def test_stream_and_whole_agree(batches: list[list[ReplyEvent]], legacy: bool, include_usage: bool):
    """A stream read back equals the whole answer, usage included."""
    encoder = ChatEncoder(META, include_usage=include_usage, legacy_functions=legacy)
    body = streamed(encoder, *batches)
    whole = json.loads(json.dumps(encoder.whole(flat(batches))))

    normal = json.loads(joined_halves(json.dumps(folded(body), ensure_ascii=False)))
    expected = json.loads(joined_halves(json.dumps(as_folded(whole), ensure_ascii=False)))
    assert expected == normal
    if include_usage:
        assert whole["usage"] == chunks(body)[-1]["usage"]


@given(batches=streams())
@settings(max_examples=60, deadline=None)
def test_cuts_do_not_matter(batches: list[list[ReplyEvent]]):
    """One batch or many, the bytes are the same."""
    in_pieces = streamed(ChatEncoder(META, choices=2), *batches)
    at_once = streamed(ChatEncoder(META, choices=2), flat(batches))

    assert at_once == in_pieces
    assert at_once.encode("utf-8")


@pytest.mark.parametrize("include_usage", [False, True])
def test_openai_s_own_client_reads_both_alike(include_usage: bool):
    """The official library's fold of the stream is its reading of the whole answer."""
    encoder = ChatEncoder(META, include_usage=include_usage)
    state = ChatCompletionStreamState()
    for chunk in chunks(streamed(encoder, ANSWER)):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    streamed_message = state.get_final_completion().choices[0]
    whole = ChatCompletion.model_validate(encoder.whole(ANSWER)).choices[0]

    assert whole.finish_reason == streamed_message.finish_reason
    assert whole.message.content == streamed_message.message.content
    told = [call.function.arguments for call in whole.message.tool_calls or ()]
    heard = [call.function.arguments for call in streamed_message.message.tool_calls or ()]
    assert told == heard == ['{"at":1}', "{}"]


def test_reasoning_is_written_under_every_name_that_is_asked_for():
    """Clients of two families find the thoughts where they look for them."""
    names = ("reasoning_content", "reasoning")
    encoder = ChatEncoder(META, reasoning_names=names)
    events = [ReasoningDelta("Hm."), TextDelta("Yes."), Finish("stop")]
    message = encoder.whole(events)["choices"][0]["message"]

    assert '"delta":{"reasoning_content":"Hm.","reasoning":"Hm."}' in encoder.feed(events)
    assert ["Hm.", "Hm."] == [message[name] for name in names]
