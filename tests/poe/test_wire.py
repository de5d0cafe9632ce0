"""Tests of Poe's grammar: what a Prompt becomes, and what frames mean."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import (
    File,
    Limits,
    Message,
    Prompt,
    Reasoning,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from poeflask.core.reply import (
    END,
    Failure,
    FileEvent,
    Finish,
    Note,
    Pause,
    ReasoningDelta,
    Replace,
    TextDelta,
    ToolCallDelta,
    Usage,
    gather_all,
)
from poeflask.core.sse import Decoder, Frame
from poeflask.poe.wire import Reader, write_query

USER = Message("user", (Text("Hi"),))


def written(*messages, **fields):
    """The query of a prompt with these messages."""
    return write_query(Prompt(bot="B", messages=messages, **fields))


def event(name, /, **data):
    """A frame whose data is this JSON object."""
    return Frame(name, json.dumps(data))


def read(*frames):
    """All events of a reply of these frames."""
    reader = Reader()
    return reader.feed(frames) + reader.end()


def chunk(delta, **choice):
    """A `json` frame with one choice."""
    return event("json", choices=[{"delta": delta, **choice}])


def broken(name, why):
    """The failure that a broken event ends in."""
    message = f'Poe sent a "{name}" event that cannot be read: {why}.'
    return Failure(PoeError(ErrorKind.POE_BROKEN, message, allow_retry=False))


def plain(role, content, **more):
    """A message as Poe wants it."""
    return {"role": role, "content": content, "content_type": "text/markdown", **more}


# What is written


def test_a_query_says_what_the_protocol_demands():
    """A plain prompt becomes the smallest query, without a temperature of our own."""
    got = written(USER)

    assert got == {
        "version": "1.2",
        "type": "query",
        "query": [plain("user", "Hi")],
        "user_id": "",
        "conversation_id": "",
        "message_id": "",
        "skip_system_prompt": False,
        "stop_sequences": [],
        "logit_bias": {},
        "language_code": "en",
    }


def test_what_the_protocol_can_carry_is_carried():
    """Temperature, stop sequences, biases and the wish for no persona reach the bot."""
    got = written(
        USER,
        sampling=Sampling(temperature=0.0, logit_bias={"5": -1.0}, top_p=0.5),
        limits=Limits(stop=("END",), max_tokens=5),
        skip_system_prompt=True,
    )

    assert (
        got["temperature"],
        got["stop_sequences"],
        got["logit_bias"],
        got["skip_system_prompt"],
    ) == (0.0, ["END"], {"5": -1.0}, True)
    assert not {"top_p", "max_tokens"} & got.keys()


def test_roles_are_spelled_as_poe_does():
    """An assistant is a bot; texts of one message are joined by an empty line."""
    got = written(
        Message("system", (Text("Be"), Text("brief"))), USER, Message("assistant", (Text("Yes"),))
    )

    expected = [plain("system", "Be\n\nbrief"), plain("user", "Hi"), plain("bot", "Yes")]
    assert expected == got["query"]


def test_a_linked_file_is_attached_to_its_message():
    """Links become attachments, with a name from the link if there is none."""
    got = written(
        Message(
            "user",
            (
                Text("See"),
                File(url="https://a/b/c.png?w=1", content_type="image/png"),
                File(url="https://a/x", name="n"),
            ),
        )
    )

    assert got["query"][0]["attachments"] == [
        {"url": "https://a/b/c.png?w=1", "content_type": "image/png", "name": "c.png"},
        {"url": "https://a/x", "content_type": "application/octet-stream", "name": "n"},
    ]


def test_a_file_without_a_link_is_a_fault_of_ours():
    """Content must have been uploaded before."""
    with pytest.raises(ValueError, match=r"'a\.txt' must be uploaded"):
        written(Message("user", (File(base64="aGk=", name="a.txt"),)))


def test_parameters_ride_on_the_last_message_of_the_user():
    """Also when an assistant's beginning comes after it."""
    got = written(
        USER, USER, Message("assistant", (Text("So"),)), parameters={"thinking_budget": 5}
    )

    assert [m.get("parameters") for m in got["query"]] == [None, {"thinking_budget": 5}, None]


def test_tools_are_written_in_openais_shape():
    """A schema is completed to what Poe demands."""
    got = written(USER, tools=(Tool(name="f", description="d"),))

    assert got["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "d",
                "parameters": {"type": "object", "properties": {}},
            },
        },
    ]


