"""Reply events become lines and objects that Ollama's own client reads alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ollama import ChatResponse, GenerateResponse

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
from poeflask.endpoints.ollama.encode import Form, OllamaEncoder, loaded, timestamp

META = ReplyMeta(id="ollama-1", created=1_780_000_000, model='Some "Bot":latest')
USAGE = Usage(prompt_tokens=7, completion_tokens=5)
BROKEN = PoeError(ErrorKind.POE_BROKEN, "Poe stopped in the middle.")
CALLS: list[ReplyEvent] = [
    ToolCallDelta(position=0, call_id="c1", name="look"),
    ToolCallDelta(position=0, arguments='{"at":'),
    ToolCallDelta(position=1, call_id="c2", name="see", arguments=""),
    ToolCallDelta(position=0, arguments="1}"),
]
ENVELOPE = {"model": 'Some "Bot":latest', "created_at": "2026-05-28T20:26:40Z"}


def encoder(**options: Any) -> OllamaEncoder:
    """An encoder whose clock stands still, unless another is given."""
    return OllamaEncoder(META, **{"clock": lambda: 100.0, **options})


def ticking(*seconds: float) -> Iterator[float]:
    """A clock's readings."""
    yield from seconds


def lines(body: str) -> list[dict[str, Any]]:
    """The objects of a stream; each must be one line."""
    assert body.endswith("\n")
    return [json.loads(line) for line in body.removesuffix("\n").split("\n")]


def streamed(made: OllamaEncoder, *batches: Sequence[ReplyEvent]) -> str:
    """The whole body of a stream."""
    return "".join(made.feed(batch) for batch in batches) + made.close()


def folded(body: str) -> dict[str, Any]:
    """A stream read back as a client would."""
    *before, last = lines(body)
    assert all(line["done"] is False for line in before)
    assert last["done"] is True
    fold = dict(last)
    said = fold.get("message", fold)
    for name in ("content", "response", "thinking"):
        pieces = [line.get("message", line).get(name, "") for line in before]
        if name in said or any(pieces):
            said[name] = "".join([*pieces, said.get(name, "")])
    calls = [call for line in before for call in line.get("message", line).get("tool_calls", [])]
    if calls:
        said["tool_calls"] = calls
    return fold


def test_the_smallest_stream_is_written_letter_for_letter():
    """A line for the text, a line for the end with all its numbers."""
    body = streamed(encoder(), [TextDelta("Hi\n"), USAGE, Finish()])

    head = '{"model":"Some \\"Bot\\":latest","created_at":"2026-05-28T20:26:40Z","message":'
    expected = (
        f'{head}{{"role":"assistant","content":"Hi\\n"}},"done":false}}\n'
        f'{head}{{"role":"assistant","content":""}},"done":true,"done_reason":"stop",'
        '"total_duration":1,"load_duration":0,"prompt_eval_count":7,"prompt_eval_duration":1,'
        '"eval_count":5,"eval_duration":1}\n'
    )
    assert expected == body


def test_generate_says_response():
    """Where a chat says message."""
    body = streamed(encoder(form="generate"), [ReasoningDelta("hm"), TextDelta("Hi"), Finish()])

    first, second, last = lines(body)
    assert {**ENVELOPE, "response": "", "thinking": "hm", "done": False} == first
    assert {**ENVELOPE, "response": "Hi", "done": False} == second
    assert (True, "") == (last["done"], last["response"])


def test_the_smallest_answer_is_whole():
    """One object with the text and all numbers."""
    got = encoder().whole([TextDelta("Hi"), USAGE, Finish("length")])

    assert {
        **ENVELOPE,
        "message": {"role": "assistant", "content": "Hi"},
        "done": True,
        "done_reason": "length",
        "total_duration": 1,
        "load_duration": 0,
        "prompt_eval_count": 7,
        "prompt_eval_duration": 1,
        "eval_count": 5,
        "eval_duration": 1,
    } == got


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "stop"),
        ("content_filter", "content_filter"),
    ],
)
def test_reasons_are_ollama_s(reason, told):
    """A call ends an answer like any other words."""
    assert told == lines(streamed(encoder(), [Finish(reason)]))[-1]["done_reason"]
    assert told == encoder().whole([Finish(reason)])["done_reason"]


def test_calls_come_whole_with_objects_for_arguments():
    """In one line before the end, however their pieces came."""
    *_, calls, last = lines(streamed(encoder(), [TextDelta("a"), *CALLS, Finish("tool_calls")]))

    expected = [
        {"id": "c1", "function": {"index": 0, "name": "look", "arguments": {"at": 1}}},
        {"id": "c2", "function": {"index": 1, "name": "see", "arguments": {}}},
    ]
    assert {"role": "assistant", "content": "", "tool_calls": expected} == calls["message"]
    assert "tool_calls" not in last["message"]
    assert expected == encoder().whole([*CALLS, Finish()])["message"]["tool_calls"]


def test_thoughts_are_hidden_from_who_wants_none():
    """Streamed or whole."""
    events = [ReasoningDelta("hm"), TextDelta("Hi"), Finish()]
    hiding = {"show_thinking": False}

    assert "hm" not in streamed(encoder(**hiding), events)
    assert "thinking" not in encoder(**hiding).whole(events)["message"]
    assert "hm" == encoder().whole(events)["message"]["thinking"]


