"""Reply events become legacy completions that OpenAI's own client reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.reply import (
    Failure,
    Finish,
    Pause,
    ReasoningDelta,
    ReplyEvent,
    ReplyMeta,
    TextDelta,
    Usage,
)
from poeflask.endpoints.completions.encode import CompletionEncoder

META = ReplyMeta(id="cmpl-1", created=1_780_000_000, model='Some "Bot"')
BROKEN = PoeError(ErrorKind.POE_BROKEN, "Poe stopped in the middle.")


def encoder(texts: Sequence[str] = ("Once",), **options: Any) -> CompletionEncoder:
    """An encoder for these texts."""
    return CompletionEncoder(META, texts, **options)


def frames(body: str) -> list[Any]:
    """The data of each frame; the end mark as it is."""
    data = [frame.removeprefix("data: ") for frame in body.split("\n\n")[:-1]]
    return [one if one == "[DONE]" else json.loads(one) for one in data]


def stream(made: CompletionEncoder, events: Sequence[ReplyEvent]) -> list[Any]:
    """The frames of a whole stream, fed event by event."""
    return frames("".join(made.feed([event]) for event in events) + made.close())


def test_a_stream_is_pieces_of_text_a_reason_and_the_end_mark():
    """Every chunk has the same head, and thoughts are left out."""
    events = [ReasoningDelta("hm"), TextDelta("upon"), Pause(), TextDelta(" a"), Finish("length")]
    *chunks, end = stream(encoder(), events)

    assert "[DONE]" == end
    assert {("cmpl-1", "text_completion", 1_780_000_000, 'Some "Bot"')} == {
        (chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in chunks
    }
    assert [
        [{"text": "upon", "index": 0, "logprobs": None, "finish_reason": None}],
        [{"text": " a", "index": 0, "logprobs": None, "finish_reason": None}],
        [{"text": "", "index": 0, "logprobs": None, "finish_reason": "length"}],
    ] == [chunk["choices"] for chunk in chunks]
    assert all("usage" not in chunk for chunk in chunks)


def test_usage_is_one_last_chunk_without_choices():
    """All other chunks say null, as OpenAI's do."""
    events = [
        TextDelta("x"),
        Usage(prompt_tokens=3, completion_tokens=1, reasoning_tokens=1),
        Finish(),
    ]
    *chunks, last, _ = stream(encoder(include_usage=True), events)

    assert all(chunk["usage"] is None for chunk in chunks)
    assert [] == last["choices"]
    assert (3, 1, 4) == (
        last["usage"]["prompt_tokens"],
        last["usage"]["completion_tokens"],
        last["usage"]["total_tokens"],
    )


def test_each_choice_echoes_its_own_text_once():
    """Two texts with two choices each: choice i belongs to text i // 2."""
    events = [TextDelta(str(i), i) for i in (3, 0, 2, 1, 0)]
    events += [Finish("stop", i) for i in range(4)]
    made = encoder(["a-", "b-"], n=2, echo=True)

    assert ["a-00", "a-1", "b-2", "b-3"] == [c["text"] for c in made.whole(events)["choices"]]
    streamed = dict.fromkeys(range(4), "")
    for chunk in stream(made, events)[:-1]:
        streamed[chunk["choices"][0]["index"]] += chunk["choices"][0]["text"]
    assert {0: "a-00", 1: "a-1", 2: "b-2", 3: "b-3"} == streamed


def test_a_text_is_echoed_even_if_nothing_follows():
    """An answer that a stop text ended at once is still its prompt."""
    chunks = stream(encoder(["Once"], echo=True), [Finish("stop")])

    assert "Once" == chunks[0]["choices"][0]["text"]


def test_each_prompt_counts_once_and_each_answer_too():
    """Two texts with two choices each."""
    events: list[ReplyEvent] = []
    for index, prompt in enumerate([5, 5, 7, 7]):
        events += [
            Usage(prompt_tokens=prompt, completion_tokens=2, cached_tokens=1, index=index),
            Finish("stop", index),
        ]
    usage = encoder(["a", "b"], n=2).whole(events)["usage"]

    assert (12, 8, 20) == tuple(usage[f"{k}_tokens"] for k in ("prompt", "completion", "total"))
    assert 2 == usage["prompt_tokens_details"]["cached_tokens"]


def test_a_failure_is_an_error_frame_and_the_end():
    """Nothing follows it but the end mark, whatever else comes."""
    events = [TextDelta("x"), Failure(BROKEN), TextDelta("y", 1), Finish("stop", 1)]
    got = stream(encoder(["a", "b"], include_usage=True), events)

    assert ["x", "Poe stopped in the middle.", "[DONE]"] == [
        got[0]["choices"][0]["text"],
        got[1]["error"]["message"],
        got[2],
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "stop"),
    ],
)
def test_reasons_are_those_that_this_api_knows(reason: Any, said: str):
    """A call cannot be made here, so an answer that ends with one has just stopped."""
    assert said == encoder().whole([TextDelta("x"), Finish(reason)])["choices"][0]["finish_reason"]


PIECES = st.lists(st.tuples(st.integers(0, 5), st.text(min_size=1)), max_size=12)


@given(PIECES, st.booleans())
def test_stream_and_whole_agree(pieces: list[tuple[int, str]], echo: bool):
    """Joined, the chunks of each choice are its text in the whole answer, as the SDK reads it."""
    events: list[ReplyEvent] = [TextDelta(text, index) for index, text in pieces]
    events += [Finish("stop", index) for index in range(6)]
    texts = ["a", "b\u2028", "c"]
    whole = Completion.model_validate(encoder(texts, n=2, echo=echo).whole(events))
    joined = dict.fromkeys(range(6), "")
    for chunk in stream(encoder(texts, n=2, echo=echo), events)[:-1]:
        choice = chunk["choices"][0]
        joined[choice["index"]] += choice["text"]

    assert {choice.index: choice.text for choice in whole.choices} == joined