def test_a_round_of_tools_becomes_two_messages():
    """Calls stand behind the text, results in one message, each with its tool's name."""
    got = written(
        USER,
        Message(
            "assistant",
            (
                Reasoning("hm"),
                Text("Let me see"),
                ToolCall(call_id="1", name="f", arguments='{"a":1}', extra={"google": {"s": "x"}}),
                ToolCall(call_id="2", name="g", arguments='{"input":"free"}'),
                ToolCall(call_id="3", name="h", arguments=""),
            ),
        ),
        Message("tool", (ToolResult(call_id="1", text="one"),)),
        Message("tool", (ToolResult(call_id="2", text="two", is_error=True),)),
        Message("user", (ToolResult(call_id="3", text="three", name="own"), Text("and?"))),
    )

    _, said, called, results, asked = got["query"]
    assert plain("bot", "Let me see") == said
    assert (called["role"], called["message_type"]) == ("bot", "function_call")
    assert json.loads(called["content"]) == [
        {
            "id": "1",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":1}'},
            "extra_content": {"google": {"s": "x"}},
        },
        {
            "id": "2",
            "type": "function",
            "function": {"name": "g", "arguments": '{"input":"free"}'},
        },
        {"id": "3", "type": "function", "function": {"name": "h", "arguments": "{}"}},
    ]
    assert results["role"] == "tool"
    assert json.loads(results["content"]) == [
        {"role": "tool", "tool_call_id": "1", "name": "f", "content": "one"},
        {"role": "tool", "tool_call_id": "2", "name": "g", "content": "Error: two"},
        {"role": "tool", "tool_call_id": "3", "name": "own", "content": "three"},
    ]
    assert plain("user", "and?") == asked


def test_an_id_that_comes_again_means_the_latest_call():
    """Bots that count their calls from 0 in each answer get the right names back."""
    rounds = []
    for name in ("f", "g"):
        rounds += [
            Message("assistant", (ToolCall(call_id="0", name=name, arguments="{}"),)),
            Message("tool", (ToolResult(call_id="0", text="x"),)),
        ]
    got = written(USER, *rounds)

    names = [json.loads(m["content"])[0]["name"] for m in got["query"] if m["role"] == "tool"]
    assert names == ["f", "g"]


def test_files_of_results_must_have_moved():
    """A file that no bot would look at is not lost in silence."""
    result = ToolResult(call_id="c1", text="", files=(File(url="https://a/b.png"),))

    with pytest.raises(ValueError, match=r"the result 'c1' must be in a user's turn"):
        written(USER, Message("tool", (result,)))


def test_thoughts_are_not_sent_back():
    """A message that holds nothing but reasoning is left out; an empty one is not."""
    got = written(Message("assistant", (Reasoning("x"),)), Message("user", (Text(""),)))

    assert [plain("user", "")] == got["query"]


# What is read


@pytest.mark.parametrize(
    ("frame", "events"),
    [
        (event("text", text="a"), [TextDelta("a")]),
        (event("text", text="a", index=2), [TextDelta("a", 2)]),
        (event("text", text="a", index="2"), [TextDelta("a")]),
        (event("text", text="a", index=True), [TextDelta("a")]),
        (event("text", text=""), []),
        (event("replace_response", text=""), [Replace("")]),
        (event("ping"), [Pause()]),
        (Frame("ping", "not even JSON"), [Pause()]),
        (event("suggested_reply", text="More"), [Note("suggested_reply", {"text": "More"})]),
        (event("data", metadata="m"), [Note("data", {"metadata": "m"})]),
        (event("meta", content_type="x"), [Note("meta", {"content_type": "x"})]),
        (
            event("file", url="u", content_type="c", name="n", inline_ref="r"),
            [FileEvent(url="u", content_type="c", name="n", inline_ref="r")],
        ),
        (
            event("file", url="u", content_type="c", name="n", inline_ref=None, index=1),
            [FileEvent(url="u", content_type="c", name="n", index=1)],
        ),
        (event("no_such_event"), []),
        (chunk({"content": "a", "reasoning": "r"}), [ReasoningDelta("r"), TextDelta("a")]),
    ],
)
def test_each_frame_means_one_thing(frame, events):
    """Every known event becomes its reply events; others become nothing."""
    assert [*events, Finish("stop")] == read(frame)


def test_meta_counts_only_in_front():
    """A later meta event is ignored, as the protocol says."""
    got = read(event("text", text="a"), event("meta", content_type="x"))

    assert [TextDelta("a"), Finish("stop")] == got


def test_nothing_follows_the_end():
    """What comes after done is dropped, and so is a second end."""
    reader = Reader()
    got = reader.feed([event("done"), event("text", text="late")])
    got += reader.feed([event("text", text="later")])
    got += reader.end() + reader.fail(PoeError(ErrorKind.POE_BROKEN, "x"))

    assert [Finish("stop")] == got


