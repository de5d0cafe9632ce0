"""Structured output: what the bot is asked, and what becomes of its answer."""

import json
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.errors import ClientError, ErrorKind, PoeError
from poeflask.core.json_text import NotJsonError
from poeflask.core.prompt import File, Message, OutputFormat, Prompt, Text, Tool
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
    gather,
)
from poeflask.filters.structured import Structured
from tests.filters.laws import Answered, Stranger, check_laws, parted, recut, streams

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}
OBJECT = OutputFormat(kind="json_object")
SCHEMA = OutputFormat(kind="json_schema", name="place", schema=CITY)
PROMPT = Prompt(bot="Bot", messages=(Message("user", (Text("Where?"),)),))
BROKEN_WIRE = Failure(PoeError(ErrorKind.POE_BROKEN, "The answer broke off."))


def asked(output_format, prompt=PROMPT, **options):
    """A filter that has seen its prompt."""
    structured = Structured(output_format, **options)
    structured.on_prompt(prompt)
    return structured


def answer(output_format, text, reason="stop", **options):
    """What becomes of an answer that comes in one piece."""
    return asked(output_format, **options).feed([TextDelta(text), Finish(reason)])


def right(text):
    """The answer that a client gets when all is well."""
    return [TextDelta(text), Finish()]


def cut(text, places):
    """The text in pieces, cut at the places."""
    ends = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [TextDelta(text[start:end]) for start, end in pairwise(ends) if end > start]


def test_the_schema_is_asked_for_at_the_end_of_the_last_user_turn():
    """The bot reads the schema last, in the user's turn, and the format itself is gone."""
    picture = File(url="https://a.example/b.png")
    messages = (
        Message("user", (Text("Where?"), picture)),
        Message("assistant", (Text("There."),)),
        Message("system", (Text("Be brief."),)),
    )
    prompt = Prompt(bot="Bot", messages=messages, output_format=SCHEMA)

    got = Structured(SCHEMA).on_prompt(prompt)

    *before, instruction = got.messages[0].parts
    assert [Text("Where?"), picture] == before
    assert instruction.text.endswith(json.dumps(CITY, separators=(",", ":")))
    assert "'place'" in instruction.text
    assert messages[1:] == got.messages[1:]
    assert OutputFormat() == got.output_format


def test_a_prompt_without_a_user_turn_gets_one():
    """The instruction never stands in somebody else's turn."""
    prompt = Prompt(bot="Bot", messages=(Message("system", (Text("Answer."),)),))

    got = Structured(OBJECT).on_prompt(prompt)

    assert ["system", "user"] == [message.role for message in got.messages]


def test_with_tools_only_the_final_answer_is_to_be_json():
    """A bot with tools is not told that all it says must be JSON."""
    got = Structured(OBJECT).on_prompt(
        Prompt(bot="Bot", messages=PROMPT.messages, tools=(Tool(name="look"),))
    )

    assert "call no tool" in got.messages[0].text


@pytest.mark.parametrize(
    "text",
    [
        '{"city":"Rome"}',
        ' {"city": "Rome"}\n',
        '\ufeff{"city":"Rome"}',
        '```json\n{"city":"Rome"}\n```',
        '~~~\n{"city":"Rome"}\n~~~',
        '```{"city":"Rome"}```',
        'Here it is:\n\n```json\n{"city":"Rome"}\n```\n\nAnything else?',
        'Sure [1]! {"city":"Rome"} Good luck.',
        'Fill {name} with {} and you get {"city":"Rome"}',
        '"{\\"city\\": \\"Rome\\"}"',
        "{'city': 'Rome'}",
        "{city: 'Rome',}",
    ],
)
def test_what_surrounds_the_json_is_cut_off(text):
    """The client gets the JSON and nothing else."""
    delta, end = answer(SCHEMA, text)

    assert (json.loads(delta.text), end) == ({"city": "Rome"}, Finish())


@pytest.mark.parametrize(
    "text",
    [
        '{"city": "Rome", "people": "28"}',
        '{"City": "Rome", "people": 28.0}',
        '[{"x": 1}] or {"city": "Rome", "people": " 28 "}',
        "{'city': 'Rome', 'people': '28',}",
    ],
)
def test_types_are_put_right_where_the_meaning_is_plain(text):
    """A number in quotes or a key in another case is no reason to ask again."""
    assert right('{"city":"Rome","people":28}') == answer(SCHEMA, text)


