"""Tests of OpenAI's stream chunks as bots really write them."""

import pytest

from poeflask.core.reply import ReasoningDelta, TextDelta, ToolCallDelta, Usage, gather
from poeflask.poe.chunks import ChunkReader


def read(*chunks, index=None):
    """The events of these chunks."""
    reader = ChunkReader()
    return [event for chunk in chunks for event in reader.read(chunk, index)]


def calls(*entries, chunk_id="c"):
    """A chunk with these entries of `tool_calls`."""
    return {"id": chunk_id, "choices": [{"delta": {"tool_calls": list(entries)}}]}


def call(slot=None, call_id=None, name=None, arguments=None, **more):
    """One entry of `tool_calls`, without what is None."""
    entry = {"index": slot, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in entry.items() if value is not None} | more


def whole(*chunks):
    """(id, name, arguments) of every call."""
    return [(c.call_id, c.name, c.arguments) for c in gather(read(*chunks)).tool_calls]


def test_a_call_comes_in_pieces():
    """The first piece names the call, the rest add to its arguments."""
    got = read(
        calls(call(0, "1", "f", "")),
        calls(call(0, arguments='{"a"')),
        calls(call(0, arguments="")),
        calls(call(0, arguments=":1}")),
    )

    assert got == [
        ToolCallDelta(position=0, call_id="1", name="f"),
        ToolCallDelta(position=0, arguments='{"a"'),
        ToolCallDelta(position=0, arguments=":1}"),
    ]


@pytest.mark.parametrize(
    "chunks",
    [
        [calls(call(0, "1", "f", "a"), call(1, "2", "g", "b"))],
        [calls(call(0, "1", "f", "a")), calls(call(1, "2", "g", "b"))],
        [calls(call(0, "1", "f")), calls(call(1, "2", "g"), call(0, None, None, "a")),
         calls(call(1, None, None, "b"))],
        # Positions with gaps
        [calls(call(3, "1", "f", "a"), call(7, "2", "g", "b"))],
        # All of one index, told apart by their ids
        [calls(call(0, "1", "f", "a"), call(0, "2", "g", "b"))],
        [calls(call(0, "1", "f"), call(0, "2", "g", "b")), calls(call(0, "1", "f", "a"))],
        # Without any index
        [calls(call(None, "1", "f"), call(None, "2", "g")), calls(call(None, "1", None, "a")),
         calls(call(None, "2", None, "b"))],
        [calls(call(None, "1", "f")), calls(call(None, None, None, "a")),
         calls(call(None, "2", "g")), calls(call(None, None, None, "b"))],
        # Id and name said again with each piece
        [calls(call(0, "1", "f")), calls(call(0, "1", "f", "a")), calls(call(1, "2", "g", "b"))],
        # A whole message instead of deltas
        [{"choices": [{"message": {"tool_calls": [
            call(None, "1", "f", "a"), call(None, "2", "g", "b")]}}]}],
        # Arguments of a call that was never opened
        [calls(call(5, None, None, "lost")), calls(call(0, "1", "f", "a"), call(1, "2", "g", "b"))],
    ],
)  # fmt: skip
def test_providers_number_their_calls_as_they_like(chunks):
    """However two calls are told apart on the wire, they are the same two calls."""
    assert whole(*chunks) == [("1", "f", "a"), ("2", "g", "b")]


def test_an_id_for_two_calls_is_made_two():
    """The second call of one id gets another, and keeps its arguments apart."""
    got = whole(
        calls(call(0, "1", "f", "a"), call(1, "1", "f", "b")), calls(call(1, None, None, "c"))
    )

    assert got == [("1", "f", "a"), ("1_1", "f", "bc")]


def test_a_call_without_an_id_gets_one():
    """It is the same at each reading, and another in another answer."""
    (first, second) = whole(calls(call(0, None, "f", "a"), call(1, None, "f", "b")))
    (again, _) = whole(calls(call(0, None, "f", "a"), call(1, None, "f", "b")))
    (other,) = whole(calls(call(0, None, "f", "a"), chunk_id="d"))

    assert first == again
    assert len({first[0], second[0], other[0]}) == 3
    assert first[0].startswith("call_")