def test_an_error_event_ends_the_answer():
    """Text before it still holds; text after it is dropped."""
    got = read(
        event("text", text="a"),
        event("error", text="Internal server error", allow_retry=False),
        event("text", text="b"),
    )

    error = PoeError(ErrorKind.POE_FAILED, "Internal server error", allow_retry=False)
    assert [TextDelta("a"), Failure(error)] == got


def test_an_error_inside_a_chunk_ends_the_answer():
    """Some providers put their error where a chunk should be."""
    got = read(event("json", error={"message": "Slow down", "type": "rate_limit_error"}))

    assert [Failure(PoeError(ErrorKind.RATE_LIMITED, "Slow down"))] == got


@pytest.mark.parametrize(
    ("frame", "failure"),
    [
        (
            Frame("text", "{"),
            broken(
                "text",
                "its data is no JSON (Expecting property name enclosed in double quotes"
                " at line 1, column 2)",
            ),
        ),
        (Frame("text", "[]"), broken("text", "its data is no JSON object")),
        (event("text"), broken("text", 'its "text" is no text')),
        (event("replace_response", text=5), broken("replace_response", 'its "text" is no text')),
        (event("file", url=None), broken("file", 'its "url" is no text')),
        (Frame("json", "5"), broken("json", "its data is no JSON object")),
    ],
)
def test_a_broken_event_is_named(frame, failure):
    """The answer ends with an error that says which event is wrong and why."""
    assert [TextDelta("a"), failure] == read(event("text", text="a"), frame)


def test_strangers_are_reported_once():
    """An unknown event's name is told once in an answer."""
    names = []
    Reader(names.append).feed([event("new"), event("new"), event("newer")])

    assert names == ["new", "newer"]


def test_tokens_are_counted_once_before_the_end():
    """Only the last count is given, whatever follows it."""
    got = read(
        event("json", choices=[], usage={"prompt_tokens": 1, "completion_tokens": 1}),
        event("json", choices=[], usage={"prompt_tokens": 2, "completion_tokens": 3}),
        event("text", text="a"),
        event("done"),
    )

    usage = Usage(prompt_tokens=2, completion_tokens=3, exact=True)
    assert [TextDelta("a"), usage, Finish("stop")] == got


def test_a_chunk_says_why_the_answer_ended():
    """Its reason holds with and without a done event."""
    reason = chunk({}, finish_reason="length")

    assert [Finish("length")] == read(reason) == read(reason, event("done"))


@pytest.mark.parametrize(
    ("frames", "events"),
    [
        ([event("text", text="a\ud83d"), event("text", text="\ude00b")], ["a\U0001f600b"]),
        (
            [event("text", text="a\ud83d"), event("ping"), event("text", text="\ude00b")],
            ["a", "\U0001f600b"],
        ),
        (
            [event("text", text="\ud83d"), event("ping"), event("text", text="\ude00")],
            ["\U0001f600"],
        ),
        ([event("text", text="\ud83d"), event("text", text="x")], ["\ufffdx"]),
        ([event("text", text="x\ude00y")], ["x\ufffdy"]),
        ([event("text", text="a\ud83d")], ["a", "\ufffd"]),
        ([chunk({"content": "\ud83d"}), chunk({"content": "\ude00"})], ["\U0001f600"]),
        ([event("replace_response", text="\ud83d"), event("text", text="\ude00")], ["\U0001f600"]),
    ],
)
def test_half_a_character_waits_for_its_other_half(frames, events):
    """Bots cut their texts anywhere, also inside an emoji; alone, a half is no character."""
    assert events == [e.text for e in read(*frames) if isinstance(e, TextDelta)]


def test_half_a_character_does_not_change_places():
    """Before anything else of the same answer is said, the half is let go."""
    got = read(
        event("text", text="\ud83d"),
        event("text", text="other", index=1),
        event("file", url="u", content_type="c", name="n"),
        event("text", text="\ude00"),
    )

    assert got == [
        TextDelta("other", 1),
        TextDelta("\ufffd"),
        FileEvent(url="u", content_type="c", name="n"),
        TextDelta("\ufffd"),
        Finish("stop"),
    ]


def test_arguments_are_cut_inside_characters_too():
    """The opening piece goes out at once, its half character with the next piece."""
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": '"\ud83d'}}
    rest = {"index": 0, "function": {"arguments": '\ude00"'}}
    got = read(chunk({"tool_calls": [call]}), chunk({"tool_calls": [rest]}))

    assert got == [
        ToolCallDelta(position=0, call_id="1", name="f", arguments='"'),
        ToolCallDelta(position=0, arguments='\U0001f600"'),
        Finish("stop"),
    ]


# Laws