def test_null_for_an_option_is_left_out():
    """Bots write it for what they do not know."""
    assert right('{"city":"Rome"}') == answer(SCHEMA, '{"city": "Rome", "people": null}')


@pytest.mark.parametrize(
    "text",
    [
        '{"city": "Rome", "river": "Tiber"}',
        '{"city": "Rome", "people": "many"}',
        '{"people": "28"}',
    ],
)
def test_nothing_is_left_out_to_make_an_answer_right(text):
    """What the schema forbids, and what cannot be told, is asked for again."""
    structured = asked(SCHEMA)

    assert [] == structured.feed([TextDelta(text), Finish()])
    assert structured.follow_up is not None


def test_a_stopped_answer_is_not_put_right():
    """Cut off by length, it goes as it came."""
    text = '{"city": "Rome", "people": "28"}'

    assert [TextDelta(text), Finish("length")] == answer(SCHEMA, text, "length")


def test_a_deep_answer_is_weighed_without_fault():
    """Lists in lists, as deep as JSON is read, are one more wrong answer."""
    structured = asked(SCHEMA)
    text = "[" * 900 + "]" * 900

    assert [] == structured.feed([TextDelta(text), Finish()])


def test_right_json_stays_as_the_bot_wrote_it():
    """Spaces, escapes, the order of keys and large numbers are not touched."""
    text = '{ "b": 12345678901234567890123, "a": "\\u00e9",  "c": 1.10 }'

    assert right(text) == answer(OBJECT, f"```\n{text}\n```")


def test_raw_line_breaks_in_strings_are_written_anew():
    """JSON that strict readers refuse is never passed on."""
    assert right('{"city":"Ro\\nme"}') == answer(SCHEMA, '{"city": "Ro\nme"}')


def test_the_largest_right_value_is_taken():
    """An example in front of the answer is not the answer."""
    text = 'Like {"city":"A"}, so:\n```json\n{"city":"Rome","people":3}\n```'

    assert right('{"city":"Rome","people":3}') == answer(SCHEMA, text)


@pytest.mark.parametrize(
    "text",
    [
        '{"items": [{"a": 1}, {"a": 2}',
        '{"items": [{"a": 1}, {"a": 2}]',
        '{"outer": {"city": "Rome"}, "text": "unfin',
        "No.",
        "Use {} here.",
        "[1, 2]",
        "7",
        '{"a": NaN}',
        "",
    ],
)
def test_a_part_or_a_guess_is_never_passed_off_as_the_answer(text):
    """An answer that breaks off, or is no object, is asked for again."""
    structured = asked(OBJECT)

    got = structured.feed([TextDelta(text), Finish()] if text else [Finish()])

    assert [] == got
    assert structured.follow_up is not None


def test_a_broken_outer_object_is_repaired_whole():
    """Repair mends the answer, not a right piece inside it."""
    got = answer(OBJECT, 'So:\n```json\n{"outer": {"city": "Rome"}, }\n```\nDone.')

    assert right('{"outer":{"city":"Rome"}}') == got


def test_a_wrong_answer_is_asked_again_with_its_fault():
    """The bot sees its own answer and what is wrong in it."""
    structured = asked(SCHEMA)
    wrong = '{"city":"Rome","people":"many"}'

    assert [] == structured.feed([TextDelta(wrong), Finish()])

    first, mine, correction = structured.follow_up.messages
    assert first.parts[0] == Text("Where?")
    assert Message("assistant", (Text(wrong),)) == mine
    assert "user" == correction.role
    assert "'/people'" in correction.text
    assert 'not of type "integer"' in correction.text


def test_the_second_answer_counts():
    """A right second answer is all that the client sees, with the tokens of both."""
    structured = asked(SCHEMA)
    structured.feed(
        [TextDelta("Rome."), Usage(prompt_tokens=5, completion_tokens=1, exact=True), Finish()]
    )

    got = structured.feed(
        [
            TextDelta('{"city":"Rome"}'),
            Usage(prompt_tokens=7, completion_tokens=4, exact=True),
            Finish(),
        ]
    )

    spent = Usage(prompt_tokens=12, completion_tokens=5, exact=True)
    assert [TextDelta('{"city":"Rome"}'), spent, Finish()] == got
    assert structured.follow_up is None


