import pytest

from poeflask.simulator.prompted import call_text, json_objects, offers, own_words, results
from poeflask.simulator.query import ToolOffer

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TEXT = '"properties":{"city":{"type":"string"}}'


@pytest.mark.parametrize(
    "prompt",
    [
        '<tools>\n{"name":"w","description":"d","parameters":{"type":"object",%s}}\n</tools>',
        'Tools: [{"name":"w","description":"d","input_schema":{"type":"object",%s}}] {not json}',
        '{"type":"function","function":{"name":"w","description":"d","parameters":'
        '{"type":"object",%s}}}',
        '{"tools":[{"name":"w","description":"d","schema":{"type":"object",%s}}]}',
    ],
)
def test_tools_are_found_in_any_json(prompt):
    """A tool is an object with a name and a schema, whatever stands around it."""
    assert (ToolOffer("w", "d", SCHEMA),) == offers(prompt % TEXT)


def test_a_tool_that_takes_text_has_one_argument():
    """A tool listed with "text" gets its text as the argument "input"."""
    (got,) = offers('{"name":"patch","text":"free text"}')

    assert ["input"] == list(got.schema["properties"])


def test_only_outermost_objects_are_told():
    """Broken braces are passed over, inner objects are not told again."""
    assert [{"a": {"b": 1}}, [1], {}] == list(json_objects('{oops {"a": {"b": 1}} [1] {} {'))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", '<tool_call>\n{"name":"w","arguments":{"city":"Oz"}}\n</tool_call>'),
        (
            'Write <tool_use>\n{"name": "x", "input": {}}\n</tool_use>',
            '<tool_use>\n{"name":"w","input":{"city":"Oz"}}\n</tool_use>',
        ),
        (
            '<tool_call:k3 name="NAME">\n{}\n</tool_call:k3>',
            '<tool_call:k3 name="w">\n{"city":"Oz"}\n</tool_call:k3>',
        ),
        (
            '<function_calls>\n<invoke name="x">',
            '<function_calls>\n<invoke name="w">\n<parameter name="city">Oz</parameter>\n'
            "</invoke>\n</function_calls>",
        ),
    ],
)
def test_a_call_is_written_as_the_prompt_shows(prompt, expected):
    """The first example of a call decides how calls are written."""
    assert expected == call_text(prompt, "w", {"city": "Oz"})


def test_long_texts_stand_in_blocks_where_there_are_such():
    """A text of several lines is a block, the other arguments stay JSON."""
    prompt = '<tool_call:k3 name="N">\n{}\n<arg:k3 name="K">\nTEXT\n</arg:k3>\n</tool_call:k3>'
    got = call_text(prompt, "write", {"path": "a", "text": 'one\n"two"'})

    assert (
        '<tool_call:k3 name="write">\n{"path":"a"}\n<arg:k3 name="text">\none\n"two"\n</arg:k3>\n'
        "</tool_call:k3>"
    ) == got


def test_free_text_is_always_a_block():
    """The one argument of a tool that takes text stands in a block, however short."""
    prompt = '<tool_call:k3 name="N"><arg:k3 name="input">'

    assert (
        '<tool_call:k3 name="patch">\n<arg:k3 name="input">\nhi\n</arg:k3>\n</tool_call:k3>'
    ) == call_text(prompt, "patch", {"input": "hi"})


def test_results_are_what_stands_in_result_tags():
    """Results are found under any of their usual names, with or without a mark."""
    text = (
        '<tool_result:k3 id="c" name="w">\nsunny\n</tool_result:k3>'
        "<tool_response>wet</tool_response>"
    )

    assert ("sunny", "wet") == results(text)


def test_own_words_are_without_tags():
    """What was added in tags is not what the person said."""
    assert "Go, from  to " == own_words('Go, from <tool_call:k3 name="..."> to </tool_call:k3>')
