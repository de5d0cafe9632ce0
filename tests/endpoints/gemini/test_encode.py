"""Reply events become pieces and objects that Google's own client reads alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from google.genai.types import GenerateContentResponse
from hypothesis import given, settings
from hypothesis import strategies as st

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
from poeflask.endpoints.gemini.encode import Form, GeminiEncoder

META = ReplyMeta(id="gemini-1", created=1_780_000_000, model='Some "Bot"')
USAGE = Usage(prompt_tokens=7, completion_tokens=5, reasoning_tokens=2, cached_tokens=3)
BROKEN = PoeError(ErrorKind.POE_BROKEN, "Poe stopped in the middle.")
SIGNED = {"google": {"thought_signature": "c2ln"}}
CALLS: list[ReplyEvent] = [
    ToolCallDelta(position=0, call_id="c1", name="look", extra=SIGNED),
    ToolCallDelta(position=0, arguments='{"at":'),
    ToolCallDelta(position=1, call_id="c2", name="see", arguments="", extra={"other": 1}),
    ToolCallDelta(position=0, arguments="1}"),
]
CALL_PARTS = [
    {
        "functionCall": {"id": "c1", "name": "look", "args": {"at": 1}},
        "thoughtSignature": "c2ln",
    },
    {"functionCall": {"id": "c2", "name": "see", "args": {}}},
]
FORMS: tuple[Form, ...] = ("sse", "array")


def streamed(encoder: GeminiEncoder, *batches: Sequence[ReplyEvent]) -> str:
    """The whole body of a stream."""
    return "".join(encoder.feed(batch) for batch in batches) + encoder.close()


def pieces(body: str) -> list[dict[str, Any]]:
    """The objects of a stream in either form."""
    if body.startswith("["):
        read: list[dict[str, Any]] = json.loads(body)
        return read
    assert not body or body.endswith("\n\n")
    frames = body.split("\n\n")[:-1]
    assert all(frame.startswith("data: ") and "\n" not in frame for frame in frames)
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


def folded(body: str) -> dict[str, Any]:
    """A stream read back as a client would: each candidate's parts joined, the last usage."""
    folds: dict[int, dict[str, Any]] = {}
    usage = None
    for piece in pieces(body):
        assert ("gemini-1", 'Some "Bot"') == (piece["responseId"], piece["modelVersion"])
        usage = piece.get("usageMetadata", usage)
        for candidate in piece["candidates"]:
            _add(folds.setdefault(candidate["index"], _nothing()), candidate)
    return {"candidates": folds, "usage": usage}


def _nothing() -> dict[str, Any]:
    return {"text": "", "thoughts": "", "calls": []}


def _add(fold: dict[str, Any], candidate: dict[str, Any]) -> None:
    assert "finishReason" not in fold
    assert "model" == candidate["content"]["role"]
    for part in candidate["content"]["parts"]:
        if "functionCall" in part:
            fold["calls"].append(part)
        else:
            fold["thoughts" if part.get("thought") else "text"] += part["text"]
    if "finishReason" in candidate:
        fold["finishReason"] = candidate["finishReason"]


def as_folded(whole: dict[str, Any]) -> dict[str, Any]:
    """A whole answer in the form of `folded`."""
    folds: dict[int, dict[str, Any]] = {}
    for candidate in whole["candidates"]:
        _add(folds.setdefault(candidate["index"], _nothing()), candidate)
    return {"candidates": folds, "usage": whole["usageMetadata"]}


def test_the_smallest_stream_is_written_letter_for_letter():
    """A piece for the text, a piece for the end with usage."""
    events = [TextDelta("Hi\n"), Usage(prompt_tokens=2, completion_tokens=1), Finish()]
    origin = '"modelVersion":"Some \\"Bot\\"","responseId":"gemini-1"}'
    text = (
        '{"candidates":[{"content":{"parts":[{"text":"Hi\\n"}],"role":"model"},"index":0}],'
        f"{origin}"
    )
    end = (
        '{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0,'
        '"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":1,'
        f'"totalTokenCount":3}},{origin}'
    )

    assert f"data: {text}\n\ndata: {end}\n\n" == streamed(GeminiEncoder(META), events)
    assert f"[{text},\n{end}]" == streamed(GeminiEncoder(META, form="array"), events)


def test_the_smallest_answer_is_whole():
    """One object with candidates, usage and where it comes from."""
    got = GeminiEncoder(META).whole([TextDelta("Hi"), USAGE, Finish("length")])

    assert {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hi"}], "role": "model"},
                "index": 0,
                "finishReason": "MAX_TOKENS",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 7,
            "candidatesTokenCount": 3,
            "totalTokenCount": 12,
            "thoughtsTokenCount": 2,
            "cachedContentTokenCount": 3,
        },
        "modelVersion": 'Some "Bot"',
        "responseId": "gemini-1",
    } == got


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "STOP"),
        ("content_filter", "SAFETY"),
    ],
)
def test_reasons_are_google_s(reason, told):
    """A call ends an answer like any other words."""
    last = pieces(streamed(GeminiEncoder(META), [Finish(reason)]))[-1]

    assert told == last["candidates"][0]["finishReason"]
    assert told == GeminiEncoder(META).whole([Finish(reason)])["candidates"][0]["finishReason"]