def test_an_empty_answer_is_not_shown_back():
    """No empty turn is put into the conversation."""
    structured = asked(SCHEMA)
    structured.feed([Finish()])

    assert ["user", "user"] == [message.role for message in structured.follow_up.messages]


def test_a_bot_that_stays_wrong_is_an_honest_error():
    """After the second wrong answer the client is told what is wrong, and gets no text."""
    structured = asked(SCHEMA)
    structured.feed([TextDelta("I would rather not."), Finish()])

    got = structured.feed([TextDelta('{"town":"Rome"}'), Finish()])

    [failure] = got
    assert ErrorKind.WRONG_SHAPE == failure.error.kind
    assert "required property" in failure.error.message
    assert structured.follow_up is None
    assert not failure.error.may_succeed_later


def test_a_refusal_in_prose_is_told_with_its_beginning():
    """Whoever reads the error sees what the bot said instead."""
    structured = asked(OBJECT)
    structured.feed([TextDelta("I cannot do that."), Finish()])

    [failure] = structured.feed([TextDelta("I cannot do that. " * 1000), Finish()])

    assert "There is no JSON in it." in failure.error.message
    assert "I cannot do that." in failure.error.message
    assert len(failure.error.message) < 1000


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_was_cut_short_is_given_as_it_came(reason):
    """Whoever limits the length gets what there is, and the reason; nothing is repaired."""
    text = 'So: {"city": "Ro'

    assert [TextDelta(text), Finish(reason)] == answer(SCHEMA, text, reason)


def test_an_answer_cut_short_behind_its_json_is_right():
    """What was complete when the limit came is complete."""
    got = answer(SCHEMA, '{"city":"Rome"} And', "length")

    assert [TextDelta('{"city":"Rome"}'), Finish("length")] == got


def test_text_beside_tool_calls_is_not_judged():
    """An answer that calls a tool is no final answer."""
    call = ToolCallDelta(position=0, call_id="c1", name="look", arguments="{}")
    usage = Usage(prompt_tokens=1)

    got = asked(SCHEMA).feed(
        [
            TextDelta("Let me "),
            TextDelta("look."),
            call,
            TextDelta("!"),
            usage,
            Finish("tool_calls"),
        ]
    )

    assert [TextDelta("Let me look."), call, TextDelta("!"), usage, Finish("tool_calls")] == got


def test_everything_but_text_passes_at_once():
    """Pauses keep the stream alive; reasoning, files and notes are not held."""
    others = [
        ReasoningDelta("Hm."),
        Pause(),
        FileEvent(url="https://a.example", content_type="image/png", name="a.png"),
        Note("meta", {}),
    ]

    got = asked(OBJECT).feed([TextDelta("{"), *others])

    assert others == got


def test_a_replacement_replaces_what_is_held():
    """Text that the bot took back is not judged."""
    got = asked(OBJECT).feed([TextDelta("Working..."), Replace('{"a":1}'), Finish()])

    assert right('{"a":1}') == got


def test_a_failure_gives_back_what_was_held():
    """What came before the wire broke is not lost."""
    got = asked(OBJECT).feed([TextDelta('{"a":'), TextDelta(" 1"), BROKEN_WIRE])

    assert [TextDelta('{"a": 1'), BROKEN_WIRE] == got


def test_a_long_text_is_not_repaired():
    """Repair is bounded in size; the repairing function is never called beyond it."""
    structured = asked(OBJECT, repair=lambda text: pytest.fail(text[:10]), max_repair_bytes=100)

    got = structured.feed([TextDelta('{"a": "' + "x" * 100 + '",}'), Finish()])

    assert [] == got
    assert structured.follow_up is not None


