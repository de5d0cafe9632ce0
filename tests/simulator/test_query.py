import pytest

from poeflask.simulator.query import (
    Attachment,
    CallMade,
    MalformedQueryError,
    Message,
    Result,
    ToolOffer,
    read_query,
    read_results,
)
from tests.simulator.queries import query, tool, user

HEAD = {"version": "1.2", "type": "query"}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ([], "The body must be a JSON object."),
        ({"type": "query", "query": []}, 'Field "version" must be a string such as "1.2".'),
        ({"version": "1.2", "type": "settings"}, 'Field "type" must be "query".'),
        ({**HEAD, "query": []}, 'Field "query" must be a list with at least one message.'),
        ({**HEAD, "query": ["hi"]}, 'Field "query[0]" must be an object.'),
        (
            {**HEAD, "query": [{"role": "assistant", "content": ""}]},
            'Field "query[0].role" must be one of system, user, bot, tool.',
        ),
        ({**HEAD, "query": [{"role": "user"}]}, 'Field "query[0].content" is missing.'),
        (
            {**HEAD, "query": [{"role": "user", "content": []}]},
            'Field "query[0].content" must be of type str.',
        ),
        (
            {**HEAD, "query": [user("", attachments=[{"url": "x"}])]},
            'Each of "query[0].attachments" must have the strings url, content_type and name.',
        ),
        (
            {**HEAD, "query": [user("")], "temperature": "hot"},
            'Field "temperature" must be of type int or float or null.',
        ),
        (
            {**HEAD, "query": [user("")], "tools": [{"name": "t"}]},
            'Field "tools[0].function.name" must be a string.',
        ),
        (
            {**HEAD, "query": [user("")], "tool_results": [{"content": 1}]},
            'Field "tool_results[0].content" must be a string.',
        ),
    ],
)
def test_a_malformed_query_is_told_what_is_wrong(body, complaint):
    """What is no query is refused with the field and what would be right."""
    with pytest.raises(MalformedQueryError) as caught:
        read_query(body)

    assert complaint == str(caught.value)


def test_a_query_is_read_whole():
    """Messages, attachments, parameters, tools, calls and results arrive."""
    picture = {"url": "u", "content_type": "image/png", "name": "n"}
    call = {"id": "c", "function": {"name": "look", "arguments": "{}"}}
    got = query(
        {"role": "system", "content": "Be brief."},
        user("Look!", attachments=[picture], parameters={"a": 1}),
        tools=[tool("look")],
        tool_calls=[call],
        tool_results=[{"name": "look", "tool_call_id": "c", "content": '"sunny"'}],
    )

    seen = Attachment(url="u", content_type="image/png", name="n")
    last = Message(role="user", content="Look!", parameters={"a": 1}, attachments=(seen,))
    assert last == got.last
    assert {"a": 1} == got.parameters
    assert "Be brief.\n\nLook!" == got.instructions
    schema = {"type": "object", "properties": {}, "required": []}
    assert (ToolOffer("look", "", schema),) == got.tools
    assert (CallMade("look", "{}"),) == got.tool_calls
    assert (Result("look", "sunny"),) == got.tool_results


def test_the_last_words_are_the_users():
    """What tools and bot said after the user is not what the user said."""
    got = query(user("first"), user("second"), {"role": "bot", "content": "third"})

    assert "second" == got.words
    assert 1 == got.last_position


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"name":"t","content":"one"},{"content":"two"}]', ["one", "two"]),
        ("plain text", ["plain text"]),
        ('"quoted"', ["quoted"]),
        ('{"a":1}', ['{"a":1}']),
    ],
)
def test_results_are_read_from_a_list_or_taken_as_they_are(content, expected):
    """A tool's message may hold a list of results or a result itself."""
    assert expected == [result.content for result in read_results(content)]


@pytest.mark.parametrize(("given", "expected"), [(5, 5.0), (-1, 0.0), (99, 10.0), ("x", 3)])
def test_a_parameter_stays_in_its_bounds(given, expected):
    """A number is clamped; what is no number is the default."""
    asked = query(user("", parameters={"words": given}))

    assert expected == asked.number("words", 3, most=10)