def test_calls_come_whole_with_the_end():
    """Their signatures under Google's own name, other extras not."""
    events = [TextDelta("a"), *CALLS, Finish("tool_calls")]
    first, last = pieces(streamed(GeminiEncoder(META), events))
    whole = GeminiEncoder(META).whole(events)["candidates"][0]["content"]["parts"]

    assert [{"text": "a"}] == first["candidates"][0]["content"]["parts"]
    assert CALL_PARTS == last["candidates"][0]["content"]["parts"]
    assert [{"text": "a"}, *CALL_PARTS] == whole


def test_thoughts_are_hidden_unless_they_are_asked_for():
    """Streamed or whole; they are counted all the same."""
    events = [ReasoningDelta("hm"), TextDelta("Hi"), USAGE, Finish()]
    shown = GeminiEncoder(META, show_thoughts=True)

    assert "hm" not in streamed(GeminiEncoder(META), events)
    assert "hm" not in json.dumps(GeminiEncoder(META).whole(events))
    assert "hm" == folded(streamed(shown, events))["candidates"][0]["thoughts"]
    parts = shown.whole(events)["candidates"][0]["content"]["parts"]
    assert [{"text": "hm", "thought": True}, {"text": "Hi"}] == parts


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_is_the_last_piece(form: Form):
    """What was said stays said; nothing but the array's end comes behind the error."""
    encoder = GeminiEncoder(META, form=form)
    got = pieces(streamed(encoder, [TextDelta("Hi"), *CALLS, Failure(BROKEN), Finish()]))

    assert 2 == len(got)
    assert (502, "UNAVAILABLE") == (got[1]["error"]["code"], got[1]["error"]["status"])
    assert not encoder.feed([TextDelta("more")])


@pytest.mark.parametrize("form", FORMS)
def test_a_heartbeat_adds_nothing(form: Form):
    """It is a piece as any other, since Google's own client cannot read comments."""
    encoder, events = GeminiEncoder(META, form=form), [TextDelta("Hi"), USAGE, Finish()]
    beating = encoder.heartbeat() + encoder.feed(events[:1]) + encoder.heartbeat()
    beating += encoder.feed(events[1:]) + encoder.close()

    assert folded(streamed(GeminiEncoder(META, form=form), events)) == folded(beating)
    assert 4 == len(pieces(beating))


def test_a_stream_of_nothing_is_an_empty_array():
    """Which is still JSON."""
    assert "[]" == GeminiEncoder(META, form="array").close()


def test_pauses_and_notes_write_nothing():
    """There is no place for them."""
    assert not GeminiEncoder(META).feed([Pause(), Note("suggested_reply", {}), USAGE])


def test_files_are_links():
    """Should one come that the filters did not turn into text."""
    file = FileEvent(url="https://a/b.png", content_type="image/png", name="b.png")
    body = streamed(GeminiEncoder(META), [file, Finish()])

    assert "\n\n![b.png](https://a/b.png)\n\n" == folded(body)["candidates"][0]["text"]


TEXTS = st.text(min_size=1, max_size=6)
INDICES = st.integers(0, 2)
PIECES = st.lists(
    st.builds(TextDelta, TEXTS, INDICES)
    | st.builds(ReasoningDelta, TEXTS, INDICES)
    | st.just(Pause())
    | st.just(CALLS[0])
    | st.builds(lambda text: ToolCallDelta(position=0, arguments=text), TEXTS)
    | st.builds(
        lambda count, index: Usage(prompt_tokens=3, completion_tokens=count, index=index),
        st.integers(0, 9),
        INDICES,
    ),
    max_size=8,
)


@given(
    events=PIECES,
    reason=st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    cut=st.integers(0, 11),
    form=st.sampled_from(FORMS),
    show=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_stream_and_whole_agree_wherever_batches_are_cut(events, reason, cut, form, show):
    """A stream read back equals the whole answer, and one batch is as good as two."""
    answer = [*events, *(Finish(reason, index) for index in range(3))]
    options = {"form": form, "show_thoughts": show}
    body = streamed(GeminiEncoder(META, **options), answer[:cut], answer[cut:])
    whole = json.loads(json.dumps(GeminiEncoder(META, **options).whole(answer)))

    assert body == streamed(GeminiEncoder(META, **options), answer)
    assert as_folded(whole) == folded(body)


def test_google_s_own_client_reads_both_alike():
    """The official types take every piece and the whole."""
    answer = [ReasoningDelta("hm"), TextDelta("Hi"), *CALLS, USAGE, Finish("tool_calls")]
    encoder = GeminiEncoder(META, show_thoughts=True)
    read = [
        GenerateContentResponse.model_validate(piece) for piece in pieces(streamed(encoder, answer))
    ]
    whole = GenerateContentResponse.model_validate(encoder.whole(answer))

    assert ["look", "see"] == [call.name for call in whole.function_calls or ()]
    assert whole.function_calls == read[-1].function_calls
    assert whole.usage_metadata == read[-1].usage_metadata
    assert b"sig" == whole.candidates[0].content.parts[2].thought_signature


def test_half_an_emoji_can_be_sent():
    """A piece may end inside one."""
    body = streamed(GeminiEncoder(META), [TextDelta("\ud83d"), TextDelta("\ude00"), Finish()])

    assert body.encode("utf-8")
    assert "\ud83d\ude00" == folded(body)["candidates"][0]["text"]