def test_a_repair_that_gives_up_is_asked_again():
    """A text beyond repair is one more wrong answer."""

    def refuse(text):
        raise NotJsonError("no")

    structured = asked(OBJECT, repair=refuse)

    assert [] == structured.feed([TextDelta('{"a": ,}'), Finish()])
    assert structured.follow_up is not None


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "objekt"}, "/type"),
        ({"$ref": "https://a.example/schema.json"}, "a.example"),
        ({"items": {"$ref": "file:///etc/hosts"}}, "/etc/hosts"),
    ],
)
def test_a_schema_that_cannot_be_used_is_the_clients_fault(schema, word):
    """Such a request is refused before the bot is asked, and the message names the place."""
    with pytest.raises(ClientError) as caught:
        Structured(OutputFormat(kind="json_schema", schema=schema))

    assert ErrorKind.INVALID_REQUEST == caught.value.kind
    assert "response_format.json_schema.schema" == caught.value.param
    assert word in caught.value.message


def test_a_schema_format_without_schema_takes_any_object():
    """A client may name a format and leave its schema out."""
    assert right('{"x":1}') == answer(OutputFormat(kind="json_schema"), '{"x":1}')


ANSWERS = st.sampled_from(
    [
        'Sure:\n```json\n{"city": "Rome"}\n```\n',
        '{"city": "Ré\\u00e9", "people": 2}',
        "{'city': 'Rome', }",
        "I cannot.",
        '{"city": 7}',
        '{"city": "Ro',
        "```\n```json\n{}\n```",
    ]
)
ENDS = st.sampled_from([Finish(), Finish("length"), BROKEN_WIRE])
PLACES = st.lists(st.integers(0, 100), max_size=6)


@settings(max_examples=150, deadline=None)
@given(ANSWERS, ANSWERS, ENDS, PLACES, PLACES)
def test_cuts_do_not_matter_and_there_is_one_end(first, second, end, cuts, batches):
    """However the answers are cut and batched, the client sees the same, with one end, last."""
    whole = gather(
        _both(partial(_batches, places=[]), [TextDelta(first)], [TextDelta(second)], end)
    )

    pieces = _both(partial(_batches, places=batches), cut(first, cuts), cut(second, cuts), end)

    assert whole == gather(pieces)
    assert [pieces[-1]] == [event for event in pieces if isinstance(event, END)]


def _batches(events, places):
    ends = [0, *sorted({place % (len(events) + 1) for place in places}), len(events)]
    return [events[start:stop] for start, stop in pairwise(ends)]


def _both(batches, first, second, end):
    """All that a filter gives for an answer, and for a second one if it asks again."""
    structured = asked(SCHEMA)
    given_events = [event for batch in batches([*first, end]) for event in structured.feed(batch)]
    if structured.follow_up is None:
        return given_events
    for batch in batches([*second, end]):
        given_events.extend(structured.feed(batch))
    return given_events


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=4))
def test_any_object_survives_fences_and_prose(value):
    """Every JSON object is found between words and in fences, as it was written."""
    text = json.dumps(value, ensure_ascii=False, indent=1)

    assert right(text) == answer(OBJECT, f"Here:\n```json\n{text}\n```\nDone.")
    assert right(text) == answer(OBJECT, f"Here: {text} Done.")


PIECES = (
    '{"city": "Rome", "people": 1}',
    '{"city": "Rome"',
    "{}",
    "```json\n",
    "\n```",
    "[1]",
    "\n",
)
SIDE_EVENTS = st.one_of(
    st.builds(Stranger, st.integers(0, 9)),
    st.builds(ReasoningDelta, st.just("Hm.")),
    st.builds(Usage, prompt_tokens=st.integers(1, 9), completion_tokens=st.integers(1, 9)),
)


@pytest.mark.parametrize("form", [OBJECT, SCHEMA], ids=["object", "schema"])
@given(data=st.data())
def test_laws(form, data):
    """One end, every cut alike, strangers pass; also where a second answer was asked for."""
    stream = data.draw(streams(PIECES, SIDE_EVENTS))
    second = data.draw(streams(PIECES, SIDE_EVENTS))

    def make():
        return Answered(asked(form), second)

    got = check_laws(make, stream, data.draw(recut(stream)), parted)
    strangers = [event for event in stream if isinstance(event, Stranger)]
    assert strangers == [e for e in got if isinstance(e, Stranger)][: len(strangers)]