def test_what_a_bot_attaches_to_a_call_is_kept():
    """A thought signature must be sent back with the call's result."""
    (got,) = read(calls(call(0, "1", "f", "{}", extra_content={"google": {"s": "x"}})))

    assert got.extra == {"google": {"s": "x"}}


def test_arguments_may_come_as_an_object():
    """They become the JSON text that they should have been."""
    assert whole(calls(call(0, "1", "f", {"a": 1}))) == [("1", "f", '{"a":1}')]


def test_a_call_of_free_text_is_custom():
    """Its input is taken as it is."""
    (got,) = read(calls({"id": "1", "custom": {"name": "f", "input": "a b"}}))

    assert ToolCallDelta(position=0, call_id="1", name="f", arguments="a b", kind="custom") == got


@pytest.mark.parametrize(
    ("said", "events"),
    [
        ({"content": "a"}, [TextDelta("a")]),
        ({"content": ""}, []),
        ({"content": None, "refusal": None}, []),
        ({"refusal": "I will not"}, [TextDelta("I will not")]),
        ({"content": [{"type": "text", "text": "a"}, {"text": "b"}, 5]}, [TextDelta("ab")]),
        ({"reasoning_content": "r", "reasoning": "r"}, [ReasoningDelta("r")]),
        ({"reasoning": "r", "content": "a"}, [ReasoningDelta("r"), TextDelta("a")]),
        ({"content": 5, "tool_calls": "x", "reasoning": []}, []),
    ],
)
def test_a_delta_and_a_message_are_read_alike(said, events):
    """Providers that do not stream send the whole message; both may hold anything."""
    assert events == read({"choices": [{"delta": said}]})
    assert events == read({"choices": [{"message": said}]})


def test_a_message_behind_deltas_says_nothing_new():
    """The whole answer in the last chunk is not given a second time."""
    got = read(
        {"choices": [{"delta": {"content": "a"}}]},
        {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]},
    )

    assert [TextDelta("a")] == got


@pytest.mark.parametrize(
    ("index", "choice", "answer"), [(None, 1, 1), (2, 1, 2), (None, None, 0), (None, "x", 0)]
)
def test_the_event_says_which_answer_it_belongs_to(index, choice, answer):
    """Else the choice says it, else it is the first."""
    chunk = {"choices": [{"index": choice, "delta": {"content": "a"}}]}

    assert [TextDelta("a", answer)] == read(chunk, index=index)


@pytest.mark.parametrize("chunk", [{}, {"choices": None}, {"choices": []}, {"choices": [None]}])
def test_a_chunk_may_be_empty(chunk):
    """Nothing is said, and nothing breaks."""
    assert read(chunk) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("tool_use", "tool_calls"),
        ("content_filter", "content_filter"),
        ("something new", "stop"),
    ],
)
def test_reasons_are_spelled_in_one_way(written, read):
    """A reason that is not known is an ordinary end; an empty one is none."""
    reader = ChunkReader()
    reader.read({"choices": [{"delta": {}, "finish_reason": written}]}, None)
    reader.read({"choices": [{"delta": {}, "finish_reason": None}]}, None)

    assert read == reader.finish_reason


@pytest.mark.parametrize(
    ("written", "usage"),
    [
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 12,
                "completion_tokens_details": {"reasoning_tokens": 3},
                "prompt_tokens_details": {"cached_tokens": 2},
            },
            Usage(
                prompt_tokens=5,
                completion_tokens=7,
                reasoning_tokens=3,
                cached_tokens=2,
                exact=True,
            ),
        ),
        ({"prompt_tokens": None, "completion_tokens_details": None}, Usage(exact=True)),
        ({"prompt_tokens": -1, "completion_tokens": "7"}, Usage(exact=True)),
        (None, None),
        ([], None),
    ],
)
def test_tokens_are_read_as_far_as_they_are_counts(written, usage):
    """A chunk without choices may carry them; what is no count is 0."""
    reader = ChunkReader()
    reader.read({"choices": [], "usage": written}, None)

    assert usage == reader.usage