_PIECES = st.text(alphabet='ab\n\r"é\u2028\U0001f600\ud83d\ude00', max_size=4)
_INDEX = st.sampled_from([{}, {"index": 1}])
_EVENTS = st.one_of(
    st.builds(lambda text, i: ("text", {"text": text, **i}), _PIECES, _INDEX),
    st.builds(lambda text, i: ("replace_response", {"text": text, **i}), _PIECES, _INDEX),
    st.builds(lambda text: ("suggested_reply", {"text": text}), _PIECES),
    st.builds(
        lambda text, why: (
            "json",
            {"choices": [{"delta": {"content": text, "reasoning": text}, "finish_reason": why}]},
        ),
        _PIECES,
        st.sampled_from([None, "length", "strange"]),
    ),
    st.builds(
        lambda slot, name, call_id, arguments: (
            "json",
            {
                "choices": [
                    {
                        "delta": {
                            "tool_calls": [
                                {
                                    "index": slot,
                                    "id": call_id,
                                    "function": {"name": name, "arguments": arguments},
                                }
                            ]
                        }
                    }
                ]
            },
        ),
        st.sampled_from([None, 0, 1, 3]),
        st.sampled_from([None, "f", "g"]),
        st.sampled_from([None, "1", "2"]),
        _PIECES,
    ),
    st.just(("file", {"url": "u", "content_type": "c", "name": "n"})),
    st.just(("ping", {})),
    st.just(("stranger", {})),
    st.sampled_from([("error", {"text": "no"}), ("done", {}), ("text", {"text": 5})]),
)
_STREAMS = st.lists(_EVENTS, max_size=8)


def on_the_wire(events):
    """The bytes of these events."""
    return "".join(f"event: {n}\r\ndata: {json.dumps(d)}\r\n\r\n" for n, d in events).encode()


def replies(*pieces):
    """All events of a reply whose bytes came in these pieces."""
    decoder, reader, events = Decoder(), Reader(), []
    for piece in pieces:
        events += reader.feed(decoder.feed(piece))
    return events + reader.end()


def joined(events):
    """The events with texts in a row made one, which are cut where the network cut."""
    given = []
    for one in events:
        last = given[-1] if given else None
        if isinstance(one, TextDelta) and isinstance(last, TextDelta) and last.index == one.index:
            given[-1] = TextDelta(last.text + one.text, one.index)
        else:
            given.append(one)
    return given


@settings(deadline=None, max_examples=60)
@given(_STREAMS)
def test_cuts_do_not_matter(events):
    """Cut in two at any byte, the wire stands for the same events."""
    wire = on_the_wire(events)
    whole = joined(replies(wire))

    for cut in range(len(wire)):
        assert whole == joined(replies(wire[:cut], wire[cut:]))


def test_texts_that_come_together_are_one():
    """A reply that comes all at once costs as much as one long text, not as many short ones."""
    got = Reader().feed(
        [
            event("text", text="a"),
            event("text", text="b"),
            event("text", text="c", index=1),
            event("text", text="d", index=1),
            event("ping"),
            event("text", text="e", index=1),
            event("text", text=5),
        ]
    )

    assert [TextDelta("ab"), TextDelta("cd", 1), Pause(), TextDelta("e", 1)] == got[:-1]
    assert isinstance(got[-1], Failure)


@settings(deadline=None)
@given(_STREAMS)
def test_every_reply_has_one_end_which_is_last(events):
    """Whatever a bot sends, one Finish or Failure closes it."""
    got = replies(on_the_wire(events))

    assert [got[-1]] == [e for e in got if isinstance(e, END)]
    assert got[-1].index == 0


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=8), st.lists(st.integers(0, 1), min_size=8, max_size=8))
def test_no_text_is_lost(pieces, indexes):
    """The joined pieces are what the bot wrote, halves of characters made whole or U+FFFD."""
    pieces = list(zip(pieces, indexes, strict=False))
    got = read(*(event("text", text=text, index=index) for text, index in pieces))

    texts = {reply.index: reply.text for reply in gather_all(got)}
    for index in (0, 1):
        said = "".join(text for text, at in pieces if at == index)
        readable = said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert readable == texts.get(index, "")


@settings(deadline=None)
@given(_STREAMS)
def test_calls_are_numbered_without_gaps_and_have_ids_of_their_own(events):
    """Positions count from 0 as calls open; each opens once, with a name and its own id."""
    got = [e for e in replies(on_the_wire(events)) if isinstance(e, ToolCallDelta)]
    opened = [e for e in got if e.name]

    assert list(range(len(opened))) == [e.position for e in opened]
    assert len({e.call_id for e in opened}) == len(opened)
    assert all(e.call_id for e in opened)
    assert {e.position for e in got} == {e.position for e in opened}