def test_durations_are_measured():
    """In nanoseconds: until the first word, and from there to the end."""
    readings = ticking(10.0, 12.5, 15.0)
    end = lines(
        streamed(encoder(clock=lambda: next(readings)), [Pause()], [TextDelta("a")], [Finish()])
    )[-1]

    assert 5_000_000_000 == end["total_duration"]
    assert 2_500_000_000 == end["prompt_eval_duration"]
    assert 2_500_000_000 == end["eval_duration"]


def test_a_failure_is_the_last_line():
    """What was said stays said; nothing comes behind the error."""
    made = encoder()
    body = streamed(made, [TextDelta("Hi"), *CALLS, Failure(BROKEN), TextDelta("!"), Finish()])

    assert {"error": "Poe stopped in the middle."} == lines(body)[-1]
    assert 2 == len(lines(body))
    assert not made.feed([TextDelta("more"), Finish()])


@pytest.mark.parametrize("form", ["chat", "generate"])
def test_a_heartbeat_adds_nothing(form: Form):
    """It is a line as any other, since an empty one breaks Ollama's own client."""
    made = encoder(form=form)
    events = [TextDelta("Hi"), Finish()]
    beating = made.heartbeat() + made.feed(events[:1]) + made.heartbeat() + made.feed(events[1:])

    assert folded(streamed(encoder(form=form), events)) == folded(beating)
    reader = ChatResponse if form == "chat" else GenerateResponse
    assert not reader(**lines(made.heartbeat())[0]).done


def test_what_has_no_place_writes_nothing():
    """Pauses, notes, and the further answers of bots that give several."""
    made = encoder()
    strangers = [Pause(), Note("suggested_reply", {"text": "More?"}), TextDelta("other", 1)]

    assert not made.feed([*strangers, Finish("stop", 1)])
    assert "" == encoder().whole([*strangers, Finish()])["message"]["content"]
    assert made.feed([TextDelta("Hi")])


def test_files_are_links():
    """Should one come that the filters did not turn into text."""
    file = FileEvent(url="https://a/b.png", content_type="image/png", name="b.png")

    expected = "\n\n![b.png](https://a/b.png)\n\n"
    assert expected == lines(encoder().feed([file]))[0]["message"]["content"]
    assert expected == encoder().whole([file, Finish()])["message"]["content"]


@pytest.mark.parametrize(("unload", "reason"), [(False, "load"), (True, "unload")])
def test_who_asks_nothing_is_told_that_the_model_is_ready(unload: bool, reason: str):
    """In either form."""
    chat, generate = (loaded(META, form, unload=unload) for form in ("chat", "generate"))

    assert {
        **ENVELOPE,
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": reason,
    } == chat
    assert {**ENVELOPE, "response": "", "done": True, "done_reason": reason} == generate


def test_times_are_go_s():
    """In UTC, to the second."""
    assert "1970-01-01T00:00:00Z" == timestamp(0)


TEXTS = st.text(min_size=1, max_size=6)
PIECES = st.lists(
    st.builds(TextDelta, TEXTS)
    | st.builds(ReasoningDelta, TEXTS)
    | st.builds(TextDelta, TEXTS, st.just(1))
    | st.just(Pause())
    | st.just(CALLS[0])
    | st.builds(lambda text: ToolCallDelta(position=0, arguments=text), TEXTS)
    | st.just(USAGE),
    max_size=8,
)


@given(
    events=PIECES,
    reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    cut=st.integers(0, 9),
    form=st.sampled_from(["chat", "generate"]),
    show=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_stream_and_whole_agree_wherever_batches_are_cut(events, reason, cut, form, show):
    """A stream read back equals the whole answer, and one batch is as good as two."""
    answer = [*events, Finish(reason)]
    options = {"form": form, "show_thinking": show}
    body = streamed(encoder(**options), answer[:cut], answer[cut:])

    assert body == streamed(encoder(**options), answer)
    assert json.loads(json.dumps(encoder(**options).whole(answer))) == folded(body)


def test_ollama_s_own_client_reads_both_alike():
    """The official types take every line and the whole."""
    answer = [ReasoningDelta("hm"), TextDelta("Hi"), *CALLS, USAGE, Finish("tool_calls")]
    read = [ChatResponse(**line) for line in lines(streamed(encoder(), answer))]
    whole = ChatResponse(**encoder().whole(answer))

    assert whole.message.content == "".join(part.message.content or "" for part in read)
    assert whole.message.thinking == "".join(part.message.thinking or "" for part in read)
    calls = [call for part in read for call in part.message.tool_calls or ()]
    assert list(whole.message.tool_calls or ()) == calls
    assert (5, 7) == (read[-1].eval_count, read[-1].prompt_eval_count)


def test_half_an_emoji_can_be_sent():
    """A piece may end inside one."""
    body = encoder().feed([TextDelta("\ud83d"), TextDelta("\ude00")])

    assert body.encode("utf-8")
    assert ["\ud83d", "\ude00"] == [line["message"]["content"] for line in lines(body)]
